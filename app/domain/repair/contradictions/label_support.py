"""Label support: how close a row is to rows with its own output, and to rows with the neighbour's.

Whether two near rows with different outputs contradict each other shows in their support: a hard negative
has its own output's other rows near it, a wrong row has left them behind. Pairs are directed: ``left`` is the
row asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from app.domain.repair.contradictions import paraphrase
from app.domain.repair.contradictions.paraphrase import PairViews

_OPPOSING_PER_ROW: Final = 6
_COMPANY_SLOTS: Final = 3
"""Rows with a row's own output that speak for it: the nearest, then any others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opposition:
    """Pairs of near rows whose outputs differ; ``columns`` (p, c) describes them."""

    left: Int64[ndarray, " p"]
    right: Int64[ndarray, " p"]
    columns: Float32[ndarray, "p c"]


COLUMNS = (
    *paraphrase.COLUMNS,
    "own_support",
    "other_support",
    "nearer_than_own_support",
    "nearer_than_other_support",
    "nearer_than_both",
    "near_other_support",
    "own_support_near_other",
    "fits_other_support",
    "other_fits_own_support",
    "rows_with_output",
    "rows_with_other_output",
)
"""After the pair's own columns: cosines of each side to the rows that share its output, their differences
from the pair's cosine, how near each side stands to the other's support, and how many rows (at most 4) have
each output."""


def opposition(
    views: PairViews, outputs: Int64[ndarray, " n"], rows: Int64[ndarray, " m"] | None = None
) -> Opposition:
    """The nearest few rows with another output of every row (or of ``rows``)."""
    asked = np.arange(len(views)) if rows is None else rows
    near = views.neighbors.indices[asked]
    others = (near >= 0) & (outputs[near] != outputs[asked][:, None])
    places = np.argsort(~others, axis=1, kind="stable")[:, :_OPPOSING_PER_ROW]
    which, column = np.nonzero(np.take_along_axis(others, places, axis=1))
    left, right = asked[which], near[which, places[which, column]]
    pairs = paraphrase.columns(views, left, right)
    return Opposition(
        left=left,
        right=right,
        columns=np.column_stack([pairs, _support_columns(views, outputs, left, right, pairs[:, 0])]).astype(
            np.float32
        ),
    )


def _support_columns(
    views: PairViews,
    outputs: Int64[ndarray, " n"],
    left: Int64[ndarray, " p"],
    right: Int64[ndarray, " p"],
    cosine: Float32[ndarray, " p"],
) -> Float32[ndarray, "p c"]:
    concerned = np.unique(np.concatenate([left, right]))
    place = np.zeros(len(views), dtype=np.int64)
    place[concerned] = np.arange(len(concerned))
    counts = np.bincount(outputs)
    support = support_of(views, outputs, concerned)
    # Where there is no support, it is as far as an ordinary row's last neighbour.
    nothing = float(np.quantile(views.neighbors.similarities[:, -1], 0.1)) if len(views) else 0.0
    near, fit = _closeness(views, concerned, support, nothing)
    own, other = near[place[left]], near[place[right]]
    left_near, left_fit = _closeness(views, left, support[place[right]], nothing)
    right_near, right_fit = _closeness(views, right, support[place[left]], nothing)
    return np.column_stack(
        [
            own,
            other,
            cosine - own,
            cosine - other,
            np.minimum(cosine - own, cosine - other),
            left_near,
            right_near,
            left_fit - fit[place[right]],
            right_fit - fit[place[left]],
            np.minimum(counts[outputs[left]], 4),
            np.minimum(counts[outputs[right]], 4),
        ]
    ).astype(np.float32)


def support_of(
    views: PairViews, outputs: Int64[ndarray, " n"], rows: Int64[ndarray, " m"]
) -> Int64[ndarray, "m s"]:
    """Up to three other rows with each row's output: neighbours first, then any; -1 where there are fewer."""
    slots = _COMPANY_SLOTS
    near = views.neighbors.indices[rows]
    same = (near >= 0) & (outputs[near] == outputs[rows][:, None])
    width = min(slots, near.shape[1])
    places = np.argsort(~same, axis=1, kind="stable")[:, :width]
    support = np.full((len(rows), slots), -1, dtype=np.int64)
    support[:, :width] = np.where(
        np.take_along_axis(same, places, axis=1), np.take_along_axis(near, places, axis=1), -1
    )
    order = np.argsort(outputs, kind="stable")
    counts = np.bincount(outputs)
    starts = np.concatenate([[0], np.cumsum(counts)])
    position = np.empty(len(outputs), dtype=np.int64)
    position[order] = np.arange(len(outputs)) - starts[outputs[order]]
    size = counts[outputs[rows]]
    for slot in range(slots):
        # The next in the circle of rows with this output: never the row itself while the step is shorter.
        step = 1 + slot
        candidate = order[starts[outputs[rows]] + (position[rows] + step) % size]
        free = (support[:, slot] < 0) & (step < size) & ~(support == candidate[:, None]).any(axis=1)
        support[:, slot] = np.where(free, candidate, support[:, slot])
    return support


def _closeness(
    views: PairViews, rows: Int64[ndarray, " p"], support: Int64[ndarray, "p s"], nothing: float
) -> tuple[Float32[ndarray, " p"], Float32[ndarray, " p"]]:
    """Largest and mean cosine of each row to its support; ``nothing`` where it has none."""
    present = support >= 0
    cosines = np.stack([paraphrase.cosines(views.vectors, rows, np.maximum(c, 0)) for c in support.T], axis=1)
    members = present.sum(axis=1)
    largest = np.where(present, cosines, -np.inf).max(axis=1, initial=-np.inf)
    mean = np.where(present, cosines, 0.0).sum(axis=1) / np.maximum(members, 1)
    has = members > 0
    return np.where(has, largest, nothing).astype(np.float32), np.where(has, mean, nothing).astype(np.float32)
