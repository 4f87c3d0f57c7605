"""From a decoded picture to what one input of a model takes: its size, its channels, its numbers."""

from math import log, sqrt
from typing import Any, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from PIL import Image

from mmai.errors import CannotRun
from mmai.values.package import ArrayFormat, Feature, ImageFormat, ImagePreparation, Range

Pixels: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
"""Height x width x 3 in RGB order, or height x width in gray."""

Layout = Literal["nchw", "nhwc"]
Size = tuple[int, int]
"""Width and height."""

AXES: dict[Layout, tuple[int, int, int]] = {"nchw": (-3, -2, -1), "nhwc": (-1, -3, -2)}
"""Where channels, height and width are."""

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


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


def pixels_of(picture: Image.Image, frame: Frame) -> Pixels:
    """An RGB picture at the size the input takes."""
    colored = picture.convert("L") if frame.gray else picture
    return np.asarray(_resized(colored, size_for(frame.sizes, picture.size), frame.preparation))


def size_for(sizes: ImageFormat, picture: Size) -> Size:
    """Of the sizes an input takes, the one whose proportions are nearest to the picture's; else the default's.

    Within a range it is of the default's area as well: what the model was made for.
    """
    aspect = picture[0] / picture[1]
    if sizes.width_range and sizes.height_range:
        width = _within(sqrt(sizes.width * sizes.height * aspect), sizes.width_range)
        height = _within(width / aspect, sizes.height_range)
        return _within(height * aspect, sizes.width_range), height
    default = (sizes.width, sizes.height)
    allowed = sorted(dict.fromkeys(sizes.sizes or (default,)), key=lambda size: size != default)
    return min(allowed, key=lambda size: round(abs(log(size[0] / size[1] / aspect)), 9))


def _within(size: float, limits: Range) -> int:
    least, most = limits
    whole = max(round(size), least, 1)
    return whole if most is None else min(whole, most)


def _resized(picture: Image.Image, size: Size, preparation: ImagePreparation) -> Image.Image:
    resample = FILTERS[preparation.interpolation]
    match preparation.resize:
        case "stretch":
            return picture.resize(size, resample)
        case "crop":
            return picture.resize(size, resample, box=_middle(picture.size, size, preparation.crop_fraction))
        case "fit":
            scale = min(size[0] / picture.width, size[1] / picture.height)
            whole = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), resample)
            page = Image.new(picture.mode, size)
            page.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
            return page


def _middle(picture: Size, size: Size, fraction: float) -> tuple[float, float, float, float]:
    """The largest box of the wanted proportions, or `fraction` of its sides: left, top, right, bottom."""
    scale = min(picture[0] / size[0], picture[1] / size[1]) * fraction
    width, height = size[0] * scale, size[1] * scale
    left, top = (picture[0] - width) / 2, (picture[1] - height) / 2
    return max(left, 0.0), max(top, 0.0), min(left + width, picture[0]), min(top + height, picture[1])


def feed_of(pixels: Pixels, frame: Frame) -> "np.ndarray[Any, Any]":
    """What goes into the input: the pixels themselves, or an array of them.

    Raises:
        CannotRun: the noted preparation gives numbers that the input cannot hold.
    """
    if frame.feature.array is None:
        return pixels
    channels = np.atleast_3d(pixels).astype(np.float32)
    if frame.preparation.color == "bgr":
        channels = channels[..., ::-1]
    if channels.shape[2] != frame.channels:
        channels = np.repeat(channels, frame.channels, axis=2)
    values = _normalized(channels, frame)
    if frame.rank == 2:
        return _typed(values[..., 0], frame)
    ordered = values.transpose(2, 0, 1) if frame.layout == "nchw" else values
    return _typed(ordered.reshape((1,) * (frame.rank - 3) + ordered.shape), frame)


def _normalized(channels: "np.ndarray[Any, Any]", frame: Frame) -> "np.ndarray[Any, Any]":
    preparation = frame.preparation
    for name, given in (("mean", preparation.mean), ("std", preparation.std)):
        if len(given) not in (0, 1, frame.channels):
            raise CannotRun(f"`{name}` has {len(given)} values, and `{frame.feature.name}` takes {frame.channels} channels")
    # Whole numbers have no room for fractions of 1: such an input takes pixels, unless somebody noted otherwise.
    scale = 1.0 if _is_whole(frame) and preparation.scale == ImagePreparation().scale else preparation.scale
    mean = np.asarray(preparation.mean or 0.0, np.float32)
    std = np.asarray(preparation.std or 1.0, np.float32)
    return np.asarray((channels * np.float32(scale) - mean) / std)


def _typed(values: "np.ndarray[Any, Any]", frame: Frame) -> "np.ndarray[Any, Any]":
    dtype = _dtype(frame)
    if dtype.kind == "f":
        return np.ascontiguousarray(values, dtype)
    whole, limits = np.rint(values), np.iinfo(dtype)
    if whole.min() < limits.min or whole.max() > limits.max:
        raise CannotRun(
            f"`{frame.feature.name}` takes {dtype}, and its pixels come to {whole.min():g} to {whole.max():g}: "
            "note a `scale` and `mean` that fit"
        )
    return np.ascontiguousarray(whole, dtype)


def _is_whole(frame: Frame) -> bool:
    return _dtype(frame).kind != "f"


def _dtype(frame: Frame) -> "np.dtype[Any]":
    array = frame.feature.array
    return np.dtype((array.dtype if array else None) or "float32")
