"""Inputs that need no file: sines, so that whoever recorded an answer elsewhere was given the same numbers."""

from math import prod
from typing import Any

import numpy as np


def wave(*shape: int, step: float) -> Any:
    """sin(step), sin(2 step), sin(3 step), … as float32."""
    return np.sin(np.arange(1, prod(shape) + 1) * step).astype(np.float32).reshape(shape)
