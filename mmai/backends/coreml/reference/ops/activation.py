"""Activations: functions of one number with parameters, and softmax."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.erf import BLOCK, erf

Number = Array | float

ROOT_HALF = np.float32(0.7071067811865476)
ROOT_TWO_OVER_PI = np.float32(0.7978845608028654)


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, np.zeros((), x.dtype))


def relu6(x: Array) -> Array:
    """Between 0 and 6."""
    return np.clip(x, 0, 6)


def clamped_relu(x: Array, *, alpha: Number, beta: Number) -> Array:
    """min(x, beta) where x is not negative, else min(alpha x, beta)."""
    out = _bent(np.minimum(x, 0), np.float32(alpha), x)
    return np.minimum(out, np.float32(beta), out=out)


def thresholded_relu(x: Array, *, alpha: Number = 1.0) -> Array:
    """x where it is at least alpha, else 0."""
    return np.where(x >= np.float32(alpha), x, np.float32(0))


def leaky_relu(x: Array, *, alpha: Number = 0.01) -> Array:
    """x where it is positive, else alpha x."""
    return _bent(np.minimum(x, 0), np.float32(alpha), x)


def prelu(x: Array, *, alpha: Array) -> Array:
    """As `leaky_relu`, with an alpha for each channel (axis 1)."""
    slope = alpha.reshape((1, -1) + (1,) * (x.ndim - 2)) if x.ndim > 1 else alpha
    return _bent(np.minimum(x, 0), slope, x)


def elu(x: Array, *, alpha: Number = 1.0) -> Array:
    """x where it is positive, else alpha (exp(x) - 1)."""
    below = np.minimum(x, 0)
    return _bent(np.expm1(below, out=below), np.float32(alpha), x)


def _bent(below: Array, slope: Array | np.float32, x: Array) -> Array:
    # The sum of two halves, of which one is zero: several times faster than a choice for each element.
    below *= slope
    below += np.maximum(x, 0)
    return below


def linear_activation(x: Array, *, alpha: Number, beta: Number = 0.0) -> Array:
    """alpha x + beta."""
    return x * np.float32(alpha) + np.float32(beta)


def scaled_tanh(x: Array, *, alpha: Number = 1.0, beta: Number = 1.0) -> Array:
    """alpha tanh(beta x)."""
    return np.float32(alpha) * np.tanh(x * np.float32(beta))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    out = np.multiply(x, np.float32(0.5))
    np.tanh(out, out=out)
    out *= np.float32(0.5)
    out += np.float32(0.5)
    return out


def sigmoid_hard(x: Array, *, alpha: Number = 0.2, beta: Number = 0.5) -> Array:
    """alpha x + beta, between 0 and 1."""
    return np.clip(x * np.float32(alpha) + np.float32(beta), 0, 1)


def silu(x: Array) -> Array:
    """x sigmoid(x)."""
    return x * sigmoid(x)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    out = np.abs(x)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out += np.maximum(x, 0)
    return out


def softplus_parametric(x: Array, *, alpha: Array, beta: Array) -> Array:
    """alpha log(1 + exp(beta x)), with parameters for each channel (axis 1)."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return alpha.reshape(shape) * softplus(x * beta.reshape(shape))


def softsign(x: Array) -> Array:
    """x / (1 + |x|)."""
    return x / (1 + np.abs(x))


def softmax(x: Array, *, axis: Array | int = -1) -> Array:
    """exp(x) as shares of their sum along an axis."""
    along = int(axis)
    out = x - x.max(axis=along, keepdims=True)
    np.exp(out, out=out)
    out /= out.sum(axis=along, keepdims=True)
    return out


def gelu(x: Array, *, mode: str = "EXACT") -> Array:
    """x times the share of a normal distribution below it, exactly or by one of two approximations."""
    if mode == "EXACT":
        return _gelu_exact(x)
    if mode == "TANH_APPROXIMATION":
        inner = x * x
        inner *= np.float32(0.044715)
        inner += np.float32(1)
        inner *= x
        inner *= ROOT_TWO_OVER_PI
        np.tanh(inner, out=inner)
        inner += np.float32(1)
        inner *= x
        inner *= np.float32(0.5)
        return inner
    if mode == "SIGMOID_APPROXIMATION":
        return x * sigmoid(x * np.float32(1.702))
    raise ValueError(f"there is no gelu `{mode}`")


def _gelu_exact(x: Array) -> Array:
    source = np.ascontiguousarray(x).reshape(-1)
    out = np.empty_like(source)
    for start in range(0, source.size, BLOCK):
        part = source[start : start + BLOCK]
        share = erf(part * ROOT_HALF)
        share += np.float32(1)
        share *= part
        np.multiply(share, np.float32(0.5), out=out[start : start + BLOCK])
    return out.reshape(x.shape)


OPS: Table = {
    "clamped_relu": clamped_relu,
    "elu": elu,
    "gelu": gelu,
    "leaky_relu": leaky_relu,
    "linear_activation": linear_activation,
    "prelu": prelu,
    "relu": relu,
    "relu6": relu6,
    "scaled_tanh": scaled_tanh,
    "sigmoid": sigmoid,
    "sigmoid_hard": sigmoid_hard,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softplus_parametric": softplus_parametric,
    "softsign": softsign,
    "thresholded_relu": thresholded_relu,
}
