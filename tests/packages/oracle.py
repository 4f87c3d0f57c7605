"""What coremltools itself computes for one operation, in NumPy code of Apple's: a second opinion on every kernel that has one."""

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Function
from packages.toolkit import ct, mb


def said(operation: str, *, target: str = "iOS17", **inputs: Any) -> list[Any]:
    """The results of an operation on constants; None for one that coremltools does not compute."""
    with Function({}, opset_version=getattr(ct.target, target)):
        made = getattr(mb, operation)(**{name: _constant(value) for name, value in inputs.items()})
        return [
            None if each.val is None else np.asarray(each.val) for each in (made if isinstance(made, list | tuple) else [made])
        ]


def _constant(value: Any) -> Any:
    # Copies, since some of coremltools' own code writes into its inputs.
    return (
        tuple(map(np.array, value)) if isinstance(value, list) else np.array(value) if isinstance(value, np.ndarray) else value
    )
