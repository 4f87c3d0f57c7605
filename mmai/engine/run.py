"""One request under one deadline: call, retry, fall back, and record whatever happens."""

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from msgspec import Struct

from mmai.backends.base import RetryAdvice, advise
from mmai.engine.patience import Patience, demand_end
from mmai.engine.retry import Again, Elsewhere, GiveUp, after
from mmai.engine.session import Route, Session
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.errors import IncompleteAnswer, Interrupted, MmaiError
from mmai.values.event import Event, FinishedEvent
from mmai.values.model import ModelCard
from mmai.values.record import Attempt, RunRecord, RunStatus
from mmai.values.request import Request
from mmai.values.traffic import FailureKind

LATER, LATER_S = 0.1, 1.0
"""Share of a wait, and seconds at the most, by which it is drawn out: many who were told the same do not come back at once."""

POLL_S = 0.05
"""How often whoever waits for a place to be tried out looks again."""


class _Closed(Exception):
    """The place was closed while this call stood in line there."""


class Trying(Struct, frozen=True):
    """A call is about to be made."""

    route: Route


class Skipped(Struct, frozen=True):
    """A model is not called, since the last calls of it failed everywhere it is offered."""

    route: Route
    reason: str | None
    for_s: float
    """How long that lasts yet."""


class Failed(Struct, frozen=True):
    """A call failed before any of its answer came; `following` is who is called next."""

    attempt: Attempt
    error: MmaiError
    following: Route


class Restarted(Struct, frozen=True):
    """An answer was cut after it had begun, and `following` begins it anew: nothing that came so far is part of it."""

    attempt: Attempt
    error: MmaiError
    following: Route


class Ended(Struct, frozen=True):
    """The last step: the record as it went into the history, and why the answer is not whole, if it is not."""

    record: RunRecord
    error: MmaiError | None
    value: Any = None
    """The answer decoded, where a check was asked for and passed."""


