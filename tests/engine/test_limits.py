"""How many calls at a time are wise, found out against simulated servers: nothing here waits for a clock."""

import asyncio
import heapq
import random
import statistics
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine.limits import Gate, Limit, Limits
from mmai.values.endpoint import Endpoint

SERVICE_MS, PREFILL_MS = 100.0, 1.0


class Simulation:
    """Calls that begin as soon as the limit lets them, at a server that works on `capacity` of them and lets the others wait."""

    def __init__(self, limit: Limit, *, capacity: int, spread: float, refuses_above: int | None = None) -> None:
        self.limit = limit
        self.trace: list[int] = []
        self.answered = 0
        self._capacity, self._spread, self._refuses_above = capacity, spread, refuses_above
        self._rng = random.Random(7)
        self._now = 0.0
        self._ends: list[tuple[float, int, bool]] = []
        self._begun: dict[int, float] = {}
        self._first_token: dict[int, float] = {}
        self._line: deque[int] = deque()
        self._working = 0

    def run(self, calls: int) -> float:
        """Answers per second."""
        number = 0
        while number < calls or self._ends:
            while number < calls and self.limit.under_way < self.limit.current:
                self._begin(number)
                number += 1
            self._end(*heapq.heappop(self._ends))
        return self.answered / self._now * 1000

    def _begin(self, call: int) -> None:
        self.limit.under_way += 1
        self._begun[call] = self._now
        if self._refuses_above is not None and self.limit.under_way > self._refuses_above:
            heapq.heappush(self._ends, (self._now + 2, call, True))
        elif self._working < self._capacity:
            self._work_on(call)
        else:
            self._line.append(call)

    def _work_on(self, call: int) -> None:
        self._working += 1
        self._first_token[call] = self._now + PREFILL_MS - self._begun[call]
        heapq.heappush(self._ends, (self._now + SERVICE_MS * self._rng.lognormvariate(0, self._spread), call, False))

    def _end(self, now: float, call: int, refused: bool) -> None:
        self._now = now
        latency = None if refused else self._first_token.pop(call)
        self.limit.ended(latency, overloaded=refused, began=self._begun.pop(call), now=now)
        self.limit.under_way -= 1
        self.trace.append(self.limit.current)
        if not refused:
            self.answered += 1
            self._working -= 1
            if self._line:
                self._work_on(self._line.popleft())

    @property
    def settled(self) -> float:
        """The limit, on average over the second half."""
        return statistics.fmean(self.trace[len(self.trace) // 2 :])


def best(capacity: int, spread: float, calls: int) -> float:
    return Simulation(Limit(most=64, first=64, least=64), capacity=capacity, spread=spread).run(calls)


@pytest.mark.parametrize("spread", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("capacity", [1, 2, 4, 8, 32])
def test_it_finds_what_the_server_does_at_a_time_and_loses_next_to_nothing(capacity: int, spread: float) -> None:
    simulation = Simulation(Limit(most=64, first=1), capacity=capacity, spread=spread)
    rate = simulation.run(6000)
    assert capacity * 0.9 <= simulation.settled <= max(capacity + 1.2, capacity * 1.6)
    assert rate >= 0.85 * best(capacity, spread, 6000)  # its beginning with one at a time included


def test_a_service_that_refuses_is_given_what_it_takes() -> None:
    simulation = Simulation(Limit(most=64, first=8), capacity=1000, spread=0.3, refuses_above=10)
    simulation.run(3000)
    assert 5 <= simulation.settled <= 10.5
    assert simulation.answered > 2800


@pytest.mark.parametrize("noise", [0.3, 0.8, 1.0])
def test_first_tokens_that_vary_for_other_reasons_hold_nobody_back(noise: float) -> None:
    rng, limit, now = random.Random(3), Limit(most=64, first=8), 0.0
    for _ in range(3000):
        limit.under_way = limit.current
        limit.ended(rng.lognormvariate(0, noise) * 400, overloaded=False, began=now, now=now)
        now += 1
    assert limit.current == 64


def test_a_server_that_becomes_slower_is_not_held_to_what_it_once_was() -> None:
    limit = Limit(most=16, first=4)
    for latency_ms in [100.0] * 400 + [180.0] * 400:
        limit.under_way = limit.current
        limit.ended(latency_ms, overloaded=False, began=0.0, now=0.0)
    assert limit.current == 16


def test_one_storm_shrinks_it_once() -> None:
    limit = Limit(most=64, first=32)
    for _ in range(20):
        limit.ended(None, overloaded=True, began=5.0, now=6.0)
    assert limit.current == 16
    limit.ended(None, overloaded=True, began=7.0, now=8.0)
    assert limit.current == 8


def test_what_is_not_used_does_not_grow() -> None:
    limit = Limit(most=64, first=8)
    for _ in range(500):
        limit.under_way = 2
        limit.ended(100.0, overloaded=False, began=0.0, now=0.0)
    assert limit.current == 8


@given(
    ends=st.lists(st.tuples(st.none() | st.floats(0, 1e6), st.booleans(), st.integers(0, 80)), max_size=300),
    most=st.integers(1, 64),
    first=st.integers(1, 64),
)
def test_it_stays_within_its_bounds(ends: list[tuple[float | None, bool, int]], most: int, first: int) -> None:
    limit = Limit(most=most, first=first)
    for number, (latency_ms, overloaded, under_way) in enumerate(ends):
        limit.under_way = under_way
        limit.ended(latency_ms, overloaded=overloaded, began=float(number), now=float(number))
        assert 1 <= limit.current <= most


def test_whoever_came_first_goes_first_and_whoever_leaves_the_line_takes_no_place() -> None:
    async def walk() -> list[int]:
        gate, order, open_up = Gate(Limit(most=1, first=1)), list[int](), asyncio.Event()

        async def go(number: int) -> None:
            async with gate:
                order.append(number)
                await open_up.wait()

        tasks = [asyncio.create_task(go(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        open_up.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert gate.limit.under_way == 0
        return order

    assert asyncio.run(walk()) == [0, 1, 3]


def test_a_place_that_is_given_to_somebody_who_leaves_goes_to_the_next() -> None:
    async def walk() -> list[str]:
        gate, went = Gate(Limit(most=1, first=1)), list[str]()

        async def go(name: str) -> None:
            async with gate:
                went.append(name)

        await gate.__aenter__()
        first, second = asyncio.create_task(go("first")), asyncio.create_task(go("second"))
        await asyncio.sleep(0)
        await gate.__aexit__(None, None, None)
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert gate.limit.under_way == 0
        return went

    assert asyncio.run(walk()) == ["second"]


def test_the_settings_and_the_user_have_the_last_word() -> None:
    ollama = Endpoint(provider="ollama", kind="ollama", url="http://a", max_parallel=3)
    openai = Endpoint(provider="openai", kind="openai", url="http://b")
    found = Limits(None, most=64)
    assert (found.of(ollama).limit.current, found.of(openai).limit.current) == (1, 8)
    assert Limits(None, most=64).of(ollama, known=40).limit.current == 3
    assert Limits(5, most=64).of(ollama).limit.current == 5
    assert found.of(ollama) is found.of(ollama)
    assert (found.found(openai), Limits(5, most=64).found(openai)) == (8, None)
