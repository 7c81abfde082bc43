"""Does anything in the training set cover this prompt?

Several one-class scores side by side: kNN distance (Sun et al. 2022), Mahalanobis distance to the task and to
its labels (``mahalanobis``), n-grams never seen (``ngram_frequencies``) or never seen in the label it looks most like
(``label_words``), how that label stands among the near rows, length, and whether the label model recognises
anything. Each is read against what the training rows of the same task score when left out themselves: a
percentile, not a distance. And, where outputs repeat, whether the expected label was ever taught at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain.diagnosis.features.neighbors import Near
from app.domain.evidence import CoverageFigures

BASELINE_MIN_ROWS: Final = 40
"""Below this a task's own quantiles are noise."""

_RANK_FLOOR: Final = -10.0
"""Log-odds at which far is far enough: 1 in 20,000."""


MEASURES = (
    "nearest",
    "mean_of_five",
    "mean_of_all",
    "text_overlap",
    "task_distance",
    "label_distance",
    "label_angle",
    "unseen_short_grams",
    "unseen_long_grams",
    "surprisal",
    "label_neighbors",
    "label_share",
    "label_words",
    "label_short_grams",
    "label_long_grams",
    "label_fit",
    "shortness",
    "longness",
    "support",
)
FEATURES = (*(f"{m}_rank" for m in MEASURES), "farthest_rank", "label_unseen")
NEEDS_EXPECTED = frozenset(("label_unseen", "support_rank"))
NEEDS_OUTPUT: frozenset[str] = frozenset()
_UNTOLD = ("support", "mean_of_all", "shortness", "longness")
"""Told otherwise, or twice."""

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
        Baseline(np.sort(measured[tasks == t], axis=0)) if (tasks == t).sum() >= BASELINE_MIN_ROWS else whole
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
    made[:, -1] = np.where(placed & (expected_rows == 0), 1.0 - fresh, 0.0)
    return made


def in_label(
    near: Near, labels: Int64[ndarray, " n"], nearest: Int64[ndarray, " q"]
) -> Float64[ndarray, "q 2"]:
    """How near the five nearest rows of the label are that the prompt looks most like, -1..1, and what share
    0..1 of the near rows (nearer ones count for more) that label has; 0 where there is no such label.

    What was never taught has near rows of several labels, and few of the one it resembles most.
    """
    if not len(labels):
        return np.zeros((len(near), 2))
    inside = (labels[np.maximum(near.rows, 0)] == nearest[:, None]) & near.present
    cosine = near.cosine.astype(np.float64)
    # fewer than five among them: the others are no nearer than the farthest of these
    edge = np.where(near.present, cosine, 1.0).min(axis=1, initial=1.0)
    ordered = np.sort(np.where(inside, cosine, edge[:, None]), axis=1)[:, ::-1][:, :5]
    weight = np.exp(8.0 * cosine) * near.present
    share = (weight * inside).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
    return np.where((nearest >= 0)[:, None], np.column_stack([ordered.mean(axis=1), share]), 0.0)


def evidence(
    features_row: Float64[ndarray, " f"], cosines: ndarray, expected_rows: int, *, labelled: bool = True
) -> CoverageFigures:
    """Scores a person can read. Measures against labels are told where the task has any (``labelled``)."""
    near = bool(cosines.size)
    outside = {m: _outside(features_row[i]) for i, m in enumerate(MEASURES)} if near else {}
    return CoverageFigures(
        nearest_cosine=float(cosines[0]) if near else None,
        mean_of_five_cosine=float(cosines[:5].mean()) if near else None,
        nearest_percentile=outside.pop("nearest", None),
        mean_of_five_percentile=outside.get("mean_of_five"),
        training_rows_with_expected_output=expected_rows,
        methods={
            m: p for m, p in outside.items() if m not in _UNTOLD and (labelled or not m.startswith("label_"))
        },
    )


def _outside(rank: float) -> float:
    return float(1.0 / (1.0 + np.exp(rank)))


def _rank(side: Float64[ndarray, " s"], values: Float64[ndarray, " q"]) -> Float64[ndarray, " q"]:
    n = len(side)
    if not n:
        return np.zeros(len(values))
    below = (np.searchsorted(side, values, side="left") + np.searchsorted(side, values, side="right")) / 2
    share = (below + 0.5) / (n + 1)
    low, middle = np.quantile(side, 0.05), np.quantile(side, 0.5)
    spread = max(middle - low, 1e-3 * max(1.0, abs(middle)))
    far = np.minimum(0.0, (values - low) / spread)
    return np.maximum(np.log(share / (1 - share)) + far, _RANK_FLOOR)
