"""Which of several places that offer one model gets the next call. Pure: the clock and the dice are handed in.

By default the better of two drawn at random: cheap, and no crowd follows the same figures to the same place (Mitzenmacher, "The
Power of Two Choices", 2001). What is compared is the peak of the latency to the first token (as in Finagle's Peak EWMA) times the
calls under way, over how well calls have gone there lately.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from mmai.values.traffic import Strategy

TAU_S = 30.0
"""In which time a figure loses two thirds of its say: of a peak of latency, and of failures."""

SLOW_START_S = 30.0
"""In which time the share of a place that came back grows to what is its due."""

ALIKE = 1.05
"""Two that differ by less are taken for alike, and the first that was drawn is called."""

LEAST_MS = 0.1
"""Nobody is quicker: what takes no time at all would win however many calls are under way there."""

LEAST = 0.01
"""What is left of an old peak however long nobody called."""

FLOOR = 0.02
"""Share of the calls that go to a place drawn at random, whatever its figures, so that it can show that it is better now."""

NEAR = 1.5
"""Places whose latency is within this factor of the least are equally near."""

LOADED = 4
"""Calls under way at a near place from which places further away help out."""

FIT = 3.0
"""How much more than the best a place may take in latency times load, and still be good enough to be cheap."""

FEW = 8
"""Places that are weighed against each other where there are more."""

UNSEEN_MS = 250.0
"""Of a place where nobody knows any latency."""


class Rng(Protocol):
    """As `random.Random`."""

    def random(self) -> float:
        """From 0 to below 1."""


class Instance:
    """One place, as a balancer sees it. It changes with every call; moments are seconds of one monotonic clock."""

    __slots__ = (
        "_bad",
        "_bad_at",
        "cost",
        "elsewhere",
        "in_flight",
        "key",
        "latency_at",
        "latency_ms",
        "recovered_at",
        "region",
    )

    def __init__(self, key: str, *, region: str | None = None, cost: float | None = None) -> None:
        self.key = key
        self.in_flight = 0
        """Calls of this process that are under way there, or wait for a place."""
        self.elsewhere = 0
        """Those of other processes, as far as that is known."""
        self.latency_ms: float | None = None
        """Peak of the time to the first token: a slower one counts at once, quicker ones little by little. None is unknown."""
        self.latency_at = 0.0
        self.recovered_at: float | None = None
        """When its breaker closed: its share of the calls grows back from then on."""
        self.region = region
        self.cost = cost
        """Of one call, in the unit that is common to all; None is unknown."""
        self._bad = 0.0
        self._bad_at = 0.0

    def observe(self, latency_ms: float, now: float) -> None:
        """A call answered; its first token came after so long."""
        before, latency_ms = self.latency_ms, max(LEAST_MS, latency_ms)
        if before is None or latency_ms >= before:
            self.latency_ms = latency_ms
        else:
            kept = math.exp(-max(0.0, now - self.latency_at) / TAU_S)
            self.latency_ms = latency_ms + (before - latency_ms) * kept
        self.latency_at = now

    def failed(self, now: float) -> None:
        """A call failed: quick failures must not look like quick answers."""
        self._bad = self._failures(now) + 1.0
        self._bad_at = now

    def weight(self, now: float) -> float:
        """What is its due, above 0 to 1: less after failures, and at the beginning of its return."""
        weight = 1.0 / (1.0 + self._failures(now)) if self._bad else 1.0
        if self.recovered_at is not None and now - self.recovered_at < SLOW_START_S:
            weight *= max(0.05, (now - self.recovered_at) / SLOW_START_S)
        return weight

    def peak_ms(self, now: float, usual_ms: float) -> float:
        """Its latency as it counts now: an old peak fades, so that the place is tried again."""
        if self.latency_ms is None:
            return usual_ms
        idle_s = now - self.latency_at
        return self.latency_ms * (1.0 if idle_s < 1.0 else max(LEAST, math.exp(-idle_s / TAU_S)))

    @property
    def load(self) -> int:
        """Calls under way there, from here and elsewhere."""
        return self.in_flight + self.elsewhere

    def _failures(self, now: float) -> float:
        return self._bad * math.exp(-max(0.0, now - self._bad_at) / TAU_S) if self._bad else 0.0


def pick(
    instances: Sequence[Instance],
    *,
    strategy: Strategy,
    now: float,
    rng: Rng,
    turn: Callable[[], int],
    region: str | None = None,
) -> int:
    """The index of the one to call; there is at least one. `turn` counts up by one at each call of it, across processes.

    `region` is where we stand, for the strategy that goes by it.
    """
    count = len(instances)
    if count == 1:
        return 0
    match strategy:
        case Strategy.ROUND_ROBIN:
            return sorted(range(count), key=lambda index: instances[index].key)[turn() % count]
        case Strategy.LEAST_LOADED:
            return _least_loaded(instances, rng)
        case Strategy.PERFORMANCE_WEIGHTED:
            some = _some(count, rng)
            usual_ms = _usual_ms([instances[index] for index in some])
            weights = [instances[index].weight(now) / instances[index].peak_ms(now, usual_ms) for index in some]
            return some[_drawn(weights, rng)]
        case Strategy.GEOGRAPHIC:
            return _nearby(instances, region, now, rng)
        case Strategy.COST_OPTIMISED:
            return _cheap(instances, _some(count, rng), now, rng)
        case _:
            return _better_of_two(instances, range(count), now, rng)


def _better_of_two(instances: Sequence[Instance], among: Sequence[int], now: float, rng: Rng) -> int:
    count = len(among)
    first = int(rng.random() * count)
    if count == 1 or rng.random() < FLOOR:
        return among[first]
    second = int(rng.random() * (count - 1))
    one, other = instances[among[first]], instances[among[second + (second >= first)]]
    return among[first] if _is_as_good(one, other, instances, now, rng) else among[second + (second >= first)]


def _is_as_good(one: Instance, other: Instance, instances: Sequence[Instance], now: float, rng: Rng) -> bool:
    seen = one.latency_ms is not None and other.latency_ms is not None
    usual_ms = UNSEEN_MS if seen else _usual_ms([instances[index] for index in _some(len(instances), rng)])
    return _price(one, now, usual_ms) <= _price(other, now, usual_ms) * ALIKE


def _price(instance: Instance, now: float, usual_ms: float) -> float:
    return instance.peak_ms(now, usual_ms) * (instance.load + 1) / instance.weight(now)


def _least_loaded(instances: Sequence[Instance], rng: Rng) -> int:
    loads = [each.in_flight + each.elsewhere for each in instances]
    least = min(loads)
    tied = [index for index, load in enumerate(loads) if load == least]
    return tied[int(rng.random() * len(tied))]


def _nearby(instances: Sequence[Instance], region: str | None, now: float, rng: Rng) -> int:
    """Of our region, or else of those that begin to answer soonest, or of whom nobody knows that now; of the others while these
    are busy, and busier than they.
    """
    near = [index for index, each in enumerate(instances) if each.region == region] if region is not None else []
    if not near:
        peaks = [each.latency_ms or 0.0 for each in instances]
        most, old = min(filter(None, peaks), default=0.0) * NEAR, now - TAU_S
        near = [index for index, peak in enumerate(peaks) if peak <= most or instances[index].latency_at < old]
    best = _better_of_two(instances, near, now, rng)
    if instances[best].load < LOADED or len(near) == len(instances):
        return best
    there = set(near)
    far = _better_of_two(instances, [index for index in range(len(instances)) if index not in there], now, rng)
    return best if _is_as_good(instances[best], instances[far], instances, now, rng) else far


def _cheap(instances: Sequence[Instance], some: Sequence[int], now: float, rng: Rng) -> int:
    """Among those that answer about as soon as the best, mostly the cheapest: half the price is four times as likely."""
    drawn = [instances[index] for index in some]
    usual_ms, known = _usual_ms(drawn), sorted(each.cost for each in drawn if each.cost is not None)
    usual_cost = known[len(known) // 2] if known else 0.0
    prices = [_price(each, now, usual_ms) for each in drawn]
    costs = [max(1e-9, usual_cost if each.cost is None else each.cost) for each in drawn]
    fit, least = min(prices) * FIT, min(costs)
    weights = [(least / cost) ** 2 if price <= fit else 0.0 for cost, price in zip(costs, prices, strict=True)]
    return some[_drawn(weights, rng)]


def _some(count: int, rng: Rng) -> Sequence[int]:
    """All of them, or a few drawn at random where there are many: a pick is to cost the same among hundreds."""
    return range(count) if count <= FEW else [int(rng.random() * count) for _ in range(FEW)]


def _drawn(weights: Sequence[float], rng: Rng) -> int:
    """An index by its weight, none below the floor."""
    total = sum(weights)
    if rng.random() < FLOOR or not 0 < total < math.inf:
        return int(rng.random() * len(weights))
    left = rng.random() * total
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return index
    return len(weights) - 1


def _usual_ms(instances: Sequence[Instance]) -> float:
    """What is taken for the latency of a place that was never called: the median of the others."""
    known = sorted(each.latency_ms for each in instances if each.latency_ms is not None)
    return known[len(known) // 2] if known else UNSEEN_MS
