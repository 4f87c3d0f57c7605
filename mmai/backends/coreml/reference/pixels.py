"""Pictures as a program has them: float tensors of 1 x channels x height x width, in the model's order of colors."""

from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.wording import said_feature, said_shape, said_value
from mmai.errors import UsageError
from mmai.values.package import Feature, ImageFormat, Range


def from_pixels(feature: Feature, image: ImageFormat, value: Any) -> Array:
    """What the program takes for a picture of 0 to 255; scale and bias are its own.

    Raises:
        UsageError: it is no picture, or of another size or kind than the model takes.
    """
    pixels = fitting_pixels(feature, image, value)
    if pixels.ndim == 2:
        return pixels.astype(np.float32).reshape(1, 1, *pixels.shape)
    ordered = pixels[..., ::-1] if image.color == "bgr" else pixels
    return np.ascontiguousarray(ordered.transpose(2, 0, 1), np.float32)[np.newaxis]


def fitting_pixels(feature: Feature, image: ImageFormat, value: Any) -> Array:
    """The picture as it was handed in, if it is one that the model takes.

    Raises:
        UsageError: it is none.
    """
    channels = 3 if image.color in ("rgb", "bgr") else 1
    pixels: Array = np.asarray(value)
    if image.color == "grayscale_float16":
        fits = pixels.dtype.kind == "f" or pixels.dtype == np.uint8
    else:
        fits = pixels.dtype == np.uint8
    if not fits or pixels.shape[2:] != ((3,) if channels == 3 else ()) or not size_fits(image, pixels):
        raise UsageError(
            f"`{feature.name}` takes {said_feature(feature)} {'in color' if channels == 3 else 'in gray'}, "
            f"not {said_value(value)}"
        )
    return pixels


def size_fits(image: ImageFormat, pixels: Array) -> bool:
    """The picture is of a size the model takes."""
    if pixels.ndim < 2:
        return False
    height, width = pixels.shape[:2]
    if image.width_range and image.height_range:
        return _within(width, image.width_range) and _within(height, image.height_range)
    return (width, height) in ((image.width, image.height), *image.sizes)


def _within(size: int, limits: Range) -> bool:
    return limits[0] <= size and (limits[1] is None or size <= limits[1])


def to_pixels(image: ImageFormat, tensor: Array) -> Array:
    """A picture that came out, as one goes in: rounded to whole numbers of 0 to 255, red first.

    Raises:
        ValueError: the tensor is no picture.
    """
    channels = 3 if image.color in ("rgb", "bgr") else 1
    if tensor.ndim != 4 or tensor.shape[:2] != (1, channels):
        raise ValueError(f"a picture has the shape 1 x {channels} x height x width, not {said_shape(tensor.shape)}")
    if image.color == "grayscale_float16":
        return np.asarray(tensor[0, 0], np.float16)
    whole: Array = np.clip(np.nan_to_num(np.rint(tensor[0])), 0, 255).astype(np.uint8)
    if channels == 1:
        return np.asarray(whole[0])
    return np.ascontiguousarray((whole[::-1] if image.color == "bgr" else whole).transpose(1, 2, 0))
