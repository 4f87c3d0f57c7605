"""From logits to probabilities."""

from collections.abc import Mapping
from math import exp

SMALLEST = 0.005
"""What is less probable is left out."""


def softmax(logits: Mapping[str, float]) -> dict[str, float]:
    """Probabilities above `SMALLEST`, summing to 1, most probable first; equal ones keep their order."""
    top = max(logits.values())
    weights = {name: exp(logit - top) for name, logit in logits.items()}
    floor = SMALLEST * sum(weights.values())
    kept = {name: weight for name, weight in weights.items() if weight >= floor}
    total = sum(kept.values())
    return {name: weight / total for name, weight in sorted(kept.items(), key=lambda item: -item[1])}
