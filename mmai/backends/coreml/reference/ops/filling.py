"""Tensors out of little: constants, ranges, one-hot rows, and random numbers.

Random numbers are NumPy's: a seed gives the same every time, and never those of Core ML.
"""

from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def fill(*, shape: Array, value: Array | float = 0.0) -> Array:
    """`value` everywhere."""
    return np.full(_sizes(shape), value, np.asarray(value).dtype if hasattr(value, "dtype") else np.float32)


def fill_like(*, ref_tensor: Array, value: Array | float = 0.0) -> Array:
    """`value` everywhere, in the shape of another tensor."""
    return fill(shape=np.array(ref_tensor.shape), value=value)


def range_1d(*, start: Array, end: Array, step: Array) -> Array:
    """From `start` by `step`, without `end`."""
    out: Array = np.arange(start.item(), end.item(), step.item()).astype(start.dtype)
    return out


def one_hot(
    *,
    indices: Array,
    one_hot_vector_size: Array | int = 1,
    axis: Array | int = -1,
    on_value: Array | float = 1,
    off_value: Array | float = 0,
) -> Array:
    """A row for each index, with `on_value` there and `off_value` elsewhere; an index outside has none."""
    size = int(one_hot_vector_size)
    hot = np.asarray(indices)[..., None] == np.arange(size)
    return np.moveaxis(np.where(hot, on_value, off_value), -1, int(axis))


def random_uniform(*, shape: Array, low: Any = 0.0, high: Any = 1.0, seed: Any = -1) -> Array:
    """Between `low` and `high`."""
    return _numbers(seed).uniform(float(low), float(high), _sizes(shape)).astype(np.float32)


def random_normal(*, shape: Array, mean: Any = 0.0, stddev: Any = 1.0, seed: Any = -1) -> Array:
    """Around `mean`."""
    return _numbers(seed).normal(float(mean), float(stddev), _sizes(shape)).astype(np.float32)


def random_bernoulli(*, shape: Array, prob: Any = 0.5, seed: Any = -1) -> Array:
    """1 with a probability, else 0."""
    return (_numbers(seed).random(_sizes(shape)) < float(prob)).astype(np.float32)


def random_categorical(x: Array, *, mode: str = "logits", size: Any = 1, seed: Any = -1) -> Array:
    """Classes by their logits or probabilities (the last axis), `size` of them for each row."""
    shares = np.exp(x - x.max(axis=-1, keepdims=True)) if mode == "logits" else x
    sums = np.cumsum(shares, axis=-1)
    draws = _numbers(seed).random((*x.shape[:-1], int(size), 1)) * sums[..., None, -1:]
    return np.asarray((draws >= sums[..., None, :]).sum(axis=-1)).astype(np.float32)


def _numbers(seed: Any) -> "np.random.Generator":
    return np.random.default_rng(int(seed) if int(seed) >= 0 else None)


def _sizes(shape: Array) -> list[int]:
    return [int(size) for size in np.atleast_1d(shape)]


OPS: Table = {
    "fill": fill,
    "fill_like": fill_like,
    "one_hot": one_hot,
    "random_bernoulli": random_bernoulli,
    "random_categorical": random_categorical,
    "random_normal": random_normal,
    "random_uniform": random_uniform,
    "range_1d": range_1d,
}
