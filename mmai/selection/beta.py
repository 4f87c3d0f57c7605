"""The Beta distribution, as far as credible intervals need it. SciPy would cost more than the rest of a choice."""

from math import exp, lgamma, log, log1p

ACCURACY = 1e-6
"""Of `quantile`, absolute, for shapes from 0.05 to 10,000."""


def quantile(share: float, a: float, b: float) -> float:
    """Where Beta(a, b) has `share` of its mass below. Newton's steps, kept between what is known to be too low and too high."""
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(100):
        excess = mass_below(x, a, b) - share
        low, high = (x, high) if excess < 0 else (low, x)
        density = exp(_log_density(x, a, b))
        step = x - excess / density if density else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) < ACCURACY / 10:
            return following
        x = following
    return x


def mass_below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function. Source: DLMF 8.17.22, by Lentz's method (Numerical Recipes, 3rd ed., 6.4)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1) / (a + b + 2):  # The fraction converges quickly below the mean alone.
        return 1.0 - mass_below(1.0 - x, b, a)
    return exp(_log_density(x, a, b)) * x * (1.0 - x) / a * _fraction(x, a, b)


def _log_density(x: float, a: float, b: float) -> float:
    return lgamma(a + b) - lgamma(a) - lgamma(b) + (a - 1) * log(x) + (b - 1) * log1p(-x)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            value *= c * d
        if abs(c * d - 1.0) < 1e-12:
            break
    return value
