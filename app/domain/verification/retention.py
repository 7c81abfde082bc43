"""What of the earlier skill is left: scores after over scores before, on rows that nothing was done about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

# Slices of the retention set below this size say nothing on their own and are pooled.
SLICE_MIN_ROWS: Final = 5

_BOOTSTRAP_ROUNDS: Final = 2000

POOLED = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionScore:
    """One retention row: its slice, and its scores 0..1 before and after."""

    slice_name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSlice:
    """``before`` and ``after`` are mean scores 0..1 over ``n`` rows; ``ratio`` is after / before."""

    name: str
    before: float
    after: float
    ratio: float
    low: float
    high: float
    n: int

    @property
    def degradation(self) -> float:
        """Share 0..1 of the earlier score that was lost; 0 = nothing lost or nothing to lose."""
        return max(0.0, 1 - self.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """``mean`` is the mean score after over the one before: 1 = nothing forgotten, above 1 = better.

    ``low``, ``high``: bootstrap 95 % interval. ``largest_degradation`` 0..1 is that of ``worst_slice``.
    """

    mean: float
    low: float
    high: float
    n: int
    largest_degradation: float
    worst_slice: str | None
    slices: tuple[RetentionSlice, ...]


_NOTHING = 1e-9


def retention(scores: Sequence[RetentionScore], *, rng: np.random.Generator) -> Retention | None:
    """Retention overall and by slice; slices of fewer than 5 rows are pooled.

    None where nothing can be told: without rows, and where the model before got none of them right.
    """
    if not scores or sum(score.before for score in scores) <= _NOTHING * len(scores):
        return None
    groups: defaultdict[str, list[RetentionScore]] = defaultdict(list)
    for score in scores:
        groups[score.slice_name].append(score)
    small = [name for name, rows in groups.items() if len(rows) < SLICE_MIN_ROWS]
    pooled = [row for name in small for row in groups.pop(name)]
    if pooled:
        groups[POOLED] += pooled
    slices = tuple(_slice(name, rows, rng) for name, rows in sorted(groups.items()))
    whole = _slice("", list(scores), rng)
    worst = max(slices, key=lambda s: s.degradation)
    return Retention(
        mean=whole.ratio,
        low=whole.low,
        high=whole.high,
        n=len(scores),
        largest_degradation=worst.degradation,
        worst_slice=worst.name if worst.degradation > 0 else None,
        slices=slices,
    )


def _slice(name: str, rows: Sequence[RetentionScore], rng: np.random.Generator) -> RetentionSlice:
    before = np.array([row.before for row in rows], dtype=np.float64)
    after = np.array([row.after for row in rows], dtype=np.float64)
    low, high = bootstrap_interval(before, after, rng)
    return RetentionSlice(
        name=name,
        before=float(before.mean()),
        after=float(after.mean()),
        ratio=_ratio(float(before.mean()), float(after.mean())),
        low=low,
        high=high,
        n=len(rows),
    )


def bootstrap_interval(
    before: Float64[ndarray, " n"], after: Float64[ndarray, " n"], rng: np.random.Generator
) -> tuple[float, float]:
    """95 % percentile interval of mean(after) / mean(before), rows redrawn in pairs (Efron 1979)."""
    ratios = []
    # One round at a time: 2,000 rounds over 100,000 rows at once would be gigabytes of indices.
    for _ in range(_BOOTSTRAP_ROUNDS):
        drawn = rng.integers(0, len(before), len(before))
        ratios.append(_ratio(float(before[drawn].mean()), float(after[drawn].mean())))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def _ratio(before: float, after: float) -> float:
    # Nothing to lose: nothing was lost. A quotient of less than this would not be finite.
    return after / before if before > _NOTHING else 1.0
