"""Which operations the reference executor runs, and with which inputs: all of coremltools' own, but for those named here."""

import inspect
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry
from packages.toolkit import ct as ct  # silences what follows

from mmai.backends.coreml.reference.coverage import coverage
from mmai.backends.coreml.reference.ops import KERNELS

NEVER_SAVED = {
    "_const_symbolic": "stands for a size while a model is converted",
    **dict.fromkeys(
        (name for name in SSAOpRegistry.dialect_ops if name.startswith("complex_") or name == "complex"),
        "complex numbers are taken apart before a model is saved",
    ),
}
"""Operations no package has, and why."""

NOT_RUN: dict[str, str] = {}
"""Operations that a package may have and that are refused by name, and why."""

VERSIONS = {name: list(versions.values()) for name, versions in SSAOpRegistry.core_ops.items() if name in KERNELS}
"""Every definition of every operation with a kernel: many have a new one with a new iOS."""


def test_every_operation_is_run_or_named_with_a_reason() -> None:
    known = {*SSAOpRegistry.core_ops, *SSAOpRegistry.dialect_ops}
    assert known - set(coverage()) == {*NEVER_SAVED, *NOT_RUN}


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_a_kernel_takes_the_inputs_of_every_version(name: str) -> None:
    for definition in VERSIONS[name]:
        inputs = definition.input_spec.input_types
        for given in (inputs, [one for one, kind in inputs.items() if not kind.optional]):
            inspect.signature(KERNELS[name]).bind(**dict.fromkeys(given))


def defaults_of(definition: Any) -> dict[str, Any]:
    """What an operation takes for what is left out; nothing where that depends on its other inputs."""
    try:
        return dict(definition.default_inputs(MagicMock()).items())
    except (KeyError, TypeError):
        return {}


def test_what_is_left_out_is_what_coremltools_takes_for_it() -> None:
    compared = 0
    for name, definitions in VERSIONS.items():
        ours = inspect.signature(KERNELS[name]).parameters
        for one, value in (pair for definition in definitions for pair in defaults_of(definition).items()):
            if isinstance(value, str | int | float | np.generic):
                assert ours[one].default == (value if isinstance(value, str) else pytest.approx(value)), (name, one)
                compared += 1
    assert compared > 100
