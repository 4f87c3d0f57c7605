"""Many elements to one: sums, means, extremes, norms; and running sums."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Kernel, Table


def _over(function: Callable[..., Any]) -> Kernel:
    """A kernel that reduces by `function(x, axis=..., keepdims=...)`."""

    def kernel(x: Array, *, axes: Array | None = None, keep_dims: Array | bool = False) -> Any:
        # No axes at all, written out, is no reduction; left out, it is over everything.
        over = None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes))
        return np.asarray(function(x, axis=over, keepdims=bool(keep_dims)))

    return kernel


def _l1(x: Array, **over: Any) -> Any:
    return np.abs(x).sum(**over)


def _l2(x: Array, **over: Any) -> Any:
    return np.sqrt(np.square(x).sum(**over))


def _squares(x: Array, **over: Any) -> Any:
    return np.square(x).sum(**over)


def _log_sum(x: Array, **over: Any) -> Any:
    return np.log(x.sum(**over))


def _log_sum_exp(x: Array, **over: Any) -> Any:
    top = x.max(axis=over["axis"], keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(np.exp(x - top).sum(**over))
    return total + (top if over["keepdims"] else top.reshape(np.shape(total)))


def _mean(x: Array, **over: Any) -> Any:
    return x.mean(**over, dtype=np.float32) if x.dtype == np.float32 else x.mean(**over)


def reduce_argmax(x: Array, *, axis: Array | int = -1, keep_dims: Array | bool = False, output_dtype: str = "int32") -> Array:
    """Where along an axis the largest element is, the first of equals."""
    return _placed(np.argmax(x, int(axis)), int(axis), keep_dims=bool(keep_dims))


def reduce_argmin(x: Array, *, axis: Array | int = -1, keep_dims: Array | bool = False, output_dtype: str = "int32") -> Array:
    """Where along an axis the smallest element is, the first of equals."""
    return _placed(np.argmin(x, int(axis)), int(axis), keep_dims=bool(keep_dims))


def _placed(found: Any, axis: int, *, keep_dims: bool) -> Array:
    return np.expand_dims(found, axis) if keep_dims else np.asarray(found)


def cumsum(x: Array, *, axis: Array | int = 0, exclusive: Array | bool = False, reverse: Array | bool = False) -> Array:
    """Running sums along an axis; exclusive, without the element itself; reversed, from the end."""
    along = int(axis)
    source = np.flip(x, along) if bool(reverse) else x
    out = np.cumsum(source, axis=along, dtype=x.dtype)
    if bool(exclusive):
        out -= source
    return np.flip(out, along) if bool(reverse) else out


OPS: Table = {
    "cumsum": cumsum,
    "reduce_argmax": reduce_argmax,
    "reduce_argmin": reduce_argmin,
    "reduce_l1_norm": _over(_l1),
    "reduce_l2_norm": _over(_l2),
    "reduce_log_sum": _over(_log_sum),
    "reduce_log_sum_exp": _over(_log_sum_exp),
    "reduce_max": _over(np.max),
    "reduce_mean": _over(_mean),
    "reduce_min": _over(np.min),
    "reduce_prod": _over(np.prod),
    "reduce_sum": _over(np.sum),
    "reduce_sum_square": _over(_squares),
}
