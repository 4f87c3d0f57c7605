"""A decoded picture at the size and in the colors an input takes."""

from math import log, sqrt
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from mmai.backends.coreml.pictures.framing import Frame
from mmai.values.package import ImageFormat, ImagePreparation, Range

Pixels: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
"""Height x width x 3 in RGB order, or height x width in gray."""

Size = tuple[int, int]
"""Width and height."""

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


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
