"""The beta distribution, as far as a share of successes needs it: its quantiles."""

from math import exp, lgamma, log

_TINY = 1e-300


def interval(a: float, b: float, *, mass: float = 0.9) -> tuple[float, float]:
    """The central credible interval of Beta(a, b); `mass` is the probability inside it."""
    outside = (1.0 - mass) / 2.0
    return quantile(outside, a, b), quantile(1.0 - outside, a, b)


def quantile(probability: float, a: float, b: float) -> float:
    """The share that Beta(a, b) stays below with this probability, by bisection to 2^-40."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2.0
        if cumulative(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def cumulative(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b); a and b above 0."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Its continued fraction by Lentz's method. Source: Numerical Recipes, 3rd ed., 6.4."""
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, 300):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _nonzero(1.0 + term * d)
            c = _nonzero(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < 1e-12:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
