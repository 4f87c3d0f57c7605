"""Element by element: arithmetic, comparison, logic, and functions of one number."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Kernel, Table
from mmai.backends.coreml.reference.ops.erf import erf

CASTS: dict[str, Any] = {
    "bool": np.bool_,
    "fp32": np.float32,
    "fp64": np.float32,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "uint16": np.uint16,
    "int32": np.int32,
    "uint32": np.int32,
    "int64": np.int32,
    "uint64": np.int32,
}
"""Core ML computes in 32 bits where a program asks for 64."""


def cast(x: Array, *, dtype: str) -> Array:
    """To another type: fractions are cut off towards zero, and fp16 is rounded to what it can hold and kept as float32.

    Numbers with fractions that are too large for a whole type become its largest; whole numbers lose their upper bits.
    """
    if dtype == "fp16":
        return x.astype(np.float16).astype(np.float32)
    if dtype not in CASTS:
        raise ValueError(f"there is no cast to `{dtype}`")
    target = np.dtype(CASTS[dtype])
    out: Array = (_within(x, target) if x.dtype.kind == "f" and target.kind in "iu" else x).astype(target)
    return out


def _within(x: Array, target: np.dtype[Any]) -> Array:
    # As Apple's processors convert: what is too large becomes the largest, not-a-number zero. NumPy leaves it open.
    limits = np.iinfo(target)
    if not x.size or (x.min() >= limits.min and x.max() < limits.max):
        return x
    # In float64, since float32 has no number between 2**31 - 128 and 2**31.
    return np.clip(np.where(np.isnan(x), 0.0, x.astype(np.float64)), limits.min, limits.max)


def clip(x: Array, *, alpha: Array, beta: Array) -> Array:
    """Between `alpha` and `beta`."""
    return np.clip(x, alpha, beta)


def floor_div(x: Array, *, y: Array) -> Array:
    """The quotient rounded down; of whole numbers too, by zero it is zero."""
    return np.floor_divide(x, y)


def real_div(x: Array, *, y: Array) -> Array:
    """The quotient; of whole numbers it is cut off towards zero."""
    if np.issubdtype(x.dtype, np.integer) and np.issubdtype(y.dtype, np.integer):
        return np.trunc(np.divide(x, y, dtype=np.float64)).astype(np.int32)
    return np.divide(x, y, dtype=np.float32)


def inverse(x: Array, *, epsilon: Array | float = 1e-4) -> Array:
    """1 / (x + epsilon)."""
    return np.reciprocal(x + np.float32(epsilon))


def log(x: Array, *, epsilon: Array | float = 1e-45) -> Array:
    """The natural logarithm of x + epsilon."""
    return np.log(x + np.float32(epsilon))


def rsqrt(x: Array, *, epsilon: Array | float = 1e-12) -> Array:
    """1 / sqrt(x + epsilon)."""
    return np.reciprocal(np.sqrt(x + np.float32(epsilon)))


def threshold(x: Array, *, alpha: Array) -> Array:
    """At least `alpha`."""
    return np.maximum(x, alpha)


def select(*, cond: Array, a: Array, b: Array) -> Array:
    """`a` where the condition holds, else `b`."""
    return np.where(cond, a, b)


def identity(x: Array) -> Array:
    """As it is."""
    return x


def _binary(function: Callable[..., Any]) -> Kernel:
    def kernel(x: Array, *, y: Array) -> Any:
        return function(x, y)

    return kernel


def _unary(function: Callable[..., Any]) -> Kernel:
    def kernel(x: Array) -> Any:
        return function(x)

    return kernel


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mod": np.mod,
    "pow": np.power,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}

UNARY: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "erf": erf,
    "exp": np.exp,
    "exp2": np.exp2,
    "floor": np.floor,
    "logical_not": np.logical_not,
    "round": np.rint,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "square": np.square,
    "tan": np.tan,
    "tanh": np.tanh,
}

OPS: Table = {
    **{name: _binary(function) for name, function in BINARY.items()},
    **{name: _unary(function) for name, function in UNARY.items()},
    "cast": cast,
    "clip": clip,
    "floor_div": floor_div,
    "identity": identity,
    "inverse": inverse,
    "log": log,
    "real_div": real_div,
    "rsqrt": rsqrt,
    "select": select,
    "threshold": threshold,
}
