"""What a budget allows, and what of it is spent."""

from typing import Literal

from msgspec import Struct

Period = Literal["daily", "monthly"]
"""By the local calendar."""


class Spending(Struct, frozen=True, kw_only=True):
    """One limit of the budget."""

    period: Period
    limit_usd: float
    spent_usd: float
    """Since the local day or month began, as far as it is in the history."""

    @property
    def left_usd(self) -> float:
        """What the next call may cost; never below 0."""
        return max(self.limit_usd - self.spent_usd, 0.0)
