"""How many of the bad cases are fixed, with the interval that so few cases allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from app.domain.verification import thresholds
from app.domain.verification.verdict import CaseVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRate:
    """``rate`` 0..1 of the ``n`` cases that failed before, None for n = 0; ``low``, ``high`` 95 %."""

    rate: float | None
    low: float
    high: float
    fixed: int
    n: int


def fix_rate(verdicts: Iterable[CaseVerdict]) -> FixRate:
    """Share of the cases that failed before the repair and are right after it.

    Cases that were right before (still right, or regressed) have nothing to fix: they are not counted.
    """
    failed = [v for v in verdicts if v in (CaseVerdict.FIXED, CaseVerdict.NOT_FIXED)]
    fixed = sum(v is CaseVerdict.FIXED for v in failed)
    low, high = wilson_interval(fixed, len(failed))
    return FixRate(
        rate=fixed / len(failed) if failed else None, low=low, high=high, fixed=fixed, n=len(failed)
    )


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % score interval of a rate (Wilson 1927), within 0..1; (0, 1) for n = 0: anything is possible."""
    if n == 0:
        return 0.0, 1.0
    z2 = thresholds.Z_95**2
    rate = successes / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = thresholds.Z_95 / (1 + z2 / n) * sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    # Rounding must not push the bounds past the rate itself.
    return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))
