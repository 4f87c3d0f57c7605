"""Pooling: the greatest, the mean, or the root of the sum of squares of each window."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.windows import Window, Windows, slide, windows_over


def max_pool(
    x: Array,
    *,
    kernel_sizes: Array,
    strides: Array | None = None,
    pad_type: str,
    pad: Array | None = None,
    ceil_mode: Array | bool = False,
) -> Array:
    """n, channels, *steps: padding never wins."""
    windows = _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    return slide(x, windows, np.maximum, fill=lowest)


def avg_pool(
    x: Array,
    *,
    kernel_sizes: Array,
    strides: Array | None = None,
    pad_type: str,
    pad: Array | None = None,
    exclude_padding_from_average: Array | bool = False,
    ceil_mode: Array | bool = False,
) -> Array:
    """n, channels, *steps: padding counts as zeros, or not at all.

    What `ceil_mode` adds behind the padding never counts. Source: PyTorch, `avg_pool2d`.
    """
    windows = _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    total = slide(x, windows, np.add, fill=0)
    shares = np.ones((), np.float32)
    behind = _padding_behind(len(windows), pad_type, pad) if bool(ceil_mode) else [None] * len(windows)
    for axis, (window, after) in enumerate(zip(windows, behind, strict=True), start=2):
        share = _share(window, after, exclude_padding=bool(exclude_padding_from_average))
        shares = shares * share.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    return total * shares


def l2_pool(
    x: Array,
    *,
    kernel_sizes: Array,
    strides: Array | None = None,
    pad_type: str,
    pad: Array | None = None,
    ceil_mode: Array | bool = False,
) -> Array:
    """n, channels, *steps: the root of the sum of squares."""
    windows = _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    total = slide(np.square(x), windows, np.add, fill=0)
    rooted: Array = np.sqrt(total, out=total)
    return rooted


def _windows(
    x: Array, kernel_sizes: Array, strides: Array | None, pad_type: str, pad: Array | None, ceil_mode: Array | bool
) -> Windows:
    kernel = [int(size) for size in kernel_sizes]
    if x.ndim != len(kernel) + 2:
        raise ValueError(f"a pool with a kernel of {len(kernel)} axes cannot take an input of shape {x.shape}")
    return windows_over(x.shape[2:], kernel, strides=strides, pad_type=pad_type.lower(), pad=pad, ceil_mode=bool(ceil_mode))


def _padding_behind(rank: int, pad_type: str, pad: Array | None) -> list[int]:
    if pad_type.lower() != "custom" or pad is None:
        return [0] * rank
    return [int(after) for after in pad[1::2]]


def _share(window: Window, after: int | None, *, exclude_padding: bool) -> Array:
    """One over what counts at each place of one axis: the counts of the axes multiply.

    `after` is how much padding behind the axis counts; None counts the whole kernel wherever it stands.
    """
    if not exclude_padding and after is None:
        return np.full(window.steps, 1 / window.kernel, np.float32)
    starts = np.arange(window.steps) * window.stride - window.before
    first, last = (0, window.size) if exclude_padding else (-window.before, window.size + (after or 0))
    counts = np.minimum(starts + window.kernel, last) - np.maximum(starts, first)
    if counts.min() < 1:
        raise ValueError("a window of the pool lies wholly in the padding, so it has no average")
    return (1 / counts).astype(np.float32)


OPS: Table = {"avg_pool": avg_pool, "l2_pool": l2_pool, "max_pool": max_pool}
