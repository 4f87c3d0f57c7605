"""The budget: what its limits leave, counted from the history, and what a user is told before a call."""

import time
from collections.abc import Callable, Iterator

from mmai.clock import Clock
from mmai.selection.analyze import analyze
from mmai.selection.expectations import cost_usd
from mmai.values.budget import Period, Spending
from mmai.values.cost import dollars
from mmai.values.model import ModelCard
from mmai.values.request import Request


class Budget:
    """Limits by the local calendar. Refusing a call is the chooser's, by the same rule for named models and chosen ones."""

    def __init__(
        self, limits: dict[Period, float], *, warn_at: float, spent: Callable[[float], float | None], clock: Clock
    ) -> None:
        """`limits` in US dollars; `spent` adds up what was spent since a moment (unix seconds), None where nobody can tell."""
        self._limits = limits
        self._warn_at = warn_at
        self._spent = spent
        self._clock = clock

    def spending(self) -> tuple[Spending, ...]:
        """Each limit with what is spent of it, now. One that cannot be held, since the history cannot be read, is left out."""
        found = ((period, limit, self._spent(began(period, self._clock.now()))) for period, limit in self._limits.items())
        return tuple(
            Spending(period=period, limit_usd=limit, spent_usd=spent) for period, limit, spent in found if spent is not None
        )

    def warnings(self, card: ModelCard, request: Request) -> Iterator[str]:
        """What to say before a call of this model: that a limit is near, or that it cannot be held. Free models need no words."""
        expected = cost_usd(card, analyze(request, task=request.task))
        if expected == 0:
            return
        spending = self.spending()
        if expected is None and spending:
            yield f"the budget cannot see what `{card.ref}` costs: its price for this is not known"
        for each in spending:
            if each.spent_usd >= self._warn_at * each.limit_usd:
                yield f"{dollars(each.spent_usd)} of the {each.period} budget of {dollars(each.limit_usd)} is spent"


def began(period: Period, now: float) -> float:
    """Unix seconds of the local midnight that began this day or month."""
    year, month, day, *_ = time.localtime(now)
    return time.mktime((year, month, day if period == "daily" else 1, 0, 0, 0, 0, 0, -1))
