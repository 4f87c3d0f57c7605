"""What came of an answer: ratings, verdicts, validations and failures, and how they add up by model and task."""

from typing import Literal

from msgspec import Struct

from mmai.values.task import TaskType

Signal = Literal["rating", "bench", "abtest", "validation", "schema", "empty", "rerun"]
"""Who says so: a person, a benchmark, an A/B verdict, a validation before a swap; or the run itself: the answer broke or kept
its schema, was empty, or the same prompt went to another model at once."""


class Outcome(Struct, frozen=True, kw_only=True):
    """One piece of evidence on how well a model does a kind of task."""

    model: str
    """`provider:name`."""
    task: TaskType
    value: float
    """0 (worthless) to 1 (nothing missing)."""
    weight: float
    """In ratings: 1 is what one person's rating of one answer counts for."""
    signal: Signal
    at: float
    """Unix seconds."""


class Tally(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The outcomes of one model at one kind of task, the older fading."""

    weight: float
    """Sum of the weights, as faded at `updated_at`."""
    good: float
    """Sum of weight x value, faded alike; `good / weight` is the mean outcome."""
    updated_at: float
    """Unix seconds of the latest outcome."""
    counts: dict[str, int] = {}
    """Signal to how often it came, without fading."""


class Observed(Struct, frozen=True, kw_only=True):
    """A tally as it counts at the moment of a choice."""

    weight: float
    mean: float
