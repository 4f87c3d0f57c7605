"""Expected quality of an answer: abilities by task, weighted by what the prompt probably asks, shrunk toward what was observed."""

from collections.abc import Mapping

from mmai.values.decision import Prior
from mmai.values.outcome import Observed
from mmai.values.task import TaskAnalysis

NOTHING_OBSERVED: Mapping[str, Observed] = {}


def expected(prior: Prior, observed: Mapping[str, Observed], analysis: TaskAnalysis) -> float:
    """Mean quality, 0 to 1: for each probable task (prior strength x prior + weight x mean) / (strength + weight)."""
    total = 0.0
    for task, share in analysis.task_probabilities.items():
        ability = prior.by_task.get(task, 0.5)
        seen = observed.get(task)
        if seen is not None:
            ability = (prior.strength * ability + seen.weight * seen.mean) / (prior.strength + seen.weight)
        total += share * ability
    return total
