"""What the training rows themselves say about which label a prompt should have.

Ridge regression to one-hot labels over the vectors. The point of this old method: what it would say about a
training row *had that row been left out* has a closed form, so every row is judged by the others without
refitting (leave-one-out residuals of a linear smoother; Hastie, Tibshirani and Friedman 2009, eq. 7.64).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from app.domain.vectors import half_precision
from app.domain.vectors.half_precision import UnitVectors

LABEL_RIDGE: Final = 1.0
"""Ridge of the label model in units of one row: the vectors have norm 1."""

_LABEL_TEMPERATURES: Final = (0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.4, 1.0)
LABEL_CHUNK: Final = 2048
_CONFUSION_ROWS: Final = 20_000
"""Rows that tell which labels are taken for each other: as many as worlds are made of; rows of one label repeat
what its first hundreds say."""

MAX_LEVERAGE: Final = 0.999
"""A row that alone holds up its own prediction says nothing about itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelModel:
    """``weights`` (d, K), ``prior`` (K,): share of the rows by label. ``gram`` (d, d) is the inverse of the
    ridge's normal matrix. ``temperature`` turns scores into probabilities."""

    mean: Float32[ndarray, " d"]
    weights: Float32[ndarray, "d K"]
    prior: Float32[ndarray, " K"]
    gram: Float32[ndarray, "d d"]
    temperature: float

    @property
    def classes(self) -> int:
        return len(self.prior)

    def scores(self, vectors: Float32[ndarray, "q d"]) -> Float32[ndarray, "q K"]:
        """About 1 for the label that fits, about 0 for the others."""
        return (vectors - self.mean) @ self.weights + self.prior

    def left_out_scores(
        self, vectors: Float32[ndarray, "q d"], classes: Int64[ndarray, " q"]
    ) -> Float32[ndarray, "q K"]:
        """Scores of training rows of known class (-1 = none) by a model that has not seen them."""
        made = self.scores(vectors)
        centred = vectors - self.mean
        leverage = np.minimum(np.einsum("ij,ij->i", centred @ self.gram, centred), MAX_LEVERAGE)
        rows = np.flatnonzero(classes >= 0)
        target = np.zeros((len(rows), self.classes), dtype=np.float32)
        target[np.arange(len(rows)), classes[rows]] = 1.0
        made[rows] = target - (target - made[rows]) / (1.0 - leverage[rows, None])
        return made

    def probabilities(self, scores: Float32[ndarray, "q K"]) -> Float32[ndarray, "q K"]:
        return _softmax(scores, self.temperature)


def fit(
    vectors: UnitVectors,
    classes: Int64[ndarray, " n"],
    count: int,
    *,
    checked: Int64[ndarray, " s"],
) -> LabelModel:
    """``classes``: 0..count-1. ``checked``: rows by whose left-out scores the temperature is chosen."""
    rows, dimensions = vectors.shape
    mean = half_precision.mean(vectors)
    scatter = half_precision.scatter(vectors, mean[None])
    normal = scatter + np.float32(LABEL_RIDGE) * np.eye(dimensions, dtype=np.float32)
    gram = np.linalg.inv(normal.astype(np.float64)).astype(np.float32)
    prior = (np.bincount(classes, minlength=count) / max(1, rows)).astype(np.float32)
    weights = gram @ half_precision.class_sums(vectors, classes, count, mean).T
    made = LabelModel(mean=mean, weights=weights, prior=prior, gram=gram, temperature=1.0)
    if not len(checked):
        return made
    left_out, own = made.left_out_scores(vectors[checked], classes[checked]), classes[checked]
    losses = [
        -np.log(_softmax(left_out, t)[np.arange(len(own)), own] + 1e-9).mean() for t in _LABEL_TEMPERATURES
    ]
    return LabelModel(
        mean=mean,
        weights=weights,
        prior=prior,
        gram=gram,
        temperature=_LABEL_TEMPERATURES[int(np.argmin(losses))],
    )


def _softmax(scores: Float32[ndarray, "q K"], temperature: float) -> Float32[ndarray, "q K"]:
    if not scores.shape[1]:
        return scores
    shifted = np.exp((scores - scores.max(axis=1, keepdims=True)) / np.float32(temperature))
    return shifted / shifted.sum(axis=1, keepdims=True)


def confusions(
    model: LabelModel,
    vectors: UnitVectors,
    classes: Int64[ndarray, " n"],
    pairs: Int64[ndarray, "m 2"],
) -> Float64[ndarray, " m"]:
    """For pairs of labels (a, b): mean left-out probability 0..1 of b over the rows of a; 0 where a has none.

    Where the labels asked about have more than ``_CONFUSION_ROWS`` rows, over evenly spaced ones of the largest.
    """
    sums = np.zeros(len(pairs))
    order = np.argsort(pairs[:, 0], kind="stable")
    asked, first = np.unique(pairs[order, 0], return_index=True)
    bounds = np.append(first, len(order))
    position = {int(a): (int(bounds[i]), int(bounds[i + 1])) for i, a in enumerate(asked)}
    rows = np.flatnonzero(np.isin(classes, asked))
    rows = _spread(rows[np.argsort(classes[rows], kind="stable")], classes)
    rows_of = np.bincount(classes[rows], minlength=model.classes)
    for start in range(0, len(rows), LABEL_CHUNK):
        part = rows[start : start + LABEL_CHUNK]
        chance = model.probabilities(model.left_out_scores(vectors[part], classes[part]))
        edges = np.append(np.flatnonzero(np.diff(classes[part], prepend=-1)), len(part))
        for low, high in itertools.pairwise(edges):
            begin, end = position[int(classes[part[low]])]
            where = order[begin:end]
            sums[where] += chance[low:high][:, pairs[where, 1]].sum(axis=0)
    return sums / np.maximum(rows_of[pairs[:, 0]], 1)


def _spread(rows: Int64[ndarray, " r"], classes: Int64[ndarray, " n"]) -> Int64[ndarray, " k"]:
    """``_CONFUSION_ROWS`` at most of rows in the order of their classes: the same cap for every class."""
    if len(rows) <= _CONFUSION_ROWS:
        return rows
    _, first, counts = np.unique(classes[rows], return_index=True, return_counts=True)
    # what is left for each of the classes that are not smaller than it
    ascending = np.sort(counts)
    left = _CONFUSION_ROWS - np.concatenate([[0], np.cumsum(ascending)[:-1]])
    caps = left // np.arange(len(counts), 0, -1)
    cap = max(1, int(caps[np.argmax(ascending > caps)]))
    kept = [
        rows[begin + np.linspace(0, count - 1, min(count, cap)).astype(np.int64)]
        for begin, count in zip(first.tolist(), counts.tolist(), strict=True)
    ]
    return np.concatenate(kept)
