"""kNN-Shapley: what a row is worth to the nearest-neighbour vote on the other rows.

Jia et al. 2019, "Efficient task-specific data valuation for nearest neighbor algorithms", theorem 1: exact in
one pass over the neighbours of each row, from the farthest to the nearest. Only the nearest are looked at, as if
there were no others: what is left out moves a value by 1/cut at most (their theorem 2).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

_SHAPLEY_K: Final = 10
"""The k of the k-nearest-neighbour vote that the Shapley value divides (Jia et al. 2019 use 1 to 10)."""

SHAPLEY_PRIOR_ROWS: Final = 5.0
"""Votes worth nothing that are added to a row's: one row that disagrees is no proof."""


def worth(
    agrees: Bool[ndarray, "n m"], present: Bool[ndarray, "n m"], k: int = _SHAPLEY_K
) -> Float64[ndarray, "n m"]:
    """Shapley value of the i-th nearest neighbour for the vote on each row, about -1/k..1/k.

    ``agrees`` (n, m): it carries the row's label, nearest first; ``present`` (n, m): it exists (those that do
    come first). With every other row given as a neighbour the values are exact.
    """
    said = np.where(present, agrees, False).astype(np.float64)
    # s_i - s_(i+1) = (1[agrees_i] - 1[agrees_(i+1)]) / k * min(k, i) / i; beyond the last nothing agrees.
    following = np.zeros_like(said)
    following[:, :-1] = said[:, 1:]
    steps = np.where(present, (said - following) * rank_weights(agrees.shape[1], k), 0.0)
    return np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]


def rank_weights(cut: int, k: int = _SHAPLEY_K) -> Float64[ndarray, " m"]:
    """min(k, i) / (i k) of the ranks 1..cut: what a row's own agreement adds to its own value."""
    ranks = np.arange(1, cut + 1)
    return np.minimum(k, ranks) / ranks / k


def knn_shapley(
    near: Int64[ndarray, "n m"], classes: Int64[ndarray, " n"], k: int = _SHAPLEY_K
) -> Float64[ndarray, " n"]:
    """Mean worth of each row over the rows that it is a neighbour of, drawn to 0 where it is so of few.

    ``near`` (n, m): the nearest others of each row, nearest first, -1 = none. ``classes`` (n,): -1 = no label:
    such a row is not voted on.
    """
    voted = classes >= 0
    present = near >= 0
    agrees = present & (classes[near] == classes[:, None])
    values = np.where(voted[:, None], worth(agrees, present, k), 0.0)
    of = near[present & voted[:, None]]
    sums = np.bincount(of, weights=values[present & voted[:, None]], minlength=len(classes))
    asked = np.bincount(of, minlength=len(classes))
    return sums / (asked + SHAPLEY_PRIOR_ROWS)
