"""What follows a failed call: the same endpoint once more, another one, or the end. Adapters advise; this decides."""

import random
from collections.abc import Sequence

from msgspec import Struct

from mmai.backends.base import RetryAdvice
from mmai.engine.session import Route
from mmai.errors import CannotConnect, MmaiError, TimedOut

BACKOFF_S = (0.1, 0.3)
"""Range the wait before a second try is drawn from, so that many callers do not come back at once."""

MAX_WAIT_S = 60.0
"""A provider that asks for a longer pause gets its error shown instead."""


class Again(Struct, frozen=True):
    """Call the same endpoint once more, after `wait_s` seconds."""

    wait_s: float


class Elsewhere(Struct, frozen=True):
    """Call the first of `routes`; the others stay in reserve."""

    routes: tuple[Route, ...]


class GiveUp(Struct, frozen=True):
    """Nothing else will do."""


def after(
    error: MmaiError, advice: RetryAdvice, *, failed: Route, reserve: Sequence[Route], first_try: bool, remaining_s: float
) -> Again | Elsewhere | GiveUp:
    """The next step after `failed` raised `error` before any of its answer was shown.

    `remaining_s` is what the deadline leaves. Somebody else who can answer now is better than waiting for the same one.
    """
    alternatives = tuple(route for route in reserve if _may_help(route, error, advice, failed)) if advice.elsewhere else ()
    wait_s = advice.wait_s if advice.wait_s is not None else random.uniform(*BACKOFF_S)  # noqa: S311 - spreads load, hides nothing
    better_elsewhere = bool(alternatives) and (advice.wait_s is not None or isinstance(error, CannotConnect))
    if advice.again and first_try and wait_s < min(remaining_s, MAX_WAIT_S) and not better_elsewhere:
        return Again(wait_s)
    return Elsewhere(alternatives) if alternatives else GiveUp()


def _may_help(route: Route, error: MmaiError, advice: RetryAdvice, failed: Route) -> bool:
    same_host = route.endpoint.url is not None and route.endpoint.url == failed.endpoint.url
    if same_host and isinstance(error, CannotConnect | TimedOut):
        return False
    if advice.wider_only:
        return (route.card.context_tokens or 0) > (failed.card.context_tokens or 0)
    return True
