"""Which of several places that offer one model gets the next call. Pure: the clock and the dice are handed in."""

from collections.abc import Callable, Sequence
from typing import Protocol

from mmai.values.traffic import Strategy


class Rng(Protocol):
    """As `random.Random`."""

    def random(self) -> float:
        """From 0 to below 1."""


class Instance:
    """One place, as a balancer sees it. It changes with every call; moments are seconds of one monotonic clock."""

    __slots__ = ("cost_usd", "elsewhere", "in_flight", "key", "latency_at", "latency_ms", "recovered_at", "region")

    def __init__(self, key: str, *, region: str | None = None, cost_usd: float | None = None) -> None:
        self.key = key
        self.in_flight = 0
        """Calls of this process that are under way there."""
        self.elsewhere = 0
        """Those of other processes, as far as that is known."""
        self.latency_ms: float | None = None
        """Peak-sensitive moving average of the time to the first token; None before the first call."""
        self.latency_at = 0.0
        self.recovered_at: float | None = None
        """When its breaker closed: its share of the calls grows back from then on."""
        self.region = region
        self.cost_usd = cost_usd
        """Expected price of one call in US dollars; None is unknown."""

    def observe(self, latency_ms: float, now: float) -> None:
        """A call went out `latency_ms` before its first token came."""
        self.latency_ms, self.latency_at = latency_ms, now


def pick(
    instances: Sequence[Instance],
    *,
    strategy: Strategy,
    now: float,
    rng: Rng,
    turn: Callable[[], int],
    region: str | None = None,
) -> int:
    """The index of the one to call; there is at least one. `turn` counts up by one at each call of it, across processes."""
    if len(instances) == 1:
        return 0
    if strategy is Strategy.ROUND_ROBIN:
        return turn() % len(instances)
    first = int(rng.random() * len(instances))
    second = (first + 1 + int(rng.random() * (len(instances) - 1))) % len(instances)
    return min(first, second, key=lambda index: instances[index].in_flight + instances[index].elsewhere)
