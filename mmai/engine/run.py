"""One request under one deadline: call, retry, fall back, and record whatever happens."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from msgspec import Struct

from mmai.engine.retry import Again, Elsewhere, after
from mmai.engine.session import Route, Session
from mmai.engine.tally import Tally
from mmai.errors import IncompleteAnswer, MmaiError, TimedOut
from mmai.values.event import Event, FinishedEvent
from mmai.values.record import Attempt, RunRecord, RunStatus
from mmai.values.request import Request


class Trying(Struct, frozen=True):
    """A call is about to be made."""

    route: Route


class Failed(Struct, frozen=True):
    """A call failed before any of its answer came; `following` is who is called next."""

    attempt: Attempt
    error: MmaiError
    following: Route


class Ended(Struct, frozen=True):
    """The last step: the record as it went into the history, and why the answer is not whole, if it is not."""

    record: RunRecord
    error: MmaiError | None
    value: Any = None
    """The answer decoded, where a check was asked for and passed."""


Step = Trying | Failed | Event | Ended


class Log(Protocol):
    """Where runs are recorded. Never raises."""

    def start(self, record: RunRecord) -> None:
        """Before the first request."""

    def finish(self, record: RunRecord) -> None:
        """When it is over, however it ended."""


class Run:
    """One request on its way to the first of `routes` that answers."""

    def __init__(
        self,
        request: Request,
        routes: Sequence[Route],
        *,
        session: Session,
        tally: Tally,
        log: Log | None,
        timeout_s: float | None = None,
        check: Callable[[str], Any] | None = None,
    ) -> None:
        """`check` decodes the whole answer, or raises the `MmaiError` that says what is wrong with it."""
        self.tally = tally
        self._request = request
        self._reserve = list(routes)
        self._session = session
        self._log = log
        self._timeout_s = timeout_s
        self._check = check
        self._deadline: float | None = None

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Everything that happens, in order, ending with `Ended`.

        Failures are values here; only cancellation (Ctrl-C, a reader that left) leaves as an exception, after it is recorded.
        """
        if self._timeout_s is not None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout_s
        if self._log:
            self._log.start(self.tally.record)
        status: RunStatus = "cancelled"
        error: MmaiError | None = None
        value: Any = None
        try:
            async with aclosing(self._attempts()) as attempts:
                async for step in attempts:
                    yield step
            value = self._check(self.tally.record.text) if self._check else None
            status = "ok"
        except IncompleteAnswer as exc:
            status, error = "incomplete", exc
        except MmaiError as exc:
            status, error = "error", exc
        finally:
            self.tally.close(status, error)
            if self._log:
                self._log.finish(self.tally.record)
        yield Ended(self.tally.record, error, value)

    async def _attempts(self) -> AsyncGenerator[Step, None]:
        route, first_try = self._reserve.pop(0), True
        first_error: MmaiError | None = None
        while True:
            yield Trying(route)
            try:
                async with aclosing(self._call(route)) as events:
                    async for event in events:
                        yield event
            except MmaiError as error:
                attempt = self.tally.end_attempt(route, error)
                if self.tally.content:
                    raise self._cut(error) from error
                failed, cause = route, error
                first_error = first_error or error
            else:
                return
            match self._after(cause, failed, first_try=first_try):
                case Again(wait_s):
                    first_try = False
                    yield Failed(attempt, cause, failed)
                    await asyncio.sleep(wait_s)
                case Elsewhere(routes):
                    route, *self._reserve = routes
                    first_try = True
                    yield Failed(attempt, cause, route)
                case _:
                    raise first_error

    async def _call(self, route: Route) -> AsyncGenerator[Event, None]:
        """One call's events; raises what the adapter raises, `TimedOut` at the deadline, `IncompleteAnswer` without an end."""
        self.tally.sending(route)
        stream = self._session.backend(route.endpoint).infer(route.card, self._request)
        end: FinishedEvent | None = None
        async with aclosing(stream):
            while (event := await self._next(stream, route)) is not None:
                self.tally.take(event)
                end = event if isinstance(event, FinishedEvent) else end
                yield event
        if end is None:
            raise IncompleteAnswer(f"`{route.card.ref}` stopped without ending its answer", reason="cut")
        if end.reason == "length":
            raise IncompleteAnswer(
                f"the answer of `{route.card.ref}` reached its token limit", reason="length", hint="mmai run --max-tokens N"
            )
        if end.reason == "filter":
            raise IncompleteAnswer(f"the content filter of `{route.card.provider}` stopped the answer", reason="filter")
        self.tally.end_attempt(route, None)

    async def _next(self, stream: AsyncIterator[Event], route: Route) -> Event | None:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(stream, None)
        except TimeoutError as exc:
            raise TimedOut(f"`{route.card.ref}` did not finish within {self._timeout_s:g} s", phase="total") from exc

    def _after(self, error: MmaiError, failed: Route, *, first_try: bool) -> object:
        return after(
            error,
            self._session.backend(failed.endpoint).advise(error),
            failed=failed,
            reserve=self._reserve,
            first_try=first_try,
            remaining_s=float("inf") if self._deadline is None else self._deadline - asyncio.get_running_loop().time(),
        )

    def _cut(self, error: MmaiError) -> IncompleteAnswer:
        if isinstance(error, IncompleteAnswer):
            return error
        return IncompleteAnswer(f"the answer was cut: {error.message}", reason="cut", hint=error.hint)
