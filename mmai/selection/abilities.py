"""How good a model is expected to be at each kind of task before anything was seen of it here."""

from mmai.selection.fit import strength
from mmai.values.decision import Prior
from mmai.values.model import ModelCard
from mmai.values.task import TaskType


def prior(card: ModelCard) -> Prior:
    """By size alone so far."""
    level = 0.25 + 0.6 * strength(card)
    return Prior(by_task=dict.fromkeys(TaskType, level), strength=5.0, basis="size", source="its number of parameters")
