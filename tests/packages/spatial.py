"""Slow and plain answers that the spatial kernels are held to: one loop for each sum, as the definitions read."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def ints(*numbers: Any) -> Array:
    """A constant list as kernels get it."""
    return np.array(numbers, np.int32)


def floats(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def counted(*shape: int) -> Array:
    """1, 2, 3 …"""
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)


def assert_close(found: Array, wanted: Any) -> None:
    """Of one shape, and within single precision of the largest number wanted."""
    wanted = np.asarray(wanted, np.float64)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 2e-6 * max(1.0, float(np.abs(wanted).max()))


def naive_conv(
    x: Array, weight: Array, *, strides: Sequence[int], dilations: Sequence[int], pad: Sequence[int], groups: int
) -> Array:
    """Convolution in float64, an output element at a time."""
    rank, each = x.ndim - 2, weight.shape[0] // groups
    wide = np.pad(x.astype(np.float64), [(0, 0), (0, 0), *((pad[2 * i], pad[2 * i + 1]) for i in range(rank))])
    reach = [(weight.shape[2 + i] - 1) * dilations[i] + 1 for i in range(rank)]
    sizes = [(wide.shape[2 + i] - reach[i]) // strides[i] + 1 for i in range(rank)]
    out = np.zeros((x.shape[0], weight.shape[0], *sizes))
    for n, channel in product(range(x.shape[0]), range(weight.shape[0])):
        first = channel // each * weight.shape[1]
        for place in product(*map(range, sizes)):
            met: Any = tuple(
                slice(at * stride, at * stride + length, dilation)
                for at, stride, length, dilation in zip(place, strides, reach, dilations, strict=True)
            )
            among = wide[n, first : first + weight.shape[1]]
            out[n, channel][place] = (among[(slice(None), *met)] * weight[channel]).sum()
    return out


def naive_transposed(x: Array, weight: Array, *, strides: Sequence[int], dilations: Sequence[int], groups: int) -> Array:
    """Transposed convolution without padding: each input element spreads each kernel element."""
    each_in, each_out = x.shape[1] // groups, weight.shape[1]
    sizes = [
        (size - 1) * stride + (kernel - 1) * dilation + 1
        for size, stride, kernel, dilation in zip(x.shape[2:], strides, weight.shape[2:], dilations, strict=True)
    ]
    out = np.zeros((x.shape[0], each_out * groups, *sizes))
    for channel, place, tap in product(
        range(x.shape[1]), product(*map(range, x.shape[2:])), product(*map(range, weight.shape[2:]))
    ):
        first = channel // each_in * each_out
        at = tuple(p * s + t * d for p, s, t, d in zip(place, strides, tap, dilations, strict=True))
        here: Any = (slice(None), channel, *place)
        there: Any = (slice(None), slice(first, first + each_out), *at)
        out[there] += np.multiply.outer(x[here].astype(np.float64), weight[channel][(slice(None), *tap)])
    return out


def naive_pool(
    x: Array, fold: Callable[[Array], Any], *, kernel: Sequence[int], strides: Sequence[int], pad: Sequence[int]
) -> Array:
    """`fold` over what each window holds of the input itself, without padding."""
    rank = len(kernel)
    sizes = [(x.shape[2 + i] + pad[2 * i] + pad[2 * i + 1] - kernel[i]) // strides[i] + 1 for i in range(rank)]
    out = np.zeros((*x.shape[:2], *sizes))
    for place in product(*map(range, sizes)):
        starts = [at * stride - before for at, stride, before in zip(place, strides, pad[::2], strict=True)]
        met: Any = tuple(slice(max(0, start), max(0, start + length)) for start, length in zip(starts, kernel, strict=True))
        for n, channel in product(range(x.shape[0]), range(x.shape[1])):
            out[n, channel][place] = fold(x[n, channel][met].astype(np.float64))
    return out
