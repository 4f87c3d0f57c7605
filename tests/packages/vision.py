"""Small models of pictures, of forms that exporters other than ours give them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from packages.toolkit import built, ct, mb

COLORS = ("red", "green", "blue")
_any_size = ct.converters.mil.mil.get_new_symbol
WEIGHT = np.array([[4, -4, -4], [-4, 4, -4], [-4, -4, 4]], np.float32)


def bare_classifier(path: Path) -> Path:
    """An array `x` (1, 3, 16, 16) -> logits of the dominant of three colors, and not a word of what it is."""

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 16, 16))], opset_version=ct.target.iOS16)
    def program(x):  # type: ignore[no-untyped-def]
        mean = mb.reduce_mean(x=x, axes=[2, 3], keep_dims=False)
        return mb.linear(x=mean, weight=WEIGHT, bias=np.zeros(3, np.float32), name="scores")

    return built(program, path)


def tiles(path: Path, *, shape: object = (1, 3, 16, 16), color: str = "RGB") -> Path:
    """A picture `image` of `shape` -> the means of its tiles of 8 x 8 pixels, channels in its own order: 1 x 3 x rows x columns."""
    height, width = (16, 16) if shape == (1, 3, 16, 16) else (_any_size(), _any_size())

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, height, width))], opset_version=ct.target.iOS16)
    def program(image):  # type: ignore[no-untyped-def]
        return mb.avg_pool(x=image, kernel_sizes=[8, 8], strides=[8, 8], pad_type="valid", name="features")

    image = ct.ImageType(name="image", shape=shape, scale=1 / 255, color_layout=getattr(ct.colorlayout, color))
    return built(program, path, inputs=[image])


SHAPES: dict[str, Callable[[], object]] = {
    "several": lambda: ct.EnumeratedShapes(shapes=[(1, 3, 16, 16), (1, 3, 16, 32)], default=(1, 3, 16, 16)),
    "range": lambda: ct.Shape((1, 3, ct.RangeDim(8, 64, default=16), ct.RangeDim(8, 64, default=16))),
}
