"""Normalization: by constants, over channels, over axes, over neighbors."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def batch_norm(
    x: Array,
    *,
    mean: Array,
    variance: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: Array | float = 1e-5,
) -> Array:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, each of them by channel (axis 1)."""
    scale = 1 / np.sqrt(variance + np.float32(epsilon))
    if gamma is not None:
        scale = scale * gamma
    offset = -mean * scale if beta is None else beta - mean * scale
    out = x * _by_channel(scale, x)
    out += _by_channel(offset, x)
    return out


def instance_norm(x: Array, *, gamma: Array | None = None, beta: Array | None = None, epsilon: Array | float = 1e-5) -> Array:
    """Each channel of each example by its own mean and variance over the spatial axes."""
    out = _standardized(x, tuple(range(2, x.ndim)), epsilon)
    if gamma is not None:
        out *= _by_channel(gamma, x)
    if beta is not None:
        out += _by_channel(beta, x)
    return out


def layer_norm(
    x: Array,
    *,
    axes: Array | None = None,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: Array | float = 1e-5,
) -> Array:
    """By mean and variance over `axes` (all of them by default); `gamma` and `beta` have the shape of those axes."""
    over = tuple(range(x.ndim)) if axes is None else tuple(sorted(int(axis) % x.ndim for axis in axes))
    shape = [size if axis in over else 1 for axis, size in enumerate(x.shape)]
    out = _standardized(x, over, epsilon)
    if gamma is not None:
        out *= gamma.reshape(shape)
    if beta is not None:
        out += beta.reshape(shape)
    return out


def l2_norm(x: Array, *, epsilon: Array | float = 1e-6) -> Array:
    """x / sqrt(sum of squares + epsilon), over the last three axes."""
    squares = np.square(x).sum(axis=(-3, -2, -1), keepdims=True)
    out: Array = x / np.sqrt(squares + np.float32(epsilon))
    return out


def local_response_norm(
    x: Array, *, size: Array | int, alpha: Array | float = 1e-4, beta: Array | float = 0.75, k: Array | float = 1.0
) -> Array:
    """x / (k + alpha / size * sum of squares over `size` neighboring channels) ** beta.

    Of an even number of neighbors the odd one is ahead. Source: PyTorch, `local_response_norm`, which coremltools lowers to it.
    """
    neighbors, channels = int(size), x.shape[1]
    squares = np.square(x)
    total = np.zeros_like(squares)
    for shift in range(-(neighbors // 2), neighbors - neighbors // 2):
        if abs(shift) < channels:
            here, there = slice(max(0, -shift), channels - max(0, shift)), slice(max(0, shift), channels - max(0, -shift))
            total[:, here] += squares[:, there]
    total *= np.float32(alpha) / neighbors
    total += np.float32(k)
    out: Array = x / np.power(total, np.float32(beta), out=total)
    return out


def _standardized(x: Array, axes: tuple[int, ...], epsilon: Array | float) -> Array:
    """Zero mean and unit variance over `axes`; an array of its own."""
    out: Array = x - x.mean(axis=axes, keepdims=True)
    variance = np.square(out).mean(axis=axes, keepdims=True)
    out *= 1 / np.sqrt(variance + np.float32(epsilon))
    return out


def _by_channel(figures: Array, x: Array) -> Array:
    return figures.reshape(-1, *(1,) * (x.ndim - 2))


OPS: Table = {
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "l2_norm": l2_norm,
    "layer_norm": layer_norm,
    "local_response_norm": local_response_norm,
}
