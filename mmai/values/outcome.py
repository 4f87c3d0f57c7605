"""What came of an answer: ratings, verdicts, validations and failures, and how they add up by model and task."""

from math import exp2
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
    """What was seen of one model at one kind of task, as it counts at the moment of a choice."""

    weight: float
    """In ratings, faded with age."""
    mean: float
    """Of the outcomes. Where runs were judged by their silence it may leave [0, 1]: each of them says little, and only their
    weighted sum is an estimate."""


def joined(first: Observed | None, second: Observed) -> Observed:
    """What was seen in two ways, as one."""
    if first is None:
        return second
    weight = first.weight + second.weight
    return Observed(weight=weight, mean=(first.weight * first.mean + second.weight * second.mean) / weight)


class Judged(Struct, frozen=True, kw_only=True):
    """Runs of one model at one kind of task that nobody rated: what came of each is silence or a complaint."""

    model: str
    task: str
    """A task type; `ANY_TASK` where a model was named and nobody asked for which work."""
    with_schema: bool
    """Their answers were held to a JSON schema."""
    runs: float
    """How many there were, faded with age."""
    complaints: float
    """How many of them broke their schema, answered with nothing, or had their prompt go to another model at once; faded alike."""


ANY_TASK = ""
"""In place of a task type: seen of the model, at work nobody named. It counts for the model as a whole."""

HALF_LIFE_S = 30 * 86400.0
"""After so long an outcome counts half: models, their servers and people's work change within months."""


def faded(weight: float, *, age_s: float) -> float:
    """What is left of a weight; an age below 0 (the wall clock was set back) fades nothing."""
    return weight * exp2(-max(age_s, 0.0) / HALF_LIFE_S)
