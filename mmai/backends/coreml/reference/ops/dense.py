"""Convolutions as matrix products: places gathered piece by piece (im2col), each piece multiplied while it is in cache."""

from math import prod

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.ops.tiles import pieces, run
from mmai.backends.coreml.reference.ops.windows import Windows, last, padded, views

GATHERED_FLOATS = 1 << 18
"""How much is gathered for one product: a megabyte, about what stays in a core's second-level cache."""

FEWEST_PLACES = 64
"""Of one product, even if they take more room: with fewer columns a matrix product is far from its best."""


def convolve(x: Array, weight: Array, bias: Array | None, windows: Windows, *, groups: int) -> Array:
    """n, channels out, *steps."""
    batch, channels, depth = x.shape[0], weight.shape[0], prod(weight.shape[1:])
    steps = tuple(window.steps for window in windows)
    matrix = weight.reshape(groups, channels // groups, depth)
    offset = None if bias is None else bias.reshape(groups, channels // groups, 1)
    out = np.empty((batch, groups, channels // groups, prod(steps)), np.result_type(x, weight))
    gathered = _by_group(views(padded(x, windows), windows), groups)
    grid = (batch, groups, *steps)
    for some, group, *piece in pieces(grid, _places_at_once(windows, prod(grid), depth)):
        columns = gathered[some, group][last(piece)]
        target = out[some, group, :, run(piece, steps)]
        np.matmul(matrix[group], columns.reshape(*columns.shape[:2], depth, target.shape[-1]), out=target)
        if offset is not None:
            target += offset[group]
    return out.reshape(batch, channels, *steps)


def _places_at_once(windows: Windows, all_places: int, depth: int) -> int:
    """How many to gather for a product; all of them where they lie in the input as they are needed."""
    if all(window.kernel == window.stride == 1 for window in windows):
        return all_places
    return max(FEWEST_PLACES, GATHERED_FLOATS // depth)


def _by_group(places: Array, groups: int) -> Array:
    """From n, channels, *steps, *kernel to n, groups, channels / groups, *kernel, *steps; still a view."""
    rank = (places.ndim - 2) // 2
    turned = places.transpose(0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    return turned.reshape(turned.shape[0], groups, turned.shape[1] // groups, *turned.shape[2:])
