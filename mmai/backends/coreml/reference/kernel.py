"""What an operation is computed with: the type every file under `ops` fills its table with."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
"""A tensor of any type; a scalar is one without dimensions."""

Kernel = Callable[..., Any]
"""Takes the MIL inputs of one operation by their names, and gives one array, or a tuple of them in the order of its outputs.

Tensors are arrays, strings `str`, lists of constants (`axes`, `pad`, `perm` …) int32 arrays, variadic inputs (`values`) lists of
arrays. What is optional and left out is not passed: the defaults are the kernel's own. Tensors the program declares float16 are
float32 here. An input is never written to; a view of it may be returned. What it cannot do is a `ValueError` with a sentence.
"""

Table = dict[str, Kernel]
"""`OPS` of a file: name of the MIL operation to what computes it."""
