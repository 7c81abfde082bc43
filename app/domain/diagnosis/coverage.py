"""Does anything in the training set cover this prompt?

Several one-class scores side by side: kNN distance (Sun et al. 2022), Mahalanobis distance to the task and to
its labels (``one_class``), n-grams never seen (``lexicon``), length, and whether the label model recognises
anything. Each is read against what the training rows of the same task score when left out themselves: a
percentile, not a distance. And, where outputs repeat, whether the expected label was ever taught at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain import thresholds

MEASURES = (
    "nearest",
    "mean_of_five",
    "mean_of_all",
    "text_overlap",
    "task_distance",
    "label_distance",
    "unseen_short_grams",
    "unseen_long_grams",
    "surprisal",
    "label_fit",
    "shortness",
    "longness",
    "support",
)
FEATURES = (*(f"{m}_rank" for m in MEASURES), "farthest_rank", "label_unseen", "label_rows")
NEEDS_EXPECTED = frozenset(("label_unseen", "label_rows", "support_rank"))
NEEDS_OUTPUT: frozenset[str] = frozenset()
_COVERING = tuple(i for i, m in enumerate(MEASURES) if m != "support")


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is normal in one task: the left-out measures of its rows, each column ascending. (s, measures)."""

    columns: Float64[ndarray, "s m"]

    def ranks(self, measured: Float64[ndarray, "q m"]) -> Float64[ndarray, "q m"]:
        """Log-odds of the percentiles, near 0 an ordinary row; how far below the smallest a value lies is
        kept, in spreads of the task."""
        made = np.zeros(measured.shape)
        for column in range(measured.shape[1]):
            made[:, column] = _rank(self.columns[:, column], measured[:, column])
        return made


def baselines(
    measured: Float64[ndarray, "s m"], tasks: Int64[ndarray, " s"], task_count: int
) -> tuple[Baseline, ...]:
    """One a task; a task with too few sampled rows borrows the whole set's."""
    whole = Baseline(np.sort(measured, axis=0))
    return tuple(
        Baseline(np.sort(measured[tasks == t], axis=0))
        if (tasks == t).sum() >= thresholds.BASELINE_MIN_ROWS
        else whole
        for t in range(task_count)
    )


def features(
    measured: Float64[ndarray, "q m"],
    tasks: Int64[ndarray, " q"],
    known: tuple[Baseline, ...],
    *,
    expected_rows: Int64[ndarray, " q"],
    placed: Bool[ndarray, " q"],
    fresh: Float64[ndarray, " q"],
) -> Float64[ndarray, "q f"]:
    """One row of ``FEATURES`` a prompt; small ranks = less covered.

    ``expected_rows``: training rows with the expected output, which says something where the labels of a task
    are ``placed``. ``fresh``: how likely an output is one that no row has, 0..1.
    """
    made = np.zeros((len(measured), len(FEATURES)))
    for task in np.unique(tasks):
        rows = np.flatnonzero(tasks == task)
        made[rows, : len(MEASURES)] = known[task].ranks(measured[rows])
    made[:, len(MEASURES)] = made[:, _COVERING].min(axis=1)
    made[:, -2] = np.where(placed & (expected_rows == 0), 1.0 - fresh, 0.0)
    made[:, -1] = np.where(placed, np.log1p(expected_rows), 0.0)
    return made


def evidence(features_row: Float64[ndarray, " f"], cosines: ndarray, expected_rows: int) -> dict[str, Any]:
    """Scores a person can read: cosines, and percentiles 0..1 among the training rows' own."""
    named = dict(zip(FEATURES, features_row, strict=False))
    near = bool(cosines.size)
    return {
        "nearest_cosine": round(float(cosines[0]), 4) if near else None,
        "mean_of_five_cosine": round(float(cosines[:5].mean()), 4) if near else None,
        "nearest_percentile": _percentile(named["nearest_rank"]) if near else None,
        "mean_of_five_percentile": _percentile(named["mean_of_five_rank"]) if near else None,
        "training_rows_with_expected_output": expected_rows,
        "methods": {
            m: _percentile(named[f"{m}_rank"])
            for m in MEASURES
            if m not in ("support", "nearest", "mean_of_all")
        }
        if near
        else {},
    }


def _percentile(rank: float) -> float:
    return round(float(1.0 / (1.0 + np.exp(-rank))), 4)


def _rank(side: Float64[ndarray, " s"], values: Float64[ndarray, " q"]) -> Float64[ndarray, " q"]:
    n = len(side)
    if not n:
        return np.zeros(len(values))
    below = (np.searchsorted(side, values, side="left") + np.searchsorted(side, values, side="right")) / 2
    share = (below + 0.5) / (n + 1)
    low, middle = np.quantile(side, 0.05), np.quantile(side, 0.5)
    spread = max(middle - low, 1e-3 * max(1.0, abs(middle)))
    far = np.minimum(0.0, (values - low) / spread)
    return np.maximum(np.log(share / (1 - share)) + far, thresholds.RANK_FLOOR)
