"""Which model takes a prompt, and why."""

from msgspec import Struct

from mmai.values.model import ModelCard
from mmai.values.task import TaskAnalysis


class Weights(Struct, frozen=True, kw_only=True):
    """What the four scores count for. They are normalised to sum to 1 where they are used."""

    performance: float = 0.4
    cost: float = 0.3
    reliability: float = 0.2
    capability: float = 0.1


class Terms(Struct, frozen=True, kw_only=True):
    """The four scores of one candidate, each 0 (worst) to 1 (best)."""

    performance: float
    cost: float
    reliability: float
    capability: float


class Candidate(Struct, frozen=True, kw_only=True):
    """A model that was weighed: either scored, or excluded with a reason."""

    card: ModelCard
    score: float | None = None
    """Weighted sum of `terms`, 0 to 1; None when excluded."""
    terms: Terms | None = None
    reasons: dict[str, str] = {}
    """Term to the sentence behind its value."""
    excluded: str | None = None
    """Why it may not take this prompt."""
    excluded_by: str | None = None
    """The filter that says so, by the name in `selection.candidates.FILTERS`."""
    cost_usd: float | None = None
    """Expected price of this request; None is unknown."""
    latency_ms: float | None = None
    """Expected time of this request; None is unknown."""


class Decision(Struct, frozen=True, kw_only=True):
    """The ranking of one prompt."""

    analysis: TaskAnalysis
    weights: Weights
    ranked: tuple[Candidate, ...]
    """Eligible ones, best first."""
    excluded: tuple[Candidate, ...] = ()

    @property
    def choice(self) -> Candidate | None:
        """The best eligible candidate, or None."""
        return self.ranked[0] if self.ranked else None
