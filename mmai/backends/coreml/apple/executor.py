"""The executor `apple`: one function of one model, held by a worker."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mmai.backends.coreml.apple.cache import Cache
from mmai.backends.coreml.apple.content import Hashed, content_hash
from mmai.backends.coreml.apple.failures import predict_failure, refusal
from mmai.backends.coreml.apple.feeds import outputs, wired
from mmai.backends.coreml.apple.frames import Array, BadFrame
from mmai.backends.coreml.apple.ledger import Ledger
from mmai.backends.coreml.apple.machine import Machine, this_machine
from mmai.backends.coreml.apple.messages import Failed, MakeState, Planned, Predict, Predicted, Reply, Request, StateMade
from mmai.backends.coreml.apple.opening import Opening, Wanted
from mmai.backends.coreml.apple.process import Lost, Worker
from mmai.backends.coreml.apple.quarantine import Quarantine
from mmai.backends.coreml.apple.store import Store
from mmai.backends.coreml.executor import Executor, LoadReport, Prediction, entry_point
from mmai.backends.coreml.setup import Setup
from mmai.errors import UsageError
from mmai.values.execution import ExecutorName
from mmai.values.package import Package

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed

R = TypeVar("R", bound=Reply)


async def open_apple(
    package: Package,
    *,
    function: str | None,
    units: str,
    setup: Setup,
    load_timeout_s: float,
    machine: Machine | None = None,
) -> Executor:
    """One function of a model, ready to be asked; None is the default function.

    Args:
        units: one of those in `setup.py`.
        machine: None is this one.

    Raises:
        UsageError: it has no such function.
        CannotRun: there is no Core ML here, the system is too old for the model, or it is in quarantine.
        TimedOut: it was not loaded in time.
        ProviderError: it could not be loaded, or brought the worker down.
    """
    machine = machine or this_machine()
    folder = setup.cache_dir
    wanted = Wanted(
        package=package, function=entry_point(package, function), units=units, engine=machine.engine, timeout_s=load_timeout_s
    )
    sha256 = await asyncio.to_thread(content_hash, package, Ledger(folder / "hashes.json", Hashed))
    quarantine = Quarantine(folder, sha256=sha256, os_build=machine.os_build)
    quarantine.refuse(units, timeout_s=load_timeout_s)
    cache = Cache(folder, key=machine.key, limit_bytes=setup.cache_limit_bytes)
    opening = Opening(
        wanted,
        store=Store(cache, sha256=sha256, source=str(Path(package.path))),
        quarantine=quarantine,
        plans=Ledger(folder / "plans.json", Planned),
        plan_key=f"{sha256} {machine.key} {units} {wanted.function.name}",
    )
    worker, report, resources = await opening.run()
    return AppleExecutor(
        worker, wanted, report=report, timeout_s=setup.predict_timeout_s, quarantine=quarantine, resources=resources
    )


class AppleExecutor:
    """Predictions take turns: Core ML works on one at a time in a process."""

    name: ExecutorName = "apple"

    def __init__(
        self,
        worker: Worker,
        wanted: Wanted,
        *,
        report: LoadReport,
        timeout_s: float,
        quarantine: Quarantine,
        resources: AsyncExitStack,
    ) -> None:
        self.compute_units: str | None = wanted.units
        self.report = report
        self._worker = worker
        self._wanted = wanted
        self._timeout_s = timeout_s
        self._quarantine = quarantine
        self._resources = resources
        self._turn = asyncio.Lock()
        self._states: set[int] = set()
        self._dropped: list[int] = []

    @property
    def alive(self) -> bool:
        """The worker is there; one that died, hung or was interrupted is not."""
        return self._worker.alive

    async def predict(self, feeds: "Mapping[str, Feed]", *, state: int | None = None) -> Prediction:
        """Run the model once, as `Executor` promises."""
        function = self._wanted.function
        if state is None and function.states:
            raise UsageError(f"`{self._wanted.model}` keeps a state from one prediction to the next, and none was begun")
        if state is not None and state not in self._states:
            raise UsageError(f"`{self._wanted.model}` has no state {state}")
        values, arrays = wired(function, feeds)
        reply, found, memory_bytes = await self._ask(Predict(values=tuple(values), state=state), Predicted, arrays)
        try:
            given = outputs(function, reply.values, found)
        except BadFrame as exc:
            await self._worker.kill()
            raise self._failure(Lost("junk", detail=str(exc))) from exc
        return Prediction(outputs=given, engine_ms=reply.engine_ms, memory_bytes=memory_bytes)

    async def new_state(self) -> int:
        """Fresh states, as `Executor` promises."""
        if not self._wanted.function.states:
            raise UsageError(f"`{self._wanted.model}` has no states")
        dropped, self._dropped = tuple(self._dropped), []
        reply, _, _ = await self._ask(MakeState(dropped=dropped), StateMade, ())
        self._states.add(reply.state)
        return reply.state

    def drop_state(self, state: int) -> None:
        """Let states go, as `Executor` promises: the worker does when it makes the next, and nobody has to wait for it."""
        if state in self._states:
            self._states.remove(state)
            self._dropped.append(state)

    async def aclose(self) -> None:
        """End the worker, and let its files go."""
        await self._resources.aclose()

    async def _ask(self, request: Request, expected: type[R], arrays: Sequence[Array]) -> tuple[R, list[Array], int | None]:
        async with self._turn:
            try:
                reply, found = await self._worker.ask(request, expected, arrays=arrays, timeout_s=self._timeout_s)
            except Lost as exc:
                raise self._failure(exc) from exc
            memory_bytes = self._worker.memory_bytes
        if isinstance(reply, Failed):
            raise refusal(reply, self._wanted.package, model=self._wanted.model)
        return reply, found, memory_bytes

    def _failure(self, lost: Lost) -> Exception:
        units = self._wanted.units
        return predict_failure(
            lost, model=self._wanted.model, units=units, timeout_s=self._timeout_s, way_out=self._quarantine.way_out(units)
        )
