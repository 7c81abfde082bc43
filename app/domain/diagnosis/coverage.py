"""Does anything in the training set cover this prompt?

kNN distance as an out-of-distribution score (Sun et al. 2022), read against the leave-one-out distances
of the training rows of the same task: a percentile, not a distance. And, where outputs repeat, whether
the expected label was ever taught at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from app.domain import thresholds
from app.domain.diagnosis.neighborhood import Neighborhoods, TrainingSet

FEATURES = (
    "nearest_rank",
    "five_rank",
    "twenty_rank",
    "text_rank",
    "label_unseen",
    "label_rows",
    "support_rank",
)
NEEDS_EXPECTED = frozenset(("label_unseen", "label_rows", "support_rank"))
NEEDS_OUTPUT: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Baseline:
    """Leave-one-out similarities of one task's training rows, each sorted ascending: what is normal here."""

    nearest: Float64[ndarray, " s"]
    five: Float64[ndarray, " s"]
    twenty: Float64[ndarray, " s"]
    text: Float64[ndarray, " s"]
    support: Float64[ndarray, " s"]


def _measures(around: Neighborhoods) -> tuple[Float64[ndarray, " q"], ...]:
    cosine = around.cosine.astype(np.float64)
    return (
        cosine[:, 0],
        cosine[:, :5].mean(axis=1),
        cosine.mean(axis=1),
        around.jaccard.max(axis=1, initial=0.0).astype(np.float64),
        np.where(around.expected, cosine, -1.0).max(axis=1, initial=-1.0),
    )


def baselines(training: TrainingSet) -> tuple[Baseline, ...]:
    """One a task; a task with too few sampled rows borrows the whole set's."""
    measures = _measures(training.sampled)
    tasks = training.tasks[training.sample]

    def of(rows: ndarray) -> Baseline:
        nearest, five, twenty, jaccards, support = (np.sort(m[rows]) for m in measures)
        return Baseline(nearest, five, twenty, jaccards, support)

    whole = of(np.ones(len(tasks), dtype=bool))
    count = training.task_count
    return tuple(
        of(tasks == t) if (tasks == t).sum() >= thresholds.BASELINE_MIN_ROWS else whole for t in range(count)
    )


def features(
    around: Neighborhoods,
    tasks: Int64[ndarray, " q"],
    known: tuple[Baseline, ...],
    expected_rows: Int64[ndarray, " q"],
    label_rows: Int64[ndarray, " n"],
) -> Float64[ndarray, "q f"]:
    """One row of ``FEATURES`` a prompt. Ranks are percentiles 0..1 among the task's own rows, on a log-odds
    scale near 0 so that the far tail stays visible; small = less covered."""
    measures = _measures(around)
    made = np.zeros((len(around), len(FEATURES)))
    for task in np.unique(tasks):
        rows = np.flatnonzero(tasks == task)
        base = known[task]
        sides = (base.nearest, base.five, base.twenty, base.text)
        for column, (side, values) in enumerate(zip(sides, measures[:4], strict=True)):
            made[rows, column] = _rank(side, values[rows])
        made[rows, 6] = _rank(base.support, measures[4][rows])
    made[:, 4] = np.where(expected_rows == 0, 1.0 - fresh_outputs(around, label_rows), 0.0)
    made[:, 5] = np.log1p(expected_rows)
    return made


def fresh_outputs(around: Neighborhoods, label_rows: Int64[ndarray, " n"]) -> Float64[ndarray, " q"]:
    """How likely an output is one that no row has, 0..1: the share of near rows whose output is theirs alone.

    Good 1953 (Good-Turing), taken locally: labels and computed amounts may live in one training set.
    """
    if not len(label_rows):
        return np.ones(len(around))
    alone = (label_rows[np.maximum(around.rows, 0)] == 1) & around.present
    return alone.sum(axis=1) / np.maximum(around.present.sum(axis=1), 1)


def evidence(
    features_row: Float64[ndarray, " f"], around: Neighborhoods, row: int, expected_rows: int
) -> dict[str, Any]:
    """Scores a person can read: cosines, and percentiles 0..1 among the training rows' own."""
    present = around.present[row]
    cosines = around.cosine[row][present]
    named = dict(zip(FEATURES, features_row, strict=False))
    return {
        "nearest_cosine": round(float(cosines[0]), 4) if cosines.size else None,
        "mean_of_five_cosine": round(float(cosines[:5].mean()), 4) if cosines.size else None,
        "nearest_percentile": _percentile(named["nearest_rank"]) if cosines.size else None,
        "mean_of_five_percentile": _percentile(named["five_rank"]) if cosines.size else None,
        "training_rows_with_expected_output": expected_rows,
    }


def _percentile(rank: float) -> float:
    return round(float(1.0 / (1.0 + np.exp(-rank))), 4)


def _rank(side: Float64[ndarray, " s"], values: Float64[ndarray, " q"]) -> Float64[ndarray, " q"]:
    """Log-odds of the percentile, plus how far below the smallest a value lies in spreads of the set."""
    n = len(side)
    if not n:
        return np.zeros(len(values))
    below = (np.searchsorted(side, values, side="left") + np.searchsorted(side, values, side="right")) / 2
    share = (below + 0.5) / (n + 1)
    low, middle = np.quantile(side, 0.05), np.quantile(side, 0.5)
    spread = max(middle - low, 1e-3)
    far = np.minimum(0.0, (values - low) / spread)
    return np.maximum(np.log(share / (1 - share)) + far, thresholds.RANK_FLOOR)
