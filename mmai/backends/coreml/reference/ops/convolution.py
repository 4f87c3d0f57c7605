"""Convolutions: which way of computing one is taken."""

from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.dense import convolve
from mmai.backends.coreml.reference.ops.depthwise import convolve_depthwise, pays
from mmai.backends.coreml.reference.ops.transposed import conv_transpose
from mmai.backends.coreml.reference.ops.windows import windows_over


def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Array | None = None,
    pad_type: str = "valid",
    pad: Array | None = None,
    dilations: Array | None = None,
    groups: Array | int = 1,
) -> Array:
    """`x` (n, channels in, *sizes), `weight` (channels out, channels in / groups, *kernel), one to three spatial axes.

    Raises:
        ValueError: shapes or groups that do not belong together.
    """
    parts = int(groups)
    if x.ndim != weight.ndim:
        raise ValueError(f"conv takes as many axes in the input ({x.ndim}) as in the weight ({weight.ndim})")
    if weight.shape[1] * parts != x.shape[1] or weight.shape[0] % parts:
        raise ValueError(f"conv of {x.shape[1]} channels in {parts} groups cannot take a weight of shape {weight.shape}")
    windows = windows_over(x.shape[2:], weight.shape[2:], strides=strides, dilations=dilations, pad_type=pad_type, pad=pad)
    if weight.shape[1] == 1 and parts > 1 and pays(windows):
        quick = convolve_depthwise(x, weight, bias, windows)
        if not np.isnan(quick.max(initial=0)):
            return quick
    return convolve(x, weight, bias, windows, groups=parts)


def conv_quantized(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    quantization_type: str,
    quant_scale: Array,
    quant_bias: Array,
    nbits: Array | int = 8,
    **rest: Any,
) -> Array:
    """`conv` with a weight stored in at most eight bits: weight * `quant_scale` + `quant_bias`.

    Raises:
        ValueError: a lookup table, for which the operation has no input.
    """
    if quantization_type != "linear":
        raise ValueError(f"conv_quantized of type `{quantization_type}` is not taken, only linear, with {int(nbits)} bits")
    scale, offset = (_by_channel(figures, weight.ndim) for figures in (quant_scale, quant_bias))
    plain = None if bias is None else bias.astype(np.float32)
    return conv(x, weight.astype(np.float32) * scale + offset, plain, **rest)


def _by_channel(figures: Array, rank: int) -> Array:
    return np.reshape(figures, (-1,) + (1,) * (rank - 1)) if np.ndim(figures) <= 1 else figures


OPS: Table = {"conv": conv, "conv_quantized": conv_quantized, "conv_transpose": conv_transpose}
