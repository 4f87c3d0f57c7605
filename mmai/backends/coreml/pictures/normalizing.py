"""Pixels as the numbers an input takes."""

from typing import Any

import numpy as np

from mmai.backends.coreml.pictures.framing import Frame
from mmai.backends.coreml.pictures.resizing import Pixels
from mmai.errors import CannotRun
from mmai.values.package import ImagePreparation

Array = np.ndarray[Any, Any]


def feed_of(pixels: Pixels, frame: Frame) -> Array:
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


def _normalized(channels: Array, frame: Frame) -> Array:
    preparation = frame.preparation
    for name, given in (("mean", preparation.mean), ("std", preparation.std)):
        if len(given) not in (0, 1, frame.channels):
            raise CannotRun(f"`{name}` has {len(given)} values, and `{frame.feature.name}` takes {frame.channels} channels")
    # Whole numbers have no room for fractions of 1: such an input takes pixels, unless somebody noted otherwise.
    scale = 1.0 if _dtype(frame).kind != "f" and preparation.scale == ImagePreparation().scale else preparation.scale
    mean = np.asarray(preparation.mean or 0.0, np.float32)
    std = np.asarray(preparation.std or 1.0, np.float32)
    return np.asarray((channels * np.float32(scale) - mean) / std)


def _typed(values: Array, frame: Frame) -> Array:
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


def _dtype(frame: Frame) -> np.dtype[Any]:
    array = frame.feature.array
    return np.dtype((array.dtype if array else None) or "float32")
