"""The executor `reference`: one function of one model, held ready in this process."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from mmai.backends.coreml.executor import LoadReport, Prediction
from mmai.backends.coreml.reference.chain import Chain, States
from mmai.backends.coreml.reference.threads import in_thread
from mmai.errors import CannotRun, ProviderError, UsageError
from mmai.values.execution import ExecutorName

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed


class ReferenceExecutor:
    """Several predictions may be under way at once, but one after the other where they share a state."""

    name: ExecutorName = "reference"
    compute_units: str | None = None

    def __init__(self, chain: Chain, *, model: str, report: LoadReport) -> None:
        self.report = report
        self._model = model
        self._chain: Chain | None = chain
        self._states: dict[int, tuple[asyncio.Lock, States]] = {}
        self._numbers = count(1)

    @property
    def alive(self) -> bool:
        """It was not closed."""
        return self._chain is not None

    async def predict(self, feeds: "Mapping[str, Feed]", *, state: int | None = None) -> Prediction:
        """Run the model once, as `Executor` promises."""
        chain = self._opened()
        if state is None:
            if chain.stateful:
                raise UsageError(f"`{self._model}` keeps a state from one prediction to the next, and none was begun")
            return await self._ask(chain, feeds, {})
        if state not in self._states:
            raise UsageError(f"`{self._model}` has no state {state}")
        lock, states = self._states[state]
        async with lock:
            return await self._ask(chain, feeds, states)

    async def new_state(self) -> int:
        """Fresh states, as `Executor` promises."""
        chain = self._opened()
        if not chain.stateful:
            raise UsageError(f"`{self._model}` has no states")
        with named(self._model):
            number = next(self._numbers)
            self._states[number] = (asyncio.Lock(), chain.fresh_states())
        return number

    def drop_state(self, state: int) -> None:
        """Let states go, as `Executor` promises; a prediction under way keeps them until it ends."""
        self._states.pop(state, None)

    async def aclose(self) -> None:
        """Let weights and states go."""
        self._chain = None
        self._states.clear()

    async def _ask(self, chain: Chain, feeds: "Mapping[str, Feed]", states: States) -> Prediction:
        def work(stopped: Callable[[], bool]) -> Prediction:
            started = time.perf_counter()
            outputs: dict[str, Any] = chain.run(feeds, states, stopped)
            return Prediction(outputs=outputs, engine_ms=(time.perf_counter() - started) * 1000)

        with named(self._model):
            return await in_thread(work)

    def _opened(self) -> Chain:
        if self._chain is None:
            raise ProviderError(f"`{self._model}` was closed")
        return self._chain


@contextmanager
def named(model: str) -> Iterator[None]:
    """Errors of the model say which it is."""
    try:
        yield
    except CannotRun as exc:
        raise CannotRun(f"`{model}` cannot be run: {exc.message}", hint=exc.hint) from exc
    except ProviderError as exc:
        raise ProviderError(f"`{model}` failed: {exc.message}", hint=exc.hint) from exc
    except MemoryError as exc:
        raise ProviderError(f"`{model}` needs more memory than there is") from exc
