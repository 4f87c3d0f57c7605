"""How long one call may take: until its first token, in all, and within the time of the whole request."""

import asyncio
from collections.abc import AsyncIterator

from mmai.engine.session import Route
from mmai.errors import IncompleteAnswer, TimedOut
from mmai.values.event import Event, FinishedEvent

LEFT_FOR_OTHERS = 0.5
"""Share of the time that is left which a call without a word does not use up while somebody else could answer."""


class Patience:
    """The deadlines of one call that goes out now. Silence within an answer is the wire's, which sees bytes that are no words."""

    def __init__(self, route: Route, deadline: float, timeout_s: float | None, *, others: bool) -> None:
        """`deadline` is that of the request, on the loop's clock; `timeout_s` is what it was from the beginning."""
        timeouts = route.endpoint.timeouts
        now = asyncio.get_running_loop().time()
        self._ref = route.card.ref
        self._deadline = deadline
        self._timeout_s = timeout_s
        self._first_s = min(timeouts.first_token_s, (deadline - now) * LEFT_FOR_OTHERS) if others else timeouts.first_token_s
        self._first_until = now + self._first_s
        self._total_s = timeouts.total_s
        self._total_until = deadline if timeouts.total_s is None else min(deadline, now + timeouts.total_s)

    async def next(self, stream: AsyncIterator[Event], *, began: bool) -> Event | None:
        """The next event, or None at the end; `began` says whether any of the answer has come.

        Raises:
            TimedOut: with the phase `total` where the whole request is out of time.
        """
        until = self._total_until if began else min(self._total_until, self._first_until)
        try:
            async with asyncio.timeout_at(until if until < float("inf") else None):
                return await anext(stream, None)
        except TimeoutError as exc:
            raise self._timed_out(until) from exc

    def _timed_out(self, until: float) -> TimedOut:
        if until == self._deadline:
            return TimedOut(f"`{self._ref}` did not finish within {self._timeout_s:g} s", phase="total")
        if until == self._first_until:
            return TimedOut(f"`{self._ref}` gave no first token within {self._first_s:.3g} s", phase="first_token")
        return TimedOut(f"`{self._ref}` did not finish its answer within {self._total_s:g} s", phase="call")


def demand_end(end: FinishedEvent | None, route: Route) -> None:
    """Refuse an answer that did not end as it should.

    Raises:
        IncompleteAnswer: it just stopped, or a limit or filter ended it.
    """
    if end is None:
        raise IncompleteAnswer(f"`{route.card.ref}` stopped without ending its answer", reason="cut")
    if end.reason == "length":
        raise IncompleteAnswer(
            f"the answer of `{route.card.ref}` reached its token limit", reason="length", hint="mmai run --max-tokens N"
        )
    if end.reason == "filter":
        raise IncompleteAnswer(f"the content filter of `{route.card.provider}` stopped the answer", reason="filter")
