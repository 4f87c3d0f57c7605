"""What a decoder's inputs beside the tokens and the sound get: the place of a token, and masks of what it may look at."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mmai.backends.coreml.axis import axis_of, flexible, shape_with, varies
from mmai.errors import CannotRun
from mmai.values.package import ArrayFormat, Feature

Array = np.ndarray[Any, Any]

HIDDEN = -1e4
"""Added to the score of what must not count: float16 holds it, and a softmax makes nothing of it."""


def row(values: Array, feature: Feature) -> Array:
    """A row of numbers as the input takes them."""
    array = array_of(feature)
    axis = axis_of(array)
    return values.astype(array.dtype or "int32").reshape(shape_with(array, axis, len(values)))


def position(feature: Feature, past: int, count: int, length: int, *, remembers: bool) -> Array:
    """The number of every token, or of one: how many are in the cache already, or where the last of the prefix stands."""
    array = array_of(feature)
    if flexible(array) or math.prod(array.shape) == length != 1:
        return row(np.arange(past, past + length), feature)
    one = past if remembers else count if "length" in feature.name.lower() else count - 1
    return np.full(array.shape, one, array.dtype or "int32")


def mask(feature: Feature, past: int, count: int, length: int) -> Array:
    """1 for what may be looked at and 0 for what may not; of a mask that is added to scores, 0 and `HIDDEN`."""
    array = array_of(feature)
    wanted = past + length
    width = axis_of(array).fitting(wanted) if varies(array, -1) else array.shape[-1]
    rows = 1 if len(array.shape) < 3 else length if varies(array, -2) else array.shape[-2]
    seen = past + count if rows == 1 else past + 1 + np.arange(rows)[:, None]
    visible = np.arange(width)[None, :] < seen
    dtype = array.dtype or "float32"
    added = "float" in dtype and (len(array.shape) > 2 or any(word in feature.name.lower() for word in ("padding", "causal")))
    values = np.where(visible, 0, HIDDEN) if added else visible
    shape = (*array.shape[:-2], rows, width) if len(array.shape) > 2 else (*array.shape[:-1], width)
    return np.broadcast_to(values if len(shape) > 1 else values[0], shape).astype(dtype)


def slot(feature: Feature, past: int) -> Array:
    """1 in the place of a cache that this token is put into, and 0 elsewhere."""
    array = array_of(feature)
    return np.broadcast_to(np.arange(array.shape[-1]) == past, array.shape).astype(array.dtype or "float32")


def everything(feature: Feature, heard: Mapping[str, Array]) -> Array:
    """Ones over all that the encoder made."""
    array = array_of(feature)
    places = next((made.shape[1] for made in heard.values() if made.ndim == 3), array.shape[-1])
    shape = shape_with(array, axis_of(array), places) if varies(array, -1) else array.shape
    return np.ones(shape, array.dtype or "int32")


def array_of(feature: Feature) -> ArrayFormat:
    """Its format, whose shape is told.

    Raises:
        CannotRun: it is not.
    """
    if feature.array is None or not (feature.array.shape or feature.array.ranges):
        raise CannotRun(f"nothing says which shape the decoder's `{feature.name}` has")
    return feature.array
