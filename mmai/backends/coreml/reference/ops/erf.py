"""The error function in float32, which NumPy lacks."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array

LIMIT = np.float32(3.832506856900711)
"""Beyond it the error function is 1 in float32."""

NUMERATOR = (
    2.2905065861350646e-4,
    3.4082910107109506e-3,
    5.0955695062380861e-2,
    1.8520832239976145e-1,
    1.128379143519084,
)
DENOMINATOR = (
    -1.1791602954361697e-7,
    2.3547966471313185e-5,
    1.0179625278914885e-3,
    1.4070470171167667e-2,
    1.1098505178285362e-1,
    4.9746925110067538e-1,
    1.0,
)
"""A rational function of x squared, the highest power first; its error is 2e-7 at most. Source: Eigen and XLA, `ErfImpl`."""

BLOCK = 1 << 15
"""Elements at a time, so that what is computed in between stays in the cache."""


def erf(x: Array) -> Array:
    """2/sqrt(pi) times the integral of exp(-t*t) from 0 to x, within 4e-7."""
    source = np.ascontiguousarray(x, np.float32).reshape(-1)
    out = np.empty_like(source)
    for start in range(0, source.size, BLOCK):
        _block(source[start : start + BLOCK], out[start : start + BLOCK])
    return out.reshape(np.shape(x))


def _block(x: Array, out: Array) -> None:
    np.clip(x, -LIMIT, LIMIT, out=out)
    squared = out * out
    out *= _polynomial(NUMERATOR, squared)
    out /= _polynomial(DENOMINATOR, squared)
    # A last place above 1 would be a thousandth of a gelu at ten thousand.
    np.clip(out, np.float32(-1), np.float32(1), out=out)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    value = x * np.float32(coefficients[0])
    for coefficient in coefficients[1:-1]:
        value += np.float32(coefficient)
        value *= x
    value += np.float32(coefficients[-1])
    return value
