"""Expected quality of an answer: abilities by task, weighted by what the prompt probably asks, shrunk toward what was observed.

    ability[task] = (strength x prior[task] + weight x mean outcome) / (strength + weight)
    quality       = (sum over tasks of probability x ability) ** 4 ** (complexity - 1/2)

So a prompt of middling complexity is answered as well as the abilities say, and a harder one costs a weak model more than a strong
one: 0.9 becomes 0.81 where 0.6 becomes 0.36.
"""

from collections.abc import Mapping

from mmai.values.decision import Prior
from mmai.values.outcome import Observed
from mmai.values.task import TaskAnalysis

NOTHING_OBSERVED: Mapping[str, Observed] = {}

UNKNOWN_ABILITY = 0.5
"""At a task the prior says nothing of."""


def exponent(complexity: float) -> float:
    """What complexity does to an ability: 1/2 at 0, 1 at 0.5, 2 at 1."""
    return float(4.0 ** (complexity - 0.5))


def expected(prior: Prior, observed: Mapping[str, Observed], analysis: TaskAnalysis) -> float:
    """Mean quality, 0 to 1."""
    total = 0.0
    for task, share in analysis.task_probabilities.items():
        ability = prior.by_task.get(task, UNKNOWN_ABILITY)
        seen = observed.get(task)
        if seen is not None:
            ability = (prior.strength * ability + seen.weight * seen.mean) / (prior.strength + seen.weight)
        total += share * ability
    return float(total ** exponent(analysis.complexity))
