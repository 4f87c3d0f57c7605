"""The end of a classifier: from probabilities to the names of classes."""

from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def classify(probabilities: Array, classes: list[Any]) -> tuple[str | int, dict[Any, float]]:
    """The most probable class, and the probability of each. Classes are texts or whole numbers."""
    flat = np.asarray(probabilities, np.float32).reshape(-1)
    if flat.size != len(classes) or not flat.size:
        raise ValueError(f"{flat.size} probabilities do not fit {len(classes)} classes")
    return classes[int(flat.argmax())], dict(zip(classes, flat.tolist(), strict=True))


OPS: Table = {"classify": classify}
