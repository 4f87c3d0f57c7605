"""What many runs may cost together: a row is begun only where what is spent, what is under way and what it should cost fit."""

from collections.abc import Sequence

from mmai.errors import BudgetExceeded
from mmai.selection.analyze import analyze
from mmai.selection.expectations import cost_usd
from mmai.values.budget import Spending
from mmai.values.cost import dollars
from mmai.values.model import ModelCard
from mmai.values.request import Request


class Purse:
    """US dollars that may be spent; without a limit nothing is worked out."""

    def __init__(self, max_usd: float | None, spending: Sequence[Spending]) -> None:
        """`max_usd` is for all rows of this time, `spending` what the budget leaves at its beginning."""
        limits = [(max(0.0, each.left_usd), f"what is left of the {each.period} budget") for each in spending]
        limits += [(max_usd, "`--max-cost`")] if max_usd is not None else []
        self._left_usd: float | None = None
        self._whose = ""
        if limits:
            self._left_usd, self._whose = min(limits)
        self._strict = max_usd is not None
        self._under_way: dict[int, tuple[float, float]] = {}
        """Of rows that were begun, what was foreseen of their like, and what is expected after all that was learned."""
        self._spent_usd = self._foreseen_usd = 0.0

    @property
    def is_open(self) -> bool:
        """There is no limit."""
        return self._left_usd is None

    def reserve(self, index: int, card: ModelCard, request: Request) -> BudgetExceeded | None:
        """Count row `index` in; or the error that says why it cannot be begun any more."""
        if self._left_usd is None:
            return None
        foreseen = cost_usd(card, analyze(request, task=request.task))
        if foreseen is None:
            if not self._strict:
                return None
            return BudgetExceeded(f"row {index} was not sent: what `{card.ref}` costs is not known", hint="mmai run --dry-run")
        expected = foreseen * self._lack
        if expected and self._spent_usd + sum(each for _, each in self._under_way.values()) + expected > self._left_usd:
            spent = f"{dollars(self._spent_usd)} is spent"
            return BudgetExceeded(
                f"stopped before row {index}: {spent}, and one more would go over {self._whose}, {dollars(self._left_usd)}"
            )
        self._under_way[index] = foreseen, expected
        return None

    def settle(self, index: int, cost: float | None) -> None:
        """A row is over; where nobody knows what it cost, it counts as much as was expected."""
        foreseen, expected = self._under_way.pop(index, (0.0, 0.0))
        self._foreseen_usd += foreseen
        self._spent_usd += expected if cost is None else cost

    @property
    def _lack(self) -> float:
        """How many times as much the rows have cost as was foreseen, where that was too little."""
        return max(1.0, self._spent_usd / self._foreseen_usd) if self._foreseen_usd else 1.0
