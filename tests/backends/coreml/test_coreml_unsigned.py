"""Unsigned constants, which some operations have for their factors."""

from pathlib import Path
from typing import Any

import numpy as np
from packages.reference import asked, opened, program
from packages.toolkit import built, ct, mb


def test_a_factor_without_a_sign_is_a_factor(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(1, 1, 4, 4)))
    def model(x: Any) -> Any:
        return mb.pixel_unshuffle(x=x, downscale_factor=np.uint32(2), name="y")

    y = asked(opened(built(model, tmp_path / "m.mlpackage")), x=np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4))["y"]
    assert y[0, :, 0, 0].tolist() == [0, 1, 4, 5]


def test_sizes_without_a_sign_are_sizes(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(1, 2)), target=ct.target.iOS17)
    def model(x: Any) -> Any:
        return mb.resize(
            x=x,
            shape=np.array([4], np.int32),
            resized_dims=np.uint32(1),
            interpolation_mode="NEAREST_NEIGHBOR",
            sampling_mode="DEFAULT",
            name="y",
        )

    y = asked(
        opened(built(model, tmp_path / "m.mlpackage", minimum_deployment_target=ct.target.iOS17)),
        x=np.array([[1, 2]], np.float32),
    )["y"]
    assert y.tolist() == [[1, 1, 2, 2]]
