"""How much table and rules count for beside each other, learned where neither has seen the collection."""

from typing import NamedTuple

import numpy as np

from tools.fit import Floats, Labels, softmax

STEPS = 3_000
RATE = 0.05
L2 = 1e-3


class Stack(NamedTuple):
    """Weights of the table's logits and of the rules' evidence, and an offset for every task."""

    grams: float
    rules: float
    offsets: Floats

    def logits(self, table: Floats, rules: Floats) -> Floats:
        """(prompts, tasks)."""
        return self.grams * table + self.rules * rules + self.offsets


def stack(table: Floats, rules: Floats, labels: Labels, weights: Floats) -> Stack:
    """The most likely weights for these out-of-collection logits, (prompts, tasks) each; so the result is calibrated on them."""
    wanted = np.eye(table.shape[1])[labels]
    share = (weights / weights.sum())[:, None]
    at = np.array([1.0, 0.3])
    offsets = np.zeros(table.shape[1])
    for _ in range(STEPS):
        error = (softmax(at[0] * table + at[1] * rules + offsets) - wanted) * share
        at = np.maximum(0.0, at - RATE * np.array([(error * table).sum(), (error * rules).sum()]))
        offsets = offsets - RATE * (error.sum(axis=0) * 10 + L2 * offsets)
    return Stack(float(at[0]), float(at[1]), offsets - offsets.mean())


def calibration_error(probabilities: Floats, labels: Labels, weights: Floats, bins: int = 15) -> float:
    """Expected calibration error: the mean gap, by weight, between confidence and accuracy over equal ranges of confidence."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float(((confidence - right) * weights)[which == each].sum())) for each in range(bins)]
    return sum(gaps) / float(weights.sum())
