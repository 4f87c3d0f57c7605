"""Expected quality of an answer: abilities by task, weighted by what the prompt probably asks, shrunk toward what was observed.

A model's ability at a task is its prior there, plus what this model does better or worse everywhere, plus what it does better or
worse at this task. Before anything is seen both deviations are 0 on average; together they vary as a prior of its strength may be
wrong, and `SHARED` of that variance is the model's own. In units of one rating's variance:

    ability[t] = prior[t] + common + own[t],    common ~ N(0, SHARED / strength),    own[t] ~ N(0, (1 - SHARED) / strength),
    outcomes at t, of total weight w[t]:  mean[t] ~ N(ability[t], 1 / w[t])

Where one task alone was seen this is (strength x prior + weight x mean) / (strength + weight), the rule of a Beta prior, and other
tasks move by `SHARED` of what it moved. Source: Gelman et al., Bayesian Data Analysis, 3rd ed., 5.4.

    quality = (sum over tasks of probability x ability) ** 4 ** (complexity - 1/2)

So a prompt of middling complexity is answered as well as the abilities say, and a harder one costs a weak model more than a strong
one: 0.9 becomes 0.81 where 0.6 becomes 0.36.
"""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

from mmai.selection.beta import quantile
from mmai.values.decision import Prior, Quality
from mmai.values.outcome import ANY_TASK, Observed
from mmai.values.task import TaskAnalysis

NOTHING_OBSERVED: Mapping[str, Observed] = {}

SHARED = 0.3
"""Share of a model's deviation that is the same at all tasks: 0.29 among the 14 models of LLMRouterBench, table 9, which are of
one class as those of one prior are."""

UNKNOWN_ABILITY = 0.5
"""At a task the prior says nothing of."""

CREDIBLE = 0.90
"""Mass within an interval."""

LEAST_SHAPE = 0.5
"""Of either side of a Beta distribution; below it nearly all mass is at one end, and the mean outside of its own interval."""


class Belief(NamedTuple):
    """What is thought of one ability."""

    mean: float
    """0 to 1."""
    strength: float
    """How many ratings it weighs as much as; the variance is mean (1 - mean) / (strength + 1)."""


class Deviation(NamedTuple):
    """How far a model is from its prior at every task alike."""

    mean: float
    variance: float
    """In units of one rating's."""


def exponent(complexity: float) -> float:
    """What complexity does to an ability: 1/2 at 0, 1 at 0.5, 2 at 1."""
    return float(4.0 ** (complexity - 0.5))


def expected(prior: Prior, observed: Mapping[str, Observed], analysis: TaskAnalysis) -> float:
    """Mean quality, 0 to 1."""
    total = 0.0
    everywhere = common(prior, observed) if observed else None
    for task, share in analysis.task_probabilities.items():
        total += share * (
            _at(prior, observed, task, everywhere).mean if everywhere else prior.by_task.get(task, UNKNOWN_ABILITY)
        )
    return float(total ** exponent(analysis.complexity))


def quality(prior: Prior, observed: Mapping[str, Observed], analysis: TaskAnalysis) -> Quality:
    """The same with its interval and what it rests on.

    How far off the tasks' means are is taken to be the same for all of them, which makes the interval rather too wide.
    """
    everywhere = common(prior, observed)
    mean = error = before = weight = 0.0
    for task, share in analysis.task_probabilities.items():
        belief = _at(prior, observed, task, everywhere)
        mean += share * belief.mean
        error += share / sqrt(belief.strength)
        before += share * prior.by_task.get(task, UNKNOWN_ABILITY)
        weight += share * (observed[task].weight if task in observed else 0.0)
    harder = exponent(analysis.complexity)
    low, high = interval(Belief(mean, error**-2))
    return Quality(
        mean=mean**harder,
        low=low**harder,
        high=high**harder,
        prior=before**harder,
        observations=weight,
        basis=prior.basis,
        source=prior.source,
    )


def posterior(prior: Prior, observed: Mapping[str, Observed], task: str) -> Belief:
    """What is thought of a model at a task, after outcomes there and at others. Means are cut off at the ends of [0, 1]."""
    return _at(prior, observed, task, common(prior, observed))


def interval(belief: Belief) -> tuple[float, float]:
    """The credible interval with as much mass below as above it, of a Beta distribution."""
    a, b = (max(share * belief.strength, LEAST_SHAPE) for share in (belief.mean, 1 - belief.mean))
    low, high = quantile((1 - CREDIBLE) / 2, a, b), quantile((1 + CREDIBLE) / 2, a, b)
    return min(low, belief.mean), max(high, belief.mean)


def common(prior: Prior, observed: Mapping[str, Observed]) -> Deviation:
    """What the outcomes at all tasks together say of the model."""
    own = (1 - SHARED) / prior.strength
    precision, total = prior.strength / SHARED, 0.0
    for task, seen in observed.items():
        if seen.weight > 0:
            says = 1 / (1 / seen.weight + own)
            precision += says
            total += says * (seen.mean - _before(prior, task))
    return Deviation(total / precision, 1 / precision)


def _at(prior: Prior, observed: Mapping[str, Observed], task: str, everywhere: Deviation) -> Belief:
    own = (1 - SHARED) / prior.strength
    seen = observed.get(task)
    weight = seen.weight if seen is not None else 0.0
    moved = weight * own / (1 + weight * own)
    before = _before(prior, task)
    ability = before + (1 - moved) * everywhere.mean + moved * ((seen.mean if seen is not None else before) - before)
    variance = (1 - moved) ** 2 * everywhere.variance + (1 - moved) * own
    return Belief(min(max(ability, 0.0), 1.0), 1 / variance)


def _before(prior: Prior, task: str) -> float:
    if task == ANY_TASK and prior.by_task:
        return sum(prior.by_task.values()) / len(prior.by_task)
    return prior.by_task.get(task, UNKNOWN_ABILITY)
