"""Which model takes a prompt, and why."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from mmai.values.model import ModelCard
from mmai.values.task import TaskAnalysis


class Weights(Struct, frozen=True, kw_only=True):
    """What the four scores count for. They are normalised to sum to 1 where they are used."""

    performance: float = 0.4
    cost: float = 0.3
    reliability: float = 0.2
    capability: float = 0.1


class PolicyName(StrEnum):
    """Weights that have a name, and with `local` and `private` a limit on where models may run."""

    BALANCED = "balanced"
    QUALITY = "quality"
    FAST = "fast"
    CHEAP = "cheap"
    LOCAL = "local"
    PRIVATE = "private"


Basis = Literal["published", "family", "size", "tier", "unknown"]
"""What a model's quality is expected from: its own published scores, its family's, its number of parameters, what its name says
of its place in a product line, or nothing."""


class Prior(Struct, frozen=True, kw_only=True):
    """How good a model is expected to be before anything was seen of it here."""

    by_task: dict[str, float]
    """Task type to expected quality, 0 to 1, for a prompt of middling complexity."""
    strength: float
    """How many ratings it weighs as much as."""
    basis: Basis
    source: str
    """Where it comes from, in words: `WildBench v2`, `as qwen3 models of 8 billion parameters`."""


class Quality(Struct, frozen=True, kw_only=True):
    """How good an answer a model is expected to give: 0 (worthless) to 1 (nothing missing)."""

    mean: float
    low: float
    """`low` to `high` is the 90 % credible interval."""
    high: float
    prior: float
    """The mean before anything was seen here."""
    observations: float
    """Weight, in ratings, of what was seen here, faded with age."""
    basis: Basis
    source: str


class Counterfactual(Struct, frozen=True, kw_only=True):
    """What would have changed a choice."""

    change: str
    """What to type: `--max-cost 0.001`, `--policy quality`."""
    model: str
    """`provider:name` of who would take the prompt then."""


class WhyNot(Struct, frozen=True, kw_only=True):
    """Why a model is not the choice."""

    model: str
    """`provider:name`."""
    rank: int | None = None
    """Its place in the ranking, from 1; None where it may not take the prompt."""
    score: float | None = None
    differences: dict[str, float] = {}
    """Term to what it adds to the score more than the choice's does, so negative where the model is worse."""
    excluded: str | None = None
    """Why it may not take the prompt."""
    changes: tuple[str, ...] = ()
    """What to type for it to be chosen; empty where nothing that was tried does."""
    sentence: str
    """All of it in words."""


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
    expected_quality: float | None = None
    """Of the answer, 0 to 1."""
    quality: Quality | None = None
    """The same with what it rests on; None unless the decision is explained."""


class Decision(Struct, frozen=True, kw_only=True):
    """The ranking of one prompt."""

    analysis: TaskAnalysis
    weights: Weights
    ranked: tuple[Candidate, ...]
    """Eligible ones, best first."""
    excluded: tuple[Candidate, ...] = ()
    policy: str | None = None
    """The name of the policy whose weights these are; None where they are the settings' own or a flag's."""
    explored: bool = False
    """The first of the ranking was drawn to learn about it, and does not score highest."""
    why: str | None = None
    """Two sentences: why the choice won, and what would change it; None unless explained."""
    counterfactuals: tuple[Counterfactual, ...] = ()
    """Nearest changes that pick another model; empty unless explained."""
    why_not: WhyNot | None = None
    """Of the model that was asked about, if one was."""

    @property
    def choice(self) -> Candidate | None:
        """The best eligible candidate, or None."""
        return self.ranked[0] if self.ranked else None
