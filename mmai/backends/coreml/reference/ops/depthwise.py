"""Convolutions of each channel for itself, with wide kernels: a strip of places is one product with a banded matrix.

The elements that a strip of places meets along the last axis, times a matrix that holds the kernel once for each place, shifted:
more multiplications than needed, and several times faster than adding up the taps, because they are a matrix product. The price:
what is infinite makes all places of its strip no number, since it meets zeros there; `convolution.py` sees it and computes anew.
"""

from math import prod

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.ops.tiles import pieces, run
from mmai.backends.coreml.reference.ops.windows import Window, Windows, last, padded, views

STRIP = 16
"""Most places of a strip. Measured on one core with kernels of 3 to 7: 8 to 16 are best, 32 a third slower."""

GATHERED_FLOATS = 1 << 17
"""How much is gathered for one product: half a megabyte, since the matrices take as much."""


def pays(windows: Windows) -> bool:
    """Whether the kernel is wide enough; with fewer taps, gathering them all is faster."""
    return windows[-1].kernel > 3 and windows[-1].dilation == 1


def convolve_depthwise(x: Array, weight: Array, bias: Array | None, windows: Windows) -> Array:
    """n, channels out, *steps; each channel of the input gives `weight.shape[0] // x.shape[1]` of the result."""
    batch, channels = x.shape[:2]
    each, row = weight.shape[0] // channels, windows[-1]
    strips = -(-row.steps // STRIP)
    length = -(-row.steps // strips)
    wide = (*windows[:-1], _strip(row, length=length, strips=strips))
    gathered = views(padded(x, wide), wide)
    banded = _banded(weight.reshape(channels, each, *weight.shape[2:]), row, length)
    steps, depth = tuple(window.steps for window in wide), banded.shape[1]
    out = np.empty((batch, channels, prod(steps), each * length), np.result_type(x, weight))
    for some, channel, *piece in pieces((batch, channels, *steps), GATHERED_FLOATS // depth):
        rows = gathered[(some, channel, *piece)]
        target = out[some, channel, run(piece, steps)]
        np.matmul(rows.reshape(*target.shape[:3], depth), banded[channel], out=target)
    # ... *outer steps, strips, each, length -> each, *outer steps, strips * length
    parts = np.moveaxis(out.reshape(batch, channels, *steps, each, length), -2, 2)
    joined: Array = parts.reshape(batch, channels * each, *steps[:-1], strips * length)[last([slice(0, row.steps)])]
    return joined if bias is None else joined + bias.reshape(-1, *(1,) * len(steps))


def _strip(row: Window, *, length: int, strips: int) -> Window:
    """The window that meets what `length` places of `row` meet."""
    reach = (length - 1) * row.stride + row.reach
    return Window(size=row.size, kernel=reach, stride=length * row.stride, dilation=1, before=row.before, steps=strips)


def _banded(taps: Array, row: Window, length: int) -> Array:
    """From channels, each, *kernel to channels, elements met, each * length."""
    channels, each, *kernel = taps.shape
    reach = (length - 1) * row.stride + row.reach
    banded = np.zeros((channels, *kernel[:-1], reach, each, length), taps.dtype)
    *lead, down, over, along = banded.strides
    # Where place `p` has its tap `k`: element p * stride + k of what is met.
    band = np.lib.stride_tricks.as_strided(
        banded, (channels, *kernel, each, length), (*lead, down, over, down * row.stride + along)
    )
    band[...] = np.moveaxis(taps, 1, -1)[..., None]
    return banded.reshape(channels, -1, each * length)
