"""What follows a failed call: the same place once more, another one, or the end. Adapters classify; this decides."""

import math
import random
from collections.abc import Sequence

from msgspec import Struct

from mmai.engine.session import Route
from mmai.values.traffic import FailureKind

BACKOFF_S = (0.05, 0.15)
"""Range the wait before a second try is drawn from, so that many callers do not come back at once."""

UNTOLD_S = (0.5, 1.0)
"""The same after a rate limit that does not say how long it lasts."""

GROWING_S, LONGEST_S = 0.1, 30.0
"""Least wait of a request that is asked again as long as there is time: doubled each time, up to the longest."""

MAX_WAIT_S = 60.0
"""A provider that asks for a longer pause gets its error shown instead."""

MAX_PATIENCE_S = 120.0
"""Of such a request: after so long it asks again, whatever the provider said."""

ENOUGH = 10
"""Doublings after which a wait is the longest for sure."""


class Rule(Struct, frozen=True):
    """What a kind of failure allows before anything of an answer has come."""

    again: bool = False
    """The same place may be called a second time."""
    elsewhere: bool = True
    """Another model or place may take the request instead."""


RULES: dict[FailureKind, Rule] = {
    FailureKind.CONNECT: Rule(again=True),
    FailureKind.SILENT: Rule(),
    FailureKind.RATE_LIMITED: Rule(again=True),
    FailureKind.QUOTA: Rule(),
    FailureKind.SERVER: Rule(again=True),
    FailureKind.NO_ANSWER: Rule(),
    FailureKind.AUTH: Rule(),
    FailureKind.MODEL_GONE: Rule(),
    FailureKind.INVALID: Rule(elsewhere=False),
    FailureKind.CONTEXT: Rule(),
    FailureKind.FILTER: Rule(elsewhere=False),
    FailureKind.CUT: Rule(),
    FailureKind.DEADLINE: Rule(elsewhere=False),
    FailureKind.OTHER: Rule(elsewhere=False),
}


class Again(Struct, frozen=True):
    """Call the same place once more, after `wait_s` seconds."""

    wait_s: float


class Elsewhere(Struct, frozen=True):
    """Call one of `routes`."""

    routes: tuple[Route, ...]


class GiveUp(Struct, frozen=True):
    """Nothing else will do."""


class RetryBudget:
    """Second calls of one process: a tenth of its requests, and three at least, so that a crowd does not double its load on a
    server that is down. Waiting as long as a provider asked to is no second call. What is long over counts less and less: a
    thousand answers are no credit for a hundred second calls in one second.
    """

    SHARE, LEAST, WINDOW = 0.1, 3, 100

    def __init__(self) -> None:
        self._requests = self._retries = 0.0

    def request(self) -> None:
        """A request begins."""
        if self._requests >= self.WINDOW:
            self._requests, self._retries = self._requests / 2, self._retries / 2
        self._requests += 1

    def take(self) -> bool:
        """Whether one more second call is within it; then it counts."""
        if self._retries >= max(self.LEAST, self.SHARE * self._requests):
            return False
        self._retries += 1
        return True


def after(
    kind: FailureKind,
    *,
    failed: Route,
    reserve: Sequence[Route],
    wait_s: float | None,
    first_try: bool,
    remaining_s: float,
    budget: RetryBudget,
    limited: int | None = None,
) -> Again | Elsewhere | GiveUp:
    """The next step after `failed` ended so before any of its answer was shown.

    `limited` is how often a request was told to come back later that may do so as long as there is time; None for all others.
    `wait_s` is the provider's own wish, `remaining_s` what the deadline leaves. Somebody else who can answer now is better than
    waiting as long as a provider asks.
    """
    rule = RULES[kind]
    others = tuple(route for route in reserve if _may_help(route, kind, failed)) if rule.elsewhere else ()
    if rule.again and first_try and not (others and (wait_s is not None or kind is FailureKind.RATE_LIMITED)):
        growing_s = None if limited is None or kind is not FailureKind.RATE_LIMITED else _growing_s(limited)
        pause_s = max(_pause_s(kind, wait_s), growing_s or 0.0)
        if limited is not None:
            pause_s = min(pause_s, MAX_PATIENCE_S)
        free = wait_s is not None or growing_s is not None
        if pause_s < min(remaining_s, MAX_WAIT_S if limited is None else math.inf) and (free or budget.take()):
            return Again(pause_s)
    return Elsewhere(others) if others else GiveUp()


def _pause_s(kind: FailureKind, wait_s: float | None) -> float:
    if wait_s is not None:
        return wait_s
    return random.uniform(*(UNTOLD_S if kind is FailureKind.RATE_LIMITED else BACKOFF_S))  # noqa: S311 - spreads load


def _growing_s(times: int) -> float:
    return min(LONGEST_S, GROWING_S * 2.0 ** min(times, ENOUGH)) * random.uniform(0.5, 1)  # noqa: S311 - spreads load


def _may_help(route: Route, kind: FailureKind, failed: Route) -> bool:
    there, here = route.endpoint, failed.endpoint
    same_host = there.url is not None and there.url == here.url
    if kind in (FailureKind.CONNECT, FailureKind.SILENT):
        return not same_host
    if kind is FailureKind.AUTH:
        return not (same_host and there.credential == here.credential and there.provider == here.provider)
    if kind is FailureKind.CONTEXT:
        return (route.card.context_tokens or 0) > (failed.card.context_tokens or 0)
    return True
