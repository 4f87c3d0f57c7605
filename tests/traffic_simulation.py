"""Calls that arrive at several places by chance, on a clock of their own: what a balancer makes of it, and how it might be."""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

from mmai.engine import breaker
from mmai.engine.balance import Instance, pick
from mmai.values.traffic import FailureKind, Place, Strategy

DEADLINE_S = 3.0
"""An answer that takes longer is of no use to anybody."""


@dataclass
class Server:
    """Works on `width` calls at a time for `service_s` each, give or take; the others wait. Down from `down_at` to `up_at`."""

    service_s: float = 0.2
    width: int = 4
    down_at: float = float("inf")
    up_at: float = float("inf")
    working: int = 0
    line: deque[int] = field(default_factory=deque)

    def is_down(self, now: float) -> bool:
        return self.down_at <= now < self.up_at


@dataclass
class Outcome:
    """What came of a simulation."""

    arrived: int = 0
    in_time: int = 0
    failed: int = 0
    sent: list[list[float]] = field(default_factory=list)
    """For each server, when it was called."""

    @property
    def goodput(self) -> float:
        """Share of the calls that were answered in time."""
        return self.in_time / self.arrived

    def burst(self, window_s: float = 0.1) -> int:
        """Most calls that any one server got within so long."""
        worst = 0
        for moments in self.sent:
            first = 0
            for last, moment in enumerate(moments):
                while moment - moments[first] > window_s:
                    first += 1
                worst = max(worst, last - first + 1)
        return worst

    def shares(self) -> list[float]:
        """Of the calls, by server."""
        return [len(moments) / max(1, sum(map(len, self.sent))) for moments in self.sent]


class Simulation:
    """Poisson arrivals at `rate` a second, spread by one balancer, or by several that learn of each other's calls now and then."""

    def __init__(
        self,
        servers: list[Server],
        *,
        strategy: Strategy,
        rate: float,
        processes: int = 1,
        told_every_s: float = 0.1,
        with_breaker: bool = True,
        seed: int = 1,
    ) -> None:
        self._servers, self._strategy, self._rate = servers, strategy, rate
        self._rng = random.Random(seed)
        self._told_every_s, self._with_breaker = told_every_s, with_breaker
        self._views = [[Instance(str(number)) for number in range(len(servers))] for _ in range(processes)]
        self._places = [Place(key=str(number)) for number in range(len(servers))]
        self._told_at = 0.0
        self._turn = -1
        self._events: list[tuple[float, int, str, int]] = []
        self._calls: dict[int, tuple[int, int, float, int]] = {}
        self._first: dict[int, float] = {}
        self._count = 0
        self.outcome = Outcome(sent=[[] for _ in servers])

    def run(self, seconds: float) -> Outcome:
        """Everything that arrives within so long, to its end."""
        self._at(self._rng.expovariate(self._rate), "arrival", -1)
        while self._events:
            now, _, kind, call = heapq.heappop(self._events)
            if kind == "arrival":
                self._arrive(now)
                following = now + self._rng.expovariate(self._rate)
                if following < seconds:
                    self._at(following, "arrival", -1)
            elif kind == "failure":
                self._fail(call, now)
            else:
                self._answer(call, now)
        return self.outcome

    def _at(self, moment: float, kind: str, call: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, kind, call))

    def _arrive(self, now: float) -> None:
        self.outcome.arrived += 1
        self._send(self.outcome.arrived, self._rng.randrange(len(self._views)), now, now, tries=0)

    def _send(self, call: int, view: int, now: float, began: float, *, tries: int) -> None:
        if now - self._told_at >= self._told_every_s:
            self._tell(now)
        instances = self._views[view]
        usable = [
            number for number in range(len(instances)) if not self._with_breaker or breaker.allows(self._places[number], now)
        ]
        usable = usable or list(range(len(instances)))
        chosen = usable[
            pick(
                [instances[number] for number in usable],
                strategy=self._strategy,
                now=now,
                rng=self._rng,
                turn=self._next_turn,
            )
        ]
        instances[chosen].in_flight += 1
        self._calls[call] = (view, chosen, began, tries)
        self.outcome.sent[chosen].append(now)
        server = self._servers[chosen]
        if server.is_down(now):
            self._at(now + 0.005, "failure", call)
        elif server.working < server.width:
            self._work(call, now, now)
        else:
            server.line.append(call)
            self._first[call] = now

    def _work(self, call: int, sent: float, now: float) -> None:
        server = self._servers[self._calls[call][1]]
        server.working += 1
        self._first[call] = (now - sent + server.service_s * 0.2) * 1000
        self._at(now + server.service_s * self._rng.uniform(0.7, 1.3), "answer", call)

    def _answer(self, call: int, now: float) -> None:
        view, chosen, began, _ = self._calls.pop(call)
        server, instance = self._servers[chosen], self._views[view][chosen]
        server.working -= 1
        instance.in_flight -= 1
        instance.observe(self._first.pop(call), now)
        before = self._places[chosen]
        self._places[chosen] = breaker.succeeded(before, now)
        if before.open_until is not None:
            for instances in self._views:
                instances[chosen].recovered_at = now
        self.outcome.in_time += now - began <= DEADLINE_S
        if server.line:
            waiting = server.line.popleft()
            self._work(waiting, self._first[waiting], now)

    def _fail(self, call: int, now: float) -> None:
        view, chosen, began, tries = self._calls.pop(call)
        instance = self._views[view][chosen]
        instance.in_flight -= 1
        instance.failed(now)
        self._places[chosen] = breaker.failed(self._places[chosen], FailureKind.SERVER, now, reason="", rng=self._rng.random)
        if tries < 2:
            self._send(call, view, now, began, tries=tries + 1)
        else:
            self.outcome.failed += 1

    def _tell(self, now: float) -> None:
        self._told_at = now
        for number in range(len(self._servers)):
            total = sum(view[number].in_flight for view in self._views)
            for view in self._views:
                view[number].elsewhere = total - view[number].in_flight

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn
