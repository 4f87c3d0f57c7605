"""Pictures as a program has them: float tensors of 1 x channels x height x width, in the model's order of colors."""

from typing import Any

import numpy as np

from mmai.backends.coreml.feeds import fitting_pixels
from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.wording import said_shape
from mmai.values.package import Feature, ImageFormat


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
