"""Which models leave memory so that another one fits. Pure.

Least value leaves first: how much a model was used lately, times how long it takes to load again, over the memory it holds (the
value of GreedyDual-Size-Frequency, Cherkasova 1998, with uses that fade in place of its clock).
"""

import math
from collections.abc import Sequence

from msgspec import Struct

HALF_LIFE_S = 1800.0
"""In which time a use counts for half."""

REST_S = 30.0
"""A model that was loaded or used so lately stays, unless another is asked for by name: else two would take turns loading."""

LOAD_BYTES_PER_S = 1e9
"""How fast weights come from a disk, where nobody saw this model load."""


class Held(Struct, frozen=True, kw_only=True):
    """A model in memory."""

    ref: str
    size_bytes: int
    used_at: tuple[float, ...] = ()
    """When it was called, in Unix seconds."""
    loaded_at: float | None = None
    """When it was seen to be loaded."""
    load_s: float | None = None
    """How long loading it takes; None was never seen."""
    busy: bool = False
    """A call is under way."""
    pinned: bool = False
    """It is to stay for good."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What has to leave."""

    fits: bool
    """After that, there is room."""
    leave: tuple[Held, ...] = ()
    short_bytes: int = 0
    """How much is lacking where it does not fit, whatever may leave."""


def value(held: Held, *, now: float) -> float:
    """Seconds of loading that keeping it saves, for each GB: more is better kept."""
    uses = sum(math.exp2(-max(0.0, now - moment) / HALF_LIFE_S) for moment in held.used_at)
    load_s = held.size_bytes / LOAD_BYTES_PER_S if held.load_s is None else held.load_s
    return uses * load_s / max(1, held.size_bytes) * 1e9


def room_for(need_bytes: int, held: Sequence[Held], *, budget_bytes: int, now: float, by_name: bool) -> Verdict:
    """What leaves so that `need_bytes` more stay within the budget: nothing where they do already, or never would.

    Busy and pinned models stay whatever happens, and where the newcomer was not asked for `by_name`, fresh ones too.
    """
    short = sum(one.size_bytes for one in held) + need_bytes - budget_bytes
    if short <= 0:
        return Verdict(fits=True)
    free = sorted((one for one in held if _may_leave(one, now, by_name=by_name)), key=lambda one: value(one, now=now))
    if (lacking := short - sum(one.size_bytes for one in free)) > 0:
        return Verdict(fits=False, short_bytes=lacking)
    leave: list[Held] = []
    for one in free:
        if short <= sum(each.size_bytes for each in leave):
            break
        leave.append(one)
    return Verdict(fits=True, leave=tuple(_spared(leave, short)))


def _spared(leave: list[Held], short: int) -> list[Held]:
    """Without those, the most valuable first, that need not leave since the others make room enough."""
    for one in reversed(list(leave)):
        others = [each for each in leave if each is not one]
        if sum(each.size_bytes for each in others) >= short:
            leave = others
    return leave


def _may_leave(held: Held, now: float, *, by_name: bool) -> bool:
    latest = max((*held.used_at, held.loaded_at or -math.inf))
    return not (held.busy or held.pinned or (now - latest < REST_S and not by_name))
