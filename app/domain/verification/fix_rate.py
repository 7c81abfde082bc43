"""How many of the bad cases are fixed, with the interval that so few cases allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.estimators.intervals import wilson_interval
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
