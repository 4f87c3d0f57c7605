"""Convolutions that mix channels: places gathered piece by piece (im2col), each piece one matrix product."""

from collections.abc import Iterator
from math import prod

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.ops.tiles import Piece, pieces
from mmai.backends.coreml.reference.ops.windows import Windows, last, padded, views

GATHERED_FLOATS = 1 << 18
"""How much is gathered for one product: a megabyte, about what stays in a core's second-level cache."""


def convolve(x: Array, weight: Array, bias: Array | None, windows: Windows, *, groups: int) -> Array:
    """n, channels out, *steps."""
    if all(window.kernel == 1 and window.before == 0 for window in windows):
        return _pointwise(x, weight, bias, windows, groups)
    batch, channels = x.shape[0], weight.shape[0]
    depth = prod(weight.shape[1:])
    matrix = weight.reshape(groups, channels // groups, depth)
    steps = tuple(window.steps for window in windows)
    out = np.empty((batch, groups, channels // groups, *steps), np.result_type(x, weight))
    gathered = _by_group(views(padded(x, windows), windows), groups)
    for some, piece in _pieces(batch, steps, GATHERED_FLOATS // (depth * groups)):
        columns = gathered[some][last(piece)]
        size = prod(columns.shape[-len(steps) :])
        product = np.matmul(matrix, columns.reshape(*columns.shape[:2], depth, size))
        target = out[some][last(piece)]
        target[...] = product.reshape(target.shape)
    return _biased(out.reshape(batch, channels, *steps), bias)


def _pieces(batch: int, steps: tuple[int, ...], most: int) -> Iterator[tuple[slice, Piece]]:
    for box in pieces((batch, *steps), most):
        yield box[0], box[1:]


def _by_group(places: Array, groups: int) -> Array:
    """From n, channels, *steps, *kernel to n, groups, channels / groups, *kernel, *steps; still a view."""
    rank = (places.ndim - 2) // 2
    order = (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    turned = places.transpose(order)
    # Splitting an axis never copies.
    return turned.reshape(turned.shape[0], groups, turned.shape[1] // groups, *turned.shape[2:])


def _pointwise(x: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    batch, channels, steps = x.shape[0], weight.shape[0], tuple(window.steps for window in windows)
    columns = x[last(window.at(0) for window in windows)].reshape(batch, groups, weight.shape[1], prod(steps))
    product = np.matmul(weight.reshape(groups, channels // groups, weight.shape[1]), columns)
    return _biased(product.reshape(batch, channels, *steps), bias)


def _biased(out: Array, bias: Array | None) -> Array:
    """Adds to `out` itself, which nobody else has."""
    if bias is not None:
        out += bias.reshape(-1, *(1,) * (out.ndim - 2))
    return out
