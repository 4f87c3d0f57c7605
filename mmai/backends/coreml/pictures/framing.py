"""What one input of a model takes of a picture: its sizes, its channels, where they stand."""

from typing import Literal

from msgspec import Struct

from mmai.errors import CannotRun
from mmai.values.package import ArrayFormat, Feature, ImageFormat, ImagePreparation, Range

Layout = Literal["nchw", "nhwc"]

AXES: dict[Layout, tuple[int, int, int]] = {"nchw": (-3, -2, -1), "nhwc": (-1, -3, -2)}
"""Where channels, height and width are."""


class Frame(Struct, frozen=True, kw_only=True):
    """What an input takes of a picture."""

    feature: Feature
    preparation: ImagePreparation
    sizes: ImageFormat
    """Of an array too: the pixels it has room for."""
    layout: Layout = "nchw"
    """Of an array."""
    rank: int = 0
    """Of an array: how many axes it has."""
    channels: int
    """1 or 3."""

    @property
    def gray(self) -> bool:
        """The picture loses its colors."""
        return self.channels == 1 or (self.feature.image is None and self.preparation.color == "grayscale")


def frame_of(feature: Feature, preparation: ImagePreparation | None) -> Frame:
    """How a picture goes into an input.

    Raises:
        CannotRun: none does.
    """
    wanted = preparation or ImagePreparation()
    if feature.image is not None:
        channels = 3 if feature.image.color in ("rgb", "bgr") else 1
        return Frame(feature=feature, preparation=wanted, sizes=feature.image, channels=channels)
    if feature.array is not None:
        other: Layout = "nhwc" if wanted.layout == "nchw" else "nchw"
        for layout in (wanted.layout, other):
            if (frame := _array_frame(feature, feature.array, wanted, layout)) is not None:
                return frame
    raise CannotRun(f"no picture fits the input `{feature.name}`: it is no array of 1 or 3 channels for one picture")


def _array_frame(feature: Feature, array: ArrayFormat, preparation: ImagePreparation, layout: Layout) -> Frame | None:
    """None where the array has another layout."""
    shapes = [shape for shape in dict.fromkeys((array.shape, *array.shapes)) if len(shape) >= 2]
    example = shapes[0] if shapes else tuple(least for least, _ in array.ranges)
    if len(example) < 2 or (len(example) == 2 and 1 in example):
        return None
    extents: tuple[Range, ...] = array.ranges or tuple((size, size) for size in example)
    channel, height, width = AXES[layout] if len(example) > 2 else (None, -2, -1)
    channels = _channels((1, 1) if channel is None else extents[channel], preparation)
    leading = [size for axis, size in enumerate(extents, -len(extents)) if axis not in (channel, height, width)]
    if channels is None or any(least > 1 for least, _ in leading):
        return None
    return Frame(
        feature=feature,
        preparation=preparation,
        sizes=ImageFormat(
            width=example[width],
            height=example[height],
            color="rgb" if channels == 3 else "grayscale",
            sizes=tuple((shape[width], shape[height]) for shape in shapes if len(shape) == len(example)),
            width_range=extents[width] if array.ranges else None,
            height_range=extents[height] if array.ranges else None,
        ),
        layout=layout,
        rank=len(example),
        channels=channels,
    )


def _channels(allowed: Range, preparation: ImagePreparation) -> int | None:
    order = (1, 3) if preparation.color == "grayscale" else (3, 1)
    least, most = allowed
    return next((count for count in order if least <= count and (most is None or count <= most)), None)
