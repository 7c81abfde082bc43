"""Confidence intervals of rates."""

from __future__ import annotations

from math import sqrt
from typing import Final

# 97.5 % quantile of the normal distribution: two-sided 95 % intervals.
_Z_95: Final = 1.959964


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % score interval of a rate (Wilson 1927), within 0..1; (0, 1) for n = 0: anything is possible."""
    if n == 0:
        return 0.0, 1.0
    z2 = _Z_95**2
    rate = successes / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    # Rounding must not push the bounds past the rate itself.
    return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))