Step = Trying | Skipped | Failed | Restarted | Event | Ended


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
        traffic: Traffic,
        tally: Tally,
        log: Log | None,
        timeout_s: float | None = None,
        check: Callable[[str], Any] | None = None,
        restart_on_cut: bool = False,
        patient: bool = False,
        fit: Callable[[ModelCard], Request] | None = None,
    ) -> None:
        """`routes` are in the order of preference; those of one model that stand together are balanced.

        `check` decodes the whole answer, or raises the `MmaiError` that says what is wrong with it. `restart_on_cut` asks another
        model where an answer is cut after it began. `patient` waits for a place while all of them are left alone, and as often
        as a provider asks to, as long as there is time: one of many, in a row that nobody watches. `fit` makes the request as
        one model gets it, where it is not alike for all.
        """
        self.tally = tally
        self.request = request
        self._reserve = list(routes)
        self._session = session
        self._traffic = traffic
        self._log = log
        self._timeout_s = timeout_s
        self._check = check
        self._restart_on_cut = restart_on_cut
        self._patient = patient
        self._fit = fit
        self._limited = 0
        self._advise: Callable[[MmaiError], RetryAdvice] = advise
        """Of the adapter that is called; the general rule where it could not be opened."""
        self._deadline = math.inf

    @property
    def is_logged(self) -> bool:
        """It leaves a row in the history."""
        return self._log is not None

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Everything that happens, in order, ending with `Ended`.

        Failures are values here; only cancellation (Ctrl-C, a reader that left) leaves as an exception, after it is recorded.
        """
        self._traffic.open(self._reserve)
        self._traffic.budget.request()
        if self._log:
            self._log.start(self.tally.begun(self._reserve[0]))
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
        if self._patient:
            await self._pause()
        offered: Sequence[Route] = self._reserve
        route, first_try = self._take(offered), True
        for skipped in self._passed_over(offered, route):
            yield skipped
        first_error: MmaiError | None = None
        while True:
            yield Trying(route)
            try:
                async with aclosing(self._call(route)) as events:
                    async for event in events:
                        yield event
            except _Closed:
                self._reserve = list(offered)
                if self._patient:
                    await self._pause()
                route, first_try = self._take(offered), True
                continue
            except MmaiError as error:
                cause, kind = error, self._kind(error)
                attempt = self.tally.end_attempt(route, error)
            else:
                return
            first_error = first_error or cause
            if self.tally.content:
                offered = self._anew(cause, kind, route)
                route, first_try = self._take(offered), True
                self.tally.restart()
                yield Restarted(attempt, cause, route)
                continue
            match self._after(cause, kind, route, first_try=first_try):
                case Again(wait_s):
                    first_try = self._patient and kind is FailureKind.RATE_LIMITED
                    yield Failed(attempt, cause, route)
                    await self._rest(wait_s)
                case Elsewhere(routes):
                    offered = routes
                    route, first_try = self._take(offered), True
                    yield Failed(attempt, cause, route)
                case _:
                    raise first_error

    async def _pause(self) -> None:
        """Until one of the places may be called."""
        left_s = min(self._remaining_s, math.inf if self._timeout_s is None else self._timeout_s)
        until = self._traffic.now() + left_s
        # ASYNC110: what is waited for is a moment, and what other processes find out.
        while (opens_at := self._traffic.opens_at(self._reserve)) is not None and opens_at < until:  # noqa: ASYNC110
            await asyncio.sleep(max(POLL_S, opens_at - self._traffic.now()) * random.uniform(1, 1.2))  # noqa: S311 - spreads load

    async def _rest(self, wait_s: float) -> None:
        """So long and a little longer, while there is time."""
        spare_s = (self._remaining_s - wait_s) / 2
        await asyncio.sleep(wait_s + random.uniform(0, max(0.0, min(LATER * wait_s, LATER_S, spare_s))))  # noqa: S311 - spreads load

    @property
    def _remaining_s(self) -> float:
        return self._deadline - asyncio.get_running_loop().time()

    def _take(self, routes: Sequence[Route]) -> Route:
        """Whom to call of these; the others stay in reserve."""
        route = self._traffic.next(routes)
        self._reserve = [other for other in routes if other is not route]
        return route

    def _passed_over(self, routes: Sequence[Route], taken: Route) -> Iterator[Skipped]:
        """The models that come before the one that is called, once each."""
        before = routes[: routes.index(taken)]
        firsts = {route.card.ref: route for route in reversed(before) if route.card.ref != taken.card.ref}
        for route in reversed(firsts.values()):
            reason, for_s = self._traffic.closed(route)
            yield Skipped(route, reason, for_s)

    def _anew(self, error: MmaiError, kind: FailureKind, failed: Route) -> Sequence[Route]:
        """Who may begin an answer again that was cut; raises where that is not wished, or nobody is left."""
        others = [route for route in self._reserve if route.card.ref != failed.card.ref]
        if not (self._restart_on_cut and others and kind is FailureKind.CUT):
            raise self._cut(error) from error
        return others

    async def _call(self, route: Route) -> AsyncGenerator[Event, None]:
        """One call's events; raises what the adapter raises, `TimedOut` at a deadline, `IncompleteAnswer` without an end, and
        `_Closed` before the call where it is better made elsewhere or later by now.
        """
        end: FinishedEvent | None = None
        was_open, self._advise = not self._traffic.is_closed(route), advise
        self._traffic.begin(route)
        try:
            async with self._traffic.slot(route):
                if was_open:
                    self._demand_open(route)
                self._start_clock()
                self.tally.sending(route)
                patience = Patience(route, self._deadline, self._timeout_s, others=bool(self._reserve))
                request = self._fit(route.card) if self._fit else self.request
                backend = self._session.backend(route.endpoint)
                self._advise = backend.advise
                stream = backend.infer(route.card, request)
                async with aclosing(stream):
                    while (event := await patience.next(stream, began=self.tally.content)) is not None:
                        self.tally.take(event)
                        end = event if isinstance(event, FinishedEvent) else end
                        yield event
                demand_end(end, route)
                attempt = self.tally.end_attempt(route, None)
                self._traffic.end(route, None, ttft_ms=self.tally.ttft_ms or attempt.ms, took_s=attempt.ms / 1000)
        except MmaiError as error:
            self._judge(route, error)
            raise
        except BaseException:
            self._traffic.dropped(route)
            if self.tally.is_under_way:
                self.tally.end_attempt(route, Interrupted("the call was given up"))
            raise

    def _demand_open(self, route: Route) -> None:
        """Leave a place that was closed while this call stood in line, where another may be called or there is time to wait."""
        if self._traffic.is_closed(route) and (self._patient or self._is_helped()):
            raise _Closed

    def _is_helped(self) -> bool:
        """Somebody else may be called now."""
        return bool(self._reserve) and self._traffic.opens_at(self._reserve) is None

    def _start_clock(self) -> None:
        """The time of a request begins with its first call, not while it waits for a place."""
        if self._deadline == math.inf and self._timeout_s is not None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout_s

    def _judge(self, route: Route, error: MmaiError) -> None:
        """What a failed call says of the place."""
        self._traffic.end(
            route,
            self._kind(error),
            error=error,
            took_s=self.tally.attempt_s,
            wait_s=self._advise(error).wait_s,
        )

    def _kind(self, error: MmaiError) -> FailureKind:
        kind = self._advise(error).kind
        passing = kind not in (FailureKind.FILTER, FailureKind.DEADLINE, FailureKind.OTHER)
        return FailureKind.CUT if self.tally.content and passing else kind

    def _after(self, error: MmaiError, kind: FailureKind, failed: Route, *, first_try: bool) -> Again | Elsewhere | GiveUp:
        limited = self._limited
        self._limited += kind is FailureKind.RATE_LIMITED
        return after(
            kind,
            failed=failed,
            reserve=self._reserve,
            wait_s=self._advise(error).wait_s,
            first_try=first_try and not (self._traffic.is_closed(failed) and self._is_helped()),
            remaining_s=self._remaining_s,
            budget=self._traffic.budget,
            limited=limited if self._patient else None,
        )

    def _cut(self, error: MmaiError) -> IncompleteAnswer:
        if isinstance(error, IncompleteAnswer):
            return error
        return IncompleteAnswer(f"the answer was cut: {error.message}", reason="cut", hint=error.hint)
