"""Do the two sides of a disagreement stand among each other, or each on its own ground?

Rows that contradict are interleaved: next to a row that says one thing stands one that says the other.
At a border between two labels each side keeps to itself, and a case on the wrong side of it is hard, not
contradicted. Nearest-neighbour two-sample statistic, Schilling 1986.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain.vectors.half_precision import UnitVectors

_INTERLEAVING_NEIGHBORS: Final = 3
_INTERLEAVING_PRIOR: Final = 1.0
"""Crossings added to what chance gives: one stray row of a side is no mixture."""

_INTERLEAVING_CHUNK: Final = 256


def interleaving(
    sides: Bool[ndarray, "s q k"], rows: Int64[ndarray, "q k"], vectors: UnitVectors
) -> Float64[ndarray, "s q"]:
    """For each way of taking sides: neighbours of the other side, as a share of what chance would give.

    About 0 = separate or one side only, about 1 = mixed at random; pulled to 0 where a side has few rows.
    """
    made = np.zeros(sides.shape[:2], dtype=np.float64)
    if not len(vectors):
        return made
    step = _INTERLEAVING_CHUNK
    for start in range(0, rows.shape[0], step):
        part = slice(start, start + step)
        closest, valid = _closest(rows[part], vectors)
        for way in range(sides.shape[0]):
            made[way, part] = _crossings(sides[way, part], rows[part] >= 0, closest, valid)
    return made


def _closest(
    rows: Int64[ndarray, "q k"], vectors: UnitVectors
) -> tuple[Int64[ndarray, "q k m"], Bool[ndarray, "q k m"]]:
    """The nearest few of each neighbour among the other neighbours, and which of them exist."""
    present = rows >= 0
    taken = vectors[np.maximum(rows, 0)]
    cosines = taken @ taken.transpose(0, 2, 1)
    cosines[np.broadcast_to(~present[:, None, :], cosines.shape)] = -np.inf
    width = rows.shape[1]
    cosines[:, np.arange(width), np.arange(width)] = -np.inf
    few = min(_INTERLEAVING_NEIGHBORS, width - 1)
    closest = np.argpartition(-cosines, few - 1, axis=2)[:, :, :few]
    return closest, np.isfinite(np.take_along_axis(cosines, closest, axis=2))


def _crossings(
    side: Bool[ndarray, "q k"],
    present: Bool[ndarray, "q k"],
    closest: Int64[ndarray, "q k m"],
    valid: Bool[ndarray, "q k m"],
) -> Float64[ndarray, " q"]:
    queries = np.arange(side.shape[0])[:, None, None]
    crossing = (side[queries, closest] != side[:, :, None]) & valid & present[:, :, None]
    asked = np.maximum(valid.sum(axis=2), 1)
    observed = (crossing.sum(axis=2) / asked).sum(axis=1)
    count = present.sum(axis=1)
    ours, theirs = (side & present).sum(axis=1), (~side & present).sum(axis=1)
    by_chance = 2.0 * ours * theirs / np.maximum(count - 1, 1)
    return observed / (by_chance + _INTERLEAVING_PRIOR)
