"""How many calls at a time are wise for an endpoint, found out while calling it. Pure but for the waiting; moments are handed in.

A limit grows while it is used and answers come as quickly as without company, and shrinks as soon as they wait for each other:
what a call takes to its first token over what it takes alone says how many were in line (the gradient of Vegas and of Netflix's
concurrency limits, "Performance Under Load", 2018). A server that says it is overloaded halves it, once for all the calls that
were under way.
"""

import asyncio
import math
from collections import deque
from types import TracebackType

from mmai.values.endpoint import Endpoint

LOCAL_KINDS = frozenset(("ollama", "llamacpp", "lmstudio", "coreml", "builtin"))
"""Servers of one machine: without being told otherwise they do one thing after another."""

FIRST_LOCAL, FIRST_SERVICE = 1, 8
"""Calls at a time to begin with. One alone tells what a call takes that waits for no other."""

TOLERANCE = 2.0
"""How much slower than alone answers may begin before they count as waiting for each other."""

ROUND = 8
"""Least answers of one look, whose median counts: single ones differ for many reasons."""

FALL, RISE = 0.3, 0.002
"""How much of the way the latency of a call alone goes to that of a look which was quicker, or slower."""

BACKOFF, EASE = 0.5, 0.9
"""What is left of a limit where a server says it is overloaded, and where calls begin to wait for each other."""


class Limit:
    """Calls at a time at one endpoint."""

    def __init__(self, *, most: int, first: int, least: int = 1) -> None:
        self._most, self._least = most, least
        self._value = float(min(first, most))
        self._alone_ms = 0.0
        """What a call takes that waits for no other: follows looks that were quicker, and slower ones slowly."""
        self._looks = 0
        self._found = False
        """Whether it was ever too high: until then it grows by half."""
        self._shrunk_at = -math.inf
        self._seen: list[float] = []
        self._was_full = False
        self.under_way = 0
        """Calls that have a place now."""

    @property
    def current(self) -> int:
        """What it is now, within the bounds it was given."""
        return max(self._least, min(self._most, int(self._value)))

    def ended(self, latency_ms: float | None, *, overloaded: bool, began: float, now: float) -> None:
        """A call that began then is over now, and not counted out yet: how long it took to its first token, None where that says
        nothing, or whether the server had too much to do.
        """
        self._was_full |= self.under_way >= self.current
        if overloaded:
            if began > self._shrunk_at:  # once for all calls that were under way
                self._value, self._shrunk_at = max(self._least, self._value * BACKOFF), now
                self._found = True
                self._seen.clear()
        elif latency_ms is not None and latency_ms > 0:
            self._seen.append(latency_ms)
            if len(self._seen) >= max(ROUND, self.current):
                self._look()

    def _look(self) -> None:
        median_ms = sorted(self._seen)[len(self._seen) // 2]
        below = median_ms < self._alone_ms
        self._alone_ms += (FALL if below else RISE) * (median_ms - self._alone_ms) if self._looks else median_ms
        self._looks += 1
        if median_ms > TOLERANCE * self._alone_ms:
            self._value *= max(EASE, TOLERANCE * self._alone_ms / median_ms)
            self._found = True
        elif self._was_full:  # Otherwise it is not the limit that holds anybody back.
            self._value += 1.0 if self._found else max(1.0, self._value / 2)
        self._value = min(self._most, max(self._least, self._value))
        self._seen, self._was_full = [], False


class Gate:
    """A limit to wait at: whoever came first goes first. `async with gate:` holds one place."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if not self._waiting and self.limit.under_way < self.limit.current:
            self.limit.under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)  # Nobody is to wait behind somebody who left.
            else:
                self._leave()  # It had just been let in.
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self.limit.under_way -= 1
        while self._waiting and self.limit.under_way < self.limit.current:
            turn = self._waiting.popleft()
            if not turn.done():
                self.limit.under_way += 1
                turn.set_result(None)


class Limits:
    """A gate for each endpoint and key."""

    def __init__(self, count: int | None, *, most: int) -> None:
        """`count` calls at a time, whatever comes of it; None finds out how many are wise, up to `most` or what the settings say of
        an endpoint.
        """
        self._count = count
        self._most = most
        self._gates: dict[tuple[str, str | None, int], Gate] = {}

    def of(self, endpoint: Endpoint, *, known: int | None = None) -> Gate:
        """The gate of an endpoint; it begins with half of what was found before, where that is `known`: from the whole, calls that wait
        for each other would be taken for calls alone, and each command would find more than the one before.
        """
        key = (endpoint.provider, endpoint.url, endpoint.credential)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = Gate(self._limit(endpoint, known))
        return gate

    def ended(self, endpoint: Endpoint, latency_ms: float | None, *, overloaded: bool, took_s: float, now: float) -> None:
        """See `Limit.ended`."""
        self.of(endpoint).limit.ended(latency_ms, overloaded=overloaded, began=now - took_s, now=now)

    def found(self, endpoint: Endpoint) -> int | None:
        """How many were found to be wise; None where that was not asked."""
        return None if self._count else self.of(endpoint).limit.current

    def _limit(self, endpoint: Endpoint, known: int | None) -> Limit:
        if self._count:
            return Limit(most=self._count, first=self._count, least=self._count)
        usual = FIRST_LOCAL if endpoint.kind in LOCAL_KINDS else FIRST_SERVICE
        return Limit(most=endpoint.max_parallel or self._most, first=max(1, known // 2) if known else usual)
