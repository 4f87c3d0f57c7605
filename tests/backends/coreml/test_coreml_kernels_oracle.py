"""Every kernel that coremltools computes too, held against it."""

from typing import Any

import numpy as np
import pytest
from packages.cases import CASES
from packages.oracle import said

from mmai.backends.coreml.reference.ops import KERNELS


@pytest.mark.parametrize(("operation", "inputs"), CASES, ids=[f"{name}{at}" for at, (name, _) in enumerate(CASES)])
def test_a_kernel_agrees_with_coremltools(operation: str, inputs: dict[str, Any]) -> None:
    expected = said(operation, **inputs)
    assert None not in [each if each is None else 0 for each in expected], "coremltools computes this one"
    given = {name: np.asarray(value) if isinstance(value, int | bool | float) else value for name, value in inputs.items()}
    x = (given.pop("x"),) if "x" in given else ()
    found = KERNELS[operation](*x, **given)
    for ours, theirs in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        assert np.shape(ours) == theirs.shape
        np.testing.assert_allclose(np.asarray(ours, np.float64), np.asarray(theirs, np.float64), rtol=2e-5, atol=2e-6)
