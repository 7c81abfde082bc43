"""Which rows of a label task carry a wrong label, told by trusted answers.

The bad cases' expected outputs are *anchors*: inputs whose right label is known. In a region where half
of the rows carry a sibling's label nothing inside the training set can tell the sides apart; an anchor
can. A ridge classifier on the input vectors and a noise matrix P(given label | true label) are fitted in
turns (expectation-maximisation with a noise-transition model: Dawid & Skene 1979; Bekker & Goldberger
2016), anchored by the trusted answers. Every row is judged by a classifier that has not seen it.

Arrays in, arrays out: knows no texts, no rows, no policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain.repair.resolution.expected_output import ANCHOR_WEIGHT

# Ridge penalty on unit vectors: one row's worth of every direction.
_RIDGE_PENALTY: Final = 1.0

# Rounds of expectation-maximisation; measured to settle in three.
_EM_ROUNDS: Final = 8

# A suspicious row still speaks a little for its own label: so a label that no bad case expects keeps
# its region.
_SUSPECT_MIN_WEIGHT: Final = 0.02


_TEMPERATURES = (0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEstimate:
    """What the rows' labels should be.

    ``posteriors`` (n, l): P(true label | input, given label), rows sum to 1, zero outside a row's
    candidates. ``noise`` (l, l): estimated P(given | true), rows sum to 1. ``anchor_predictions`` (m,): the
    label that the classifier gives each anchor, that anchor left out. ``probabilities`` (n, l): P(true label |
    input) alone, the row left out, rows sum to 1.
    """

    posteriors: Float64[ndarray, "n l"]
    probabilities: Float64[ndarray, "n l"]
    noise: Float64[ndarray, "l l"]
    anchor_predictions: Int64[ndarray, " m"]


def estimate_labels(
    *,
    vectors: Float64[ndarray, "n d"],
    given: Int64[ndarray, " n"],
    own_share: Float64[ndarray, " n"],
    anchor_vectors: Float64[ndarray, "m d"],
    anchor_labels: Int64[ndarray, " m"],
    confusable: Bool[ndarray, "l l"],
) -> LabelEstimate:
    """Estimate the true label of every row.

    ``given`` (n,) and ``anchor_labels`` (m,) number the labels 0..l-1. ``own_share`` (n,), 0..1: share
    of a row's near rows that carry its label. ``confusable[a, b]``: some bad case that expects ``a`` was
    contradicted by ``b``, so rows labelled ``b`` may in truth be ``a``; all other rows keep their label.
    """
    rows, anchors, labels = len(given), len(anchor_labels), confusable.shape[0]
    candidates = confusable.T[given]
    candidates[np.arange(rows), given] = True
    suspect = candidates.sum(axis=1) > 1

    points = _centred(np.vstack([anchor_vectors, vectors]))
    posteriors = np.zeros((rows, labels))
    posteriors[np.arange(rows), given] = 1.0
    # A suspicious row is believed as far as its neighbours carry its label: not at all in a 50 % mixture.
    trust = np.where(suspect, np.clip((own_share - 0.5) / 0.4, _SUSPECT_MIN_WEIGHT, 1.0), 1.0)
    settled = ~suspect & (own_share >= 0.5)
    trusted = np.concatenate([np.arange(anchors), anchors + np.flatnonzero(settled)])
    trusted_labels = np.concatenate([anchor_labels, given[settled]])
    noise = np.eye(labels)
    probabilities = np.full((anchors + rows, labels), 1.0 / labels)
    scores = np.zeros((anchors + rows, labels))

    for round_number in range(_EM_ROUNDS):
        targets = np.vstack([np.eye(labels)[anchor_labels], posteriors])
        weights = np.concatenate([np.full(anchors, ANCHOR_WEIGHT), trust])
        scores = leave_one_out_ridge(points, targets, weights)
        probabilities = softmax(scores / _temperature(scores[trusted], trusted_labels))
        # The first round knows nothing of the noise yet: every candidate label is as likely to be given.
        likelihood = noise[:, given].T if round_number else 1.0
        posteriors = probabilities[anchors:] * likelihood * candidates
        totals = posteriors.sum(axis=1, keepdims=True)
        posteriors = np.where(totals > 0, posteriors / np.maximum(totals, 1e-300), np.eye(labels)[given])
        noise = _noise_matrix(posteriors, given)
        certainty = np.clip(2 * posteriors.max(axis=1) - 1, _SUSPECT_MIN_WEIGHT, 1.0)
        trust = np.where(suspect, certainty, 1.0)

    return LabelEstimate(
        posteriors=posteriors,
        probabilities=probabilities[anchors:],
        noise=noise,
        anchor_predictions=scores[:anchors].argmax(axis=1),
    )


def leave_one_out_ridge(
    points: Float64[ndarray, "n d"], targets: Float64[ndarray, "n l"], weights: Float64[ndarray, " n"]
) -> Float64[ndarray, "n l"]:
    """Scores (n, l) of a weighted ridge regression for each point, fitted without that point.

    Exact in closed form from the leverages (regularised least-squares classification, Rifkin & Lippert
    2007): (f - h y) / (1 - h). Larger = more of that label.
    """
    mean = np.average(targets, axis=0, weights=weights)
    centred = targets - mean
    weighted = points * weights[:, None]
    gram = points.T @ weighted + _RIDGE_PENALTY * np.eye(points.shape[1])
    projected = np.linalg.solve(gram, points.T).T
    fitted = projected @ (weighted.T @ centred)
    leverage = np.minimum(np.einsum("ij,ij->i", projected, weighted), 0.999)[:, None]
    return (fitted - leverage * centred) / (1 - leverage) + mean


def softmax(scores: Float64[ndarray, "n l"]) -> Float64[ndarray, "n l"]:
    """Rows that sum to 1."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _centred(points: Float64[ndarray, "n d"]) -> Float64[ndarray, "n d1"]:
    centred = points - points.mean(axis=0)
    return np.hstack([centred, np.full((len(points), 1), 0.3)])


def _temperature(scores: Float64[ndarray, "t l"], labels: Int64[ndarray, " t"]) -> float:
    """The softmax temperature that fits the trusted points best (temperature scaling, Guo et al. 2017)."""

    def loss(temperature: float) -> float:
        probabilities = softmax(scores / temperature)[np.arange(len(labels)), labels]
        return -float(np.log(probabilities + 1e-9).mean())

    return min(_TEMPERATURES, key=loss)


def _noise_matrix(
    posteriors: Float64[ndarray, "n l"], given: Int64[ndarray, " n"]
) -> Float64[ndarray, "l l"]:
    """P(given | true) from soft counts; one pseudo-row for each label (Laplace)."""
    labels = posteriors.shape[1]
    counts = np.zeros((labels, labels))
    np.add.at(counts.T, given, posteriors)
    counts += np.eye(labels)
    return counts / counts.sum(axis=1, keepdims=True)
