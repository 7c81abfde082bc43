"""From a measure that ranks to a probability that a row is bad.

Rows of a training set are a mixture of right ones and an unknown share of bad ones; what bad ones look like is
seen on rows whose output was swapped for another's. The share is bounded from above by how many rows look as
the swapped ones do (mixture proportion estimation, Blanchard, Lee and Scott 2010; Elkan and Noto 2008), the
probability of one row follows from the ratio of the two densities.

Arrays in, arrays out: knows no texts.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

STATISTICAL_CEILING: Final = 0.75
"""What one statistic can say at most: below the score that is approved without a person."""

GROUP_MIN_ROWS: Final = 200
"""Tasks of fewer rows are judged together: a ranking of six measures is not learnt from less."""

_MOST_BAD: Final = 0.2
"""Where swapped rows look like the others no bound holds; more bad rows than this are no noise but another task."""

FOLDS: Final = 3
_TAIL_SHARES: Final = (0.5, 0.6, 0.7, 0.8)
"""Shares of the swapped rows at which the share of bad rows is bounded from above; the least bound counts. The
farthest half is left out: there stand outputs of other topics, which real mistakes seldom are."""

_JUDGE_C: Final = 0.3


def probability_bad(
    own: Float64[ndarray, "n f"], swapped: Float64[ndarray, "m f"], folds: Int64[ndarray, " n"]
) -> Float64[ndarray, " n"]:
    """Probability 0..1 that each row is bad, at most ``STATISTICAL_CEILING``.

    ``own`` (n, f): measures of the rows with their own output; ``swapped`` (m, f): with another row's.
    ``folds`` (n,): each row is ranked by a model that has not seen its fold. 0 everywhere where fewer than
    ``GROUP_MIN_ROWS`` rows are given, and near 0 where swapped rows look like the others.
    """
    if min(len(own), len(swapped)) < GROUP_MIN_ROWS:
        return np.zeros(len(own))
    ranks, of_swapped = _ranked(own, swapped, folds)
    share = _bad_share(ranks, of_swapped)
    joined = np.concatenate([ranks, of_swapped])
    is_swapped = np.concatenate([np.zeros(len(ranks)), np.ones(len(of_swapped))])
    weight = np.concatenate(
        [np.full(len(ranks), 1 / len(ranks)), np.full(len(of_swapped), 1 / len(of_swapped))]
    )
    fit = IsotonicRegression(out_of_bounds="clip").fit(joined, is_swapped, sample_weight=weight)
    looks = np.clip(fit.predict(ranks), 0.0, 1 - 1e-6)
    return np.minimum(share * looks / (1 - looks), STATISTICAL_CEILING)


def _ranked(
    own: Float64[ndarray, "n f"], swapped: Float64[ndarray, "m f"], folds: Int64[ndarray, " n"]
) -> tuple[Float64[ndarray, " n"], Float64[ndarray, " m"]]:
    """Log-odds of having been swapped, out of fold; one measure ranks by itself."""
    if own.shape[1] == 1:
        return own[:, 0], swapped[:, 0]
    mean, scale = swapped.mean(axis=0), np.maximum(swapped.std(axis=0), 1e-6)
    a, b = np.clip((own - mean) / scale, -8, 8), np.clip((swapped - mean) / scale, -8, 8)
    other = np.arange(len(b)) % FOLDS
    ranks, of_swapped = np.zeros(len(a)), np.zeros(len(b))
    for fold in range(FOLDS):
        left, right = folds % FOLDS == fold, other == fold
        points = np.concatenate([a[~left], b[~right]])
        truth = np.concatenate([np.zeros(int((~left).sum())), np.ones(int((~right).sum()))])
        model = LogisticRegression(C=_JUDGE_C, class_weight="balanced", max_iter=200).fit(points, truth)
        if left.any():
            ranks[left] = model.decision_function(a[left])
        if right.any():
            of_swapped[right] = model.decision_function(b[right])
    return ranks, of_swapped


def _bad_share(ranks: Float64[ndarray, " n"], swapped: Float64[ndarray, " m"]) -> float:
    """Upper bound of the share of bad rows: the least ratio of the two tails; ``_MOST_BAD`` where they are alike."""
    cuts = np.quantile(swapped, [1 - share for share in _TAIL_SHARES])
    above = len(ranks) - np.searchsorted(np.sort(ranks), cuts, side="left")
    of_swapped = np.maximum((swapped[None, :] >= cuts[:, None]).mean(axis=1), 1e-9)
    return float(np.clip((above / len(ranks) / of_swapped).min(), 0.0, _MOST_BAD))
