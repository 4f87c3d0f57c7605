"""The field a prompt is about, as the classifier reads it."""

from collections.abc import Mapping

from mmai.selection.probabilities import softmax

GENERAL = "general"
CLEAR = 0.4
"""Probability from which a field is named."""


def domain(logits: Mapping[str, float]) -> str:
    """The most probable field; `general` when none is clear."""
    probabilities = softmax(logits)
    best = next(iter(probabilities), GENERAL)
    return best if probabilities.get(best, 0.0) >= CLEAR else GENERAL
