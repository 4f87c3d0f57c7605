"""Convolutions in which every channel has kernels of its own and meets no other."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.ops.windows import Windows, last, padded


def convolve_depthwise(x: Array, weight: Array, bias: Array | None, windows: Windows) -> Array:
    """n, channels out, *steps; channel `c` of the input gives `weight.shape[0] // x.shape[1]` of the result."""
    batch, channels = x.shape[:2]
    each, steps = weight.shape[0] // channels, tuple(window.steps for window in windows)
    room = padded(x, windows)[:, :, None]
    taps = weight.reshape(channels, each, *weight.shape[2:])
    out = np.zeros((batch, channels, each, *steps), np.result_type(x, weight))
    ones = (1,) * len(steps)
    for tap in np.ndindex(*weight.shape[2:]):
        met = room[last(window.at(index) for window, index in zip(windows, tap, strict=True))]
        out += met * taps[(..., *tap)].reshape(channels, each, *ones)
    out = out.reshape(batch, channels * each, *steps)
    if bias is not None:
        out += bias.reshape(-1, *ones)
    return out
