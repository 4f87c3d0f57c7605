"""How well a model suits a task: its size against the difficulty, and what it is declared or named for."""

from math import log2

from mmai.selection.expectations import BYTES_PER_PARAMETER
from mmai.values.model import ModelCard
from mmai.values.task import TaskAnalysis, TaskType

ASSUMED_CLOUD_STRENGTH = 0.8
"""Providers do not tell sizes; what they sell is large."""
ASSUMED_STRENGTH = 0.4
"""Of other models of unknown size: 8 billion parameters."""

_SMALLEST_PARAMETERS = 0.5e9
_LARGEST_PARAMETERS = 400e9
_SPAN = log2(_LARGEST_PARAMETERS / _SMALLEST_PARAMETERS)

NAMED_FOR = (
    ("code", (TaskType.CODE_GENERATION, TaskType.DATA_ANALYSIS)),
    ("devstral", (TaskType.CODE_GENERATION, TaskType.DATA_ANALYSIS)),
    ("math", (TaskType.MATH,)),
    ("deepseek-r1", (TaskType.MATH, TaskType.REASONING)),
    ("translat", (TaskType.TRANSLATION,)),
)
"""Parts of names, in lower case, that say what a model was made for, where its card does not."""

UNDECLARED_MATCH = 0.5
"""A general model: neither made for the task nor for another."""
OTHER_TASK_MATCH = 0.2
"""Declared or named for something else."""


def strength(card: ModelCard) -> float:
    """0 for half a billion parameters and fewer, 1 for 400 billion, by the logarithm between them."""
    parameters = card.parameter_count or (card.size_bytes / BYTES_PER_PARAMETER if card.size_bytes else None)
    if parameters is None:
        return ASSUMED_CLOUD_STRENGTH if card.locality == "cloud" else ASSUMED_STRENGTH
    if parameters <= _SMALLEST_PARAMETERS:
        return 0.0
    return min(1.0, log2(parameters / _SMALLEST_PARAMETERS) / _SPAN)


def adequacy(card: ModelCard, analysis: TaskAnalysis) -> float:
    """1 where the strength reaches the complexity, falling twice as fast as it falls short: more than enough earns nothing."""
    shortfall = analysis.complexity - strength(card)
    return 1.0 if shortfall <= 0 else max(0.0, 1.0 - 2.0 * shortfall)


def suited_tasks(card: ModelCard) -> tuple[TaskType, ...]:
    """The declared tasks, else those its name speaks of."""
    if card.tasks:
        return card.tasks
    name = card.name.lower()
    for part, tasks in NAMED_FOR:
        if part in name:
            return tasks
    return ()


def match(card: ModelCard, analysis: TaskAnalysis) -> float:
    """The probability that the task is one it is made for, between `OTHER_TASK_MATCH` and 1."""
    tasks = suited_tasks(card)
    if not tasks:
        return UNDECLARED_MATCH
    likely = analysis.task_probabilities
    share = min(1.0, sum([likely.get(task, 0.0) for task in tasks]))
    return OTHER_TASK_MATCH + (1.0 - OTHER_TASK_MATCH) * share


def fit(card: ModelCard, analysis: TaskAnalysis) -> float:
    """0.6 x adequacy + 0.4 x match. A later table of abilities by task and model takes the place of this function."""
    return 0.6 * adequacy(card, analysis) + 0.4 * match(card, analysis)
