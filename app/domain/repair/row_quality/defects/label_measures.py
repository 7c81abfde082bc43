"""Label quality from out-of-sample probabilities, and kNN-Shapley, with the own and with a swapped label.

Northcutt, Jiang and Chuang 2021 ("Confident learning"): self-confidence is the probability that a model which
has not seen the row gives its label, the normalised margin that less the likeliest other label's. The model is
a ridge, whose leave-one-out scores have a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from app.domain.diagnosis.features.conflict import CONFUSION_FLOOR
from app.domain.diagnosis.features.extractor import PLACED_KAPPA
from app.domain.estimators import ridge_leave_one_out
from app.domain.estimators.knn_shapley import SHAPLEY_PRIOR_ROWS, knn_shapley, rank_weights, worth
from app.domain.estimators.ridge_leave_one_out import LABEL_CHUNK

_CHECKED_ROWS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMeasures:
    """``own`` and ``swapped`` (r, 3): -log self-confidence, -margin, -Shapley; larger = worse. ``placed``:
    labels follow from inputs better than chance. ``likelier`` (r,): position of a row with the label that
    fits best, -1 = the own one does. ``partner_class`` (r,): -1 = nothing was swapped."""

    own: Float64[ndarray, "r 3"]
    swapped: Float64[ndarray, "r 3"]
    self_confidence: Float64[ndarray, " r"]
    margin: Float64[ndarray, " r"]
    shapley: Float64[ndarray, " r"]
    likelier: Int64[ndarray, " r"]
    partner_class: Int64[ndarray, " r"]
    placed: bool


def measure_labels(
    vectors: Float32[ndarray, "r d"],
    classes: Int64[ndarray, " r"],
    labels: int,
    near: Int64[ndarray, "r m"],
    partner: Int64[ndarray, " r"],
) -> LabelMeasures:
    """``classes`` (r,) 0..labels-1, -1 = no label; ``partner`` (r,): position whose output is taken instead."""
    rows = len(classes)
    labelled = np.flatnonzero(classes >= 0)
    spread = np.linspace(0, len(labelled) - 1, min(_CHECKED_ROWS, len(labelled))).astype(np.int64)
    model = ridge_leave_one_out.fit(vectors[labelled], classes[labelled], labels, checked=spread)
    partner_class = np.where(partner >= 0, classes[partner], -1)
    own, other, best = np.full((rows, 2), 0.0), np.full((rows, 2), 0.0), np.full(rows, -1, dtype=np.int64)
    hits = 0
    for start in range(0, len(labelled), LABEL_CHUNK):
        part = labelled[start : start + LABEL_CHUNK]
        chance = model.probabilities(model.left_out_scores(vectors[part], classes[part])).astype(np.float64)
        best[part] = chance.argmax(axis=1)
        hits += int((best[part] == classes[part]).sum())
        own[part] = _confidence_and_margin(chance, classes[part])
        other[part] = _confidence_and_margin(chance, np.maximum(partner_class[part], 0))
    expected = float((np.bincount(classes[labelled], minlength=labels) / max(1, len(labelled))).max())
    kappa = (hits / max(1, len(labelled)) - expected) / max(1 - expected, 1e-9)
    shapley = knn_shapley(near, classes)
    shapley_swapped = _with_another_label(near, classes, partner_class)
    holders = np.full(labels, -1, dtype=np.int64)
    holders[classes[labelled]] = labelled
    floor = CONFUSION_FLOOR * 1e-3
    return LabelMeasures(
        own=np.column_stack([-np.log(own[:, 0] + floor), -own[:, 1], -shapley]),
        swapped=np.column_stack([-np.log(other[:, 0] + floor), -other[:, 1], -shapley_swapped]),
        self_confidence=own[:, 0],
        margin=own[:, 1],
        shapley=shapley,
        likelier=np.where((best >= 0) & (best != classes), holders[best], -1),
        partner_class=partner_class,
        placed=kappa >= PLACED_KAPPA,
    )


def _confidence_and_margin(
    chance: Float64[ndarray, "q K"], classes: Int64[ndarray, " q"]
) -> Float64[ndarray, "q 2"]:
    at = np.arange(len(chance))
    own = chance[at, classes]
    without = chance.copy()
    without[at, classes] = -1.0
    return np.column_stack([own, own - without.max(axis=1)])


def _with_another_label(
    near: Int64[ndarray, "r m"], classes: Int64[ndarray, " r"], partner_class: Int64[ndarray, " r"]
) -> Float64[ndarray, " r"]:
    """Shapley value of each row had it carried its partner's label and all others their own.

    A change of one neighbour's agreement moves its own value by the same step wherever it stands, so each is
    worked out on the row that asks: agreement of that neighbour is taken from the swapped label.
    """
    present = near >= 0
    agrees = present & (classes[near] == classes[:, None])
    agrees_swapped = present & (partner_class[near] == classes[:, None])
    voted = (classes >= 0)[:, None] & present
    moved = rank_weights(near.shape[1]) * (agrees_swapped.astype(np.float64) - agrees)
    values = worth(agrees, present) + moved
    of = near[voted]
    sums = np.bincount(of, weights=values[voted], minlength=len(classes))
    return sums / (np.bincount(of, minlength=len(classes)) + SHAPLEY_PRIOR_ROWS)
