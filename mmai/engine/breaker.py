"""Who is not called for a while, since the last calls there failed. Pure; moments are Unix seconds, as processes share them."""

from collections.abc import Callable

from msgspec.structs import replace

from mmai.values.traffic import FailureKind, Place

WEIGHTS = {
    FailureKind.CONNECT: 1.0,
    FailureKind.SILENT: 2.0,
    FailureKind.SERVER: 1.0,
    FailureKind.NO_ANSWER: 1.0,
    FailureKind.CUT: 1.0,
}
"""How much of a failure each kind is; one that has cost a whole wait counts twice. Others say nothing of a place, or open at once."""

AT_ONCE_S = {
    FailureKind.RATE_LIMITED: 1.0,
    FailureKind.QUOTA: 120.0,
    FailureKind.AUTH: 120.0,
    FailureKind.MODEL_GONE: 120.0,
}
"""Kinds that open at the first time, and for how long, where the provider does not say."""

WINDOW_S, CROWD = 30.0, 10
"""Calls within this time make a crowd; among fewer, as from a script, two failures in a row are enough to open."""
FEW_IN_A_ROW, CROWD_IN_A_ROW, CROWD_SHARE = 2.0, 5.0, 0.5

FIRST_S, LONGEST_S, SPREAD = 5.0, 120.0, 0.2
"""The first pause, doubled each time it was in vain up to the longest, give or take a fifth."""

ENOUGH = 10
"""Doublings after which it is the longest for sure, however many days a server is down."""

PROBE_S = 30.0
"""How long the one call that tries it out keeps others away; whoever was killed while trying keeps them away no longer."""


def allows(place: Place, now: float) -> bool:
    """Whether it may be called: its breaker is closed, or it is time to try it out."""
    return place.open_until is None or not now < place.open_until <= now + LONGEST_S * (1 + SPREAD) + PROBE_S


def succeeded(place: Place, now: float) -> Place:
    """A whole answer came."""
    closes = place.open_until is not None or place.openings > 0
    return replace(
        place,
        failures=0.0,
        recent=((now, 0.0),) if place.open_until is not None else _recent(place, now, 0.0),
        openings=0,
        open_until=None,
        reason=None,
        recovered_at=now if closes else place.recovered_at,
    )


def failed(
    place: Place,
    kind: FailureKind,
    now: float,
    *,
    reason: str,
    took_s: float = 0.0,
    wait_s: float | None = None,
    rng: Callable[[], float],
) -> Place:
    """A call ended so, `took_s` after it began; `wait_s` is what the provider asked for, and `rng` draws from 0 to 1."""
    if kind in AT_ONCE_S:
        pause_s = AT_ONCE_S[kind] if wait_s is None else min(wait_s, LONGEST_S)
        return _opened(place, now + pause_s, reason) if pause_s > 0 else place
    weight = WEIGHTS.get(kind, 0.0)
    if not weight or not allows(place, now):
        return place  # Calls that were under way when it opened say nothing new.
    counted = replace(place, failures=place.failures + weight, recent=_recent(place, now, weight))
    if not _trips(counted):
        return counted
    pause_s = max(FIRST_S * 2.0 ** min(place.openings, ENOUGH), took_s, wait_s or 0.0)
    pause_s = min(pause_s, LONGEST_S) * (1 - SPREAD + 2 * SPREAD * rng())
    return _opened(replace(counted, openings=place.openings + 1), now + pause_s, reason)


def joined(ours: Place, theirs: Place, now: float) -> Place:
    """What one process has to tell of a place, with the pause another one told of meanwhile: the later of the two counts."""
    if allows(theirs, now) or (theirs.open_until or 0.0) <= (ours.open_until or 0.0):
        return ours
    return replace(ours, open_until=theirs.open_until, openings=max(ours.openings, theirs.openings), reason=theirs.reason)


def _trips(place: Place) -> bool:
    if place.openings:
        return True  # It was being tried out.
    if len(place.recent) < CROWD:
        return place.failures >= FEW_IN_A_ROW
    bad = sum(1 for _, weight in place.recent if weight)
    return place.failures >= CROWD_IN_A_ROW or bad > CROWD_SHARE * len(place.recent)


def _opened(place: Place, until: float, reason: str) -> Place:
    return replace(place, open_until=max(until, place.open_until or 0.0), reason=reason)


def _recent(place: Place, now: float, weight: float) -> tuple[tuple[float, float], ...]:
    """The latest ends within the window, this one included."""
    latest = [end for end in place.recent[-(2 * CROWD - 1) :] if now - WINDOW_S < end[0] <= now]
    return (*latest, (now, weight))
