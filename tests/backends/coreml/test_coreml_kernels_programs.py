"""The same operations as a package has them: constants by name and in its own types, what is optional left out or filled in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.cases import CASES, X
from packages.oracle import said
from packages.reference import asked, opened, program
from packages.toolkit import built, ct, mb, types

OF_X = [(operation, inputs) for operation, inputs in CASES if inputs.get("x") is X]
"""Those whose first input can be that of the whole program."""


def as_numbers(value: Any) -> Any:
    """A result as an output may be: Core ML gives no truths."""
    return mb.cast(x=value, dtype="fp32") if value.dtype == types.bool else mb.identity(x=value)


@pytest.mark.parametrize("target", ["iOS17", "iOS18"])
def test_a_program_of_all_operations_gives_what_coremltools_computes(tmp_path: Path, target: str) -> None:
    names: list[tuple[int, str]] = []

    @program(mb.TensorSpec(shape=X.shape), target=getattr(ct.target, target))
    def everything(x: Any) -> Any:
        outputs = []
        for at, (operation, inputs) in enumerate(OF_X):
            made = getattr(mb, operation)(**{**inputs, "x": x})
            for each in made if isinstance(made, list | tuple) else [made]:
                outputs.append(as_numbers(each))
                names.append((at, outputs[-1].name))
        return tuple(outputs)

    path = built(
        everything,
        tmp_path / "everything.mlpackage",
        minimum_deployment_target=getattr(ct.target, target),
        pass_pipeline=ct.PassPipeline.EMPTY,
    )
    outputs = asked(opened(path), x=X)
    expected = [each for operation, inputs in OF_X for each in said(operation, target=target, **inputs)]
    assert len(expected) == len(names)
    for (at, name), theirs in zip(names, expected, strict=True):
        assert outputs[name].shape == theirs.shape, OF_X[at]
        np.testing.assert_allclose(outputs[name], theirs.astype(np.float64), rtol=2e-5, atol=2e-6, err_msg=str(OF_X[at]))


def test_sizes_may_be_constants_of_any_whole_type(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(1, 1, 2, 2)))
    def unshuffled(x: Any) -> Any:
        return mb.pixel_unshuffle(x=x, downscale_factor=np.uint32(2), name="y")

    path = built(unshuffled, tmp_path / "unshuffled.mlpackage")
    x = np.array([[[[9, 5], [1, 3]]]], np.float32)
    assert asked(opened(path), x=x)["y"].tolist() == [[[[9]], [[5]], [[1]], [[3]]]]
