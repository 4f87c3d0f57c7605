"""Transposed convolutions: every element of the input spreads the kernel over the result."""

from itertools import product
from math import prod

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.ops.tiles import pieces
from mmai.backends.coreml.reference.ops.windows import Window, Windows, last, numbers

SPREAD_FLOATS = 1 << 20
"""How much is held of what one piece of the input spreads."""

LONG_STRIDE = 8
"""From here on, the elements of a block are added to at once. Below, a block is too short for that to be quicker."""


def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    pad: Array | None = None,
    output_shape: Array | None = None,
    pad_type: str = "valid",
    strides: Array | None = None,
    dilations: Array | None = None,
    groups: Array | int = 1,
) -> Array:
    """`x` (n, channels in, *sizes), `weight` (channels in, channels out / groups, *kernel), one to three spatial axes.

    Padding is cut off the full result. With `output_shape` its sizes hold: what the spread does not reach is the bias alone.

    Raises:
        ValueError: shapes or groups that do not belong together.
    """
    parts, rank = int(groups), x.ndim - 2
    if x.ndim != weight.ndim or weight.shape[0] != x.shape[1] or x.shape[1] % parts:
        raise ValueError(f"conv_transpose of input {x.shape} in {parts} groups cannot take a weight of shape {weight.shape}")
    by, spread = numbers("strides", strides, rank, otherwise=1), numbers("dilations", dilations, rank, otherwise=1)
    # Each axis of the full result is what a convolution with these windows would take; its places are the input.
    windows = tuple(
        Window(size=0, kernel=kernel, stride=stride, dilation=dilation, before=0, steps=steps)
        for kernel, stride, dilation, steps in zip(weight.shape[2:], by, spread, x.shape[2:], strict=True)
    )
    wanted = None if output_shape is None else [int(size) for size in output_shape[2:]]
    before, sizes = _cuts(windows, wanted, pad_type, numbers("pad", pad, 2 * rank, otherwise=0))
    out = _fitted(_spread(x, weight, windows, parts), before, sizes)
    if bias is not None:
        out += bias.reshape(-1, *(1,) * rank)
    return out


def _cuts(windows: Windows, wanted: list[int] | None, pad_type: str, pad: list[int]) -> tuple[list[int], list[int]]:
    """How much of the full result is cut ahead, and the size that is kept, for each axis.

    `same` cuts as TensorFlow does: half of what a forward convolution would have padded, the odd one behind.
    """
    if pad_type == "custom":
        kept = [window.extent - sum(pad[2 * axis : 2 * axis + 2]) for axis, window in enumerate(windows)]
        return pad[::2], wanted or kept
    if pad_type == "valid":
        return [0] * len(windows), wanted or [window.extent for window in windows]
    if pad_type not in ("same", "same_lower"):
        raise ValueError(f"pad_type `{pad_type}` is none of valid, custom, same, same_lower")
    sizes = wanted or [window.steps * window.stride for window in windows]
    totals = [max(0, window.extent - size) for window, size in zip(windows, sizes, strict=True)]
    odd = 1 if pad_type == "same_lower" else 0
    return [(total + odd) // 2 for total in totals], sizes


def _spread(x: Array, weight: Array, windows: Windows, groups: int) -> Array:
    """The full result: n, channels out, *extents, with zeros behind up to a whole number of strides."""
    batch, channels = x.shape[0], weight.shape[1] * groups
    matrix = weight.reshape(groups, x.shape[1] // groups, -1).swapaxes(1, 2)
    blocks = [length for window in windows for length in (-(-window.extent // window.stride), window.stride)]
    room = np.zeros((batch, groups, weight.shape[1], *blocks), np.result_type(x, weight))
    grouped = x.reshape(batch, groups, -1, *x.shape[2:])
    for some, *piece in pieces((batch, *x.shape[2:]), max(1, SPREAD_FLOATS // (matrix.shape[0] * matrix.shape[1]))):
        part = grouped[(some, slice(None), slice(None), *piece)]
        spread = np.matmul(matrix, part.reshape(*part.shape[:3], prod(part.shape[3:])))
        spread = spread.reshape(*part.shape[:2], *weight.shape[1:], *part.shape[3:])
        _add(room[some], spread, windows, piece)
    return room.reshape(batch, channels, *(count * length for count, length in zip(blocks[::2], blocks[1::2], strict=True)))


def _add(room: Array, spread: Array, windows: Windows, piece: list[slice]) -> None:
    """Each run of the kernel's elements to where it falls; overlaps add up.

    Args:
        room: n, groups, channels, and for each axis blocks and the elements of a block, one stride long.
        spread: n, groups, channels, *kernel, *places of the piece.
    """
    rank = len(windows)
    # *kernel, *places -> place, element of the kernel, for each axis
    turned = spread.transpose(0, 1, 2, *(axis for i in range(rank) for axis in (3 + rank + i, 3 + i)))
    for taken in product(*(_runs(window) for window in windows)):
        met = [
            found
            for (_, block, inside), part in zip(taken, piece, strict=True)
            for found in (slice(part.start + block, part.stop + block), inside)
        ]
        room[last(met)] += turned[last(found for taps, _, _ in taken for found in (slice(None), taps))]


def _runs(window: Window) -> list[tuple[slice, int, slice]]:
    """The kernel in runs that fall into one block: their elements, which block after the place's own, and where in it."""
    length = window.stride if window.dilation == 1 and window.stride >= LONG_STRIDE else 1
    runs = []
    for start in range(0, window.kernel, length):
        taps = slice(start, min(start + length, window.kernel))
        block, first = divmod(start * window.dilation, window.stride)
        runs.append((taps, block, slice(first, first + taps.stop - taps.start)))
    return runs


def _fitted(full: Array, before: list[int], sizes: list[int]) -> Array:
    """`full` cut to what is kept; sizes past its end are filled with zeros. Always an array of its own, to add to."""
    ends = [min(length, start + size) for length, start, size in zip(full.shape[2:], before, sizes, strict=True)]
    kept: Array = full[last(slice(start, end) for start, end in zip(before, ends, strict=True))]
    if list(kept.shape[2:]) == sizes:
        return kept
    out = np.zeros((*full.shape[:2], *sizes), full.dtype)
    out[last(slice(0, size) for size in kept.shape[2:])] = kept
    return out
