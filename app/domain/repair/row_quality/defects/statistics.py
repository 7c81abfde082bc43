"""What the other rows say about a row's output: label quality, kNN-Shapley, and whether it answers its input.

Every measure is out of sample: a row is judged by models that have not seen it. Each is taken twice, with the
row's own output and with another row's, so that what a wrong output looks like is seen in this very set.
Does not judge outputs that do not follow from their inputs (option letters): there both look the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain.answers.contradiction import LABEL_TASK_SHARE
from app.domain.answers.labels import LABEL_MIN_ROWS
from app.domain.estimators.noise_mixture import FOLDS, GROUP_MIN_ROWS, probability_bad
from app.domain.language import text
from app.domain.repair.row_quality.defects import mismatch_measures
from app.domain.repair.row_quality.defects.label_measures import LabelMeasures, measure_labels
from app.domain.repair.row_quality.defects.reading import Reading

_SWAPPED_NEAR: Final = 0.5
"""Share of the swapped outputs that come from a near row: real mistakes are seldom far off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """One entry per row. ``self_confidence`` 0..1, ``margin`` -1..1 and ``shapley`` (larger = better) are
    NaN where the row has no label that follows from its input. ``label_quality``, ``shapley_quality`` and
    ``mismatch``: probability 0..1 that the row is bad. ``likelier``: row that carries the label that fits
    best, -1 = its own. ``fit`` 0..1: rank of the output's fit to its input among the task's rows."""

    self_confidence: Float64[ndarray, " n"]
    margin: Float64[ndarray, " n"]
    shapley: Float64[ndarray, " n"]
    likelier: Int64[ndarray, " n"]
    label_quality: Float64[ndarray, " n"]
    shapley_quality: Float64[ndarray, " n"]
    mismatch: Float64[ndarray, " n"]
    fit: Float64[ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class JudgedRows(Reading):
    """A reading whose rows are judged by each other, once."""

    @cached_property
    def statistics(self) -> Statistics:
        return statistics(self)


def statistics(reading: Reading) -> Statistics:
    """Judge every row of a training set by the others."""
    rows = len(reading)
    rng = np.random.default_rng(reading.seed)
    made = Statistics(
        self_confidence=np.full(rows, np.nan),
        margin=np.full(rows, np.nan),
        shapley=np.full(rows, np.nan),
        likelier=np.full(rows, -1, dtype=np.int64),
        label_quality=np.zeros(rows),
        shapley_quality=np.zeros(rows),
        mismatch=np.zeros(rows),
        fit=np.full(rows, 0.5),
    )
    folds = rng.integers(FOLDS, size=rows)
    overlap = mismatch_measures.Overlap.of(reading) if rows else None
    small: list[Int64[ndarray, " r"]] = []
    for members in reading.task_rows:
        spoken = members[[bool(reading.normal[r]) and reading.prose[r] for r in members.tolist()]]
        if len(spoken) >= GROUP_MIN_ROWS:
            _judge(made, reading, spoken, overlap, folds, rng)
        elif len(spoken):
            small.append(spoken)
    rest = np.sort(np.concatenate(small)) if small else np.zeros(0, dtype=np.int64)
    if len(rest) >= GROUP_MIN_ROWS:
        _judge(made, reading, rest, overlap, folds, rng)
    return made


def _judge(
    made: Statistics,
    reading: Reading,
    rows: Int64[ndarray, " r"],
    overlap: mismatch_measures.Overlap | None,
    folds: Int64[ndarray, " n"],
    rng: np.random.Generator,
) -> None:
    if overlap is None:
        return
    near = _inside(reading, rows)
    classes, labels = _classes(reading, rows)
    partner = _partners(np.array([text.stable_hash(reading.normal[r]) for r in rows.tolist()]), near, rng)
    swapped = partner >= 0
    if not swapped.any():
        return  # every row says the same
    own = mismatch_measures.measure(reading, overlap, rows, np.arange(len(rows)), near)
    other = mismatch_measures.measure(
        reading, overlap, rows, np.where(swapped, partner, np.arange(len(rows))), near
    )
    found = (
        measure_labels(reading.input_vectors[rows], classes, labels, near, partner) if labels > 1 else None
    )
    if found is not None and found.placed:
        _judge_labels(made, rows, classes, found, folds, swapped)
        has = np.asarray(classes >= 0)
        own = np.column_stack([own, np.where(has[:, None], found.own, 0.0), np.logical_not(has)])
        other = np.column_stack([other, np.where(has[:, None], found.swapped, 0.0), np.logical_not(has)])
    chance = probability_bad(own, other[swapped], folds[rows])
    made.mismatch[rows] = np.where(_own_words(reading, rows) | (classes >= 0), chance, 0.0)
    made.fit[rows] = _rank(-own[:, 0])


def _judge_labels(
    made: Statistics,
    rows: Int64[ndarray, " r"],
    classes: Int64[ndarray, " r"],
    found: LabelMeasures,
    folds: Int64[ndarray, " n"],
    swapped: Bool[ndarray, " r"],
) -> None:
    has = classes >= 0
    chosen = rows[has]
    made.self_confidence[chosen] = found.self_confidence[has]
    made.margin[chosen] = found.margin[has]
    made.shapley[chosen] = found.shapley[has]
    made.likelier[chosen] = np.where(found.likelier[has] >= 0, rows[found.likelier[has]], -1)
    both = has & swapped & (found.partner_class >= 0)
    made.label_quality[chosen] = probability_bad(
        found.own[has][:, :2], found.swapped[both][:, :2], folds[chosen]
    )
    made.shapley_quality[chosen] = probability_bad(
        found.own[has][:, 2:], found.swapped[both][:, 2:], folds[chosen]
    )


def _classes(reading: Reading, rows: Int64[ndarray, " r"]) -> tuple[Int64[ndarray, " r"], int]:
    """Number of each row's label, -1 = its output is none; 0 labels where outputs seldom repeat."""
    keys = [(int(reading.tasks[r]), reading.normal[r]) for r in rows.tolist()]
    kept = [k for k in dict.fromkeys(keys) if reading.output_rows[k] >= LABEL_MIN_ROWS]
    numbers = {key: i for i, key in enumerate(kept)}
    classes = np.array([numbers.get(key, -1) for key in keys], dtype=np.int64)
    is_label_task = (classes >= 0).mean() >= LABEL_TASK_SHARE
    return (classes, len(numbers)) if is_label_task else (np.full(len(rows), -1, dtype=np.int64), 0)


def _own_words(reading: Reading, rows: Int64[ndarray, " r"]) -> Bool[ndarray, " r"]:
    """Rows whose output is their own. A name that a few rows share says nothing by its words; nor does a name of
    one row where most outputs are shared."""
    alone = np.array(
        [reading.output_rows[int(reading.tasks[r]), reading.normal[r]] == 1 for r in rows.tolist()]
    )
    named = bool(np.logical_not(alone).mean() >= LABEL_TASK_SHARE)
    return np.zeros(len(rows), dtype=bool) if named else alone


def _inside(reading: Reading, rows: Int64[ndarray, " r"]) -> Int64[ndarray, "r k"]:
    """Nearest rows of the group, nearest first, as positions in ``rows``; -1 fills up."""
    position = np.full(len(reading) + 1, -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    found = position[reading.near.indices[rows]]
    order = np.argsort(found < 0, axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def _partners(
    said: Int64[ndarray, " r"], near: Int64[ndarray, "r k"], rng: np.random.Generator
) -> Int64[ndarray, " r"]:
    """For each row the position of one with another output, half of them near; -1 = none was drawn."""
    rows, k = near.shape
    drawn = rng.integers(rows, size=(rows, 4))
    columns = rng.integers(k, size=(rows, 8))
    close = np.take_along_axis(near, columns, axis=1)
    prefer_close = rng.random(rows) < _SWAPPED_NEAR
    close[~prefer_close] = -1
    candidates = np.concatenate([close, drawn], axis=1)
    fits = (candidates >= 0) & (said[candidates] != said[:, None])
    first = fits.argmax(axis=1)
    return np.where(fits.any(axis=1), candidates[np.arange(rows), first], -1)


def _rank(values: Float64[ndarray, " r"] | Float32[ndarray, " r"]) -> Float64[ndarray, " r"]:
    """Rank 0..1, 1 = largest."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(1, len(values) - 1)
