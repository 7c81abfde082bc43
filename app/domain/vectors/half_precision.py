"""Unit vectors as they are kept, half as large: float16 rows that are widened where they are read.

Reads like an array of float32 rows as far as rows are taken from it. Knows blocks, sums and scatters of rows, so
that no caller needs all of them wide at once. Does not know what rows mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float16, Float32, Int32, Int64
from numpy import ndarray

BLOCK_ROWS = 1 << 15
"""Widened at once: 64 MiB of 512 dimensions. A resource bound."""


def unit(rows: Float16[ndarray, "n d"]) -> Float32[ndarray, "n d"]:
    """The rows as float32 of L2 norm 1; a zero row stays one."""
    made = rows.astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", made, made))[:, None]
    return np.divide(made, norms, out=made, where=norms > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRows:
    """n vectors: ``places`` (n,) are their rows in ``table`` (u, d), -1 = the zero vector. Texts that repeat share
    a row. A float32 table holds unit rows already (``widened_once``)."""

    table: Float16[ndarray, "u d"] | Float32[ndarray, "u d"]
    places: Int32[ndarray, " n"]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.places), self.table.shape[1]

    def __getitem__(self, index: Any) -> Float32[ndarray, "*s d"]:
        """The rows that ``index`` (a number, a slice, a mask, an array of numbers) names, float32 of norm 1."""
        at = self.places[index]
        flat = np.ravel(at)
        made = np.zeros((len(flat), self.table.shape[1]), dtype=np.float32)
        if flat.size and flat.min() >= 0:
            made = self._wide(flat)
        elif flat.size:
            held = flat >= 0
            made[held] = self._wide(flat[held])
        return made.reshape(*np.shape(at), self.table.shape[1])

    def _wide(self, at: Int32[ndarray, " f"]) -> Float32[ndarray, "f d"]:
        rows = self.table[at]
        return rows if rows.dtype == np.float32 else unit(rows)

    def taken(self, rows: Any) -> UnitRows:
        """The same of some rows, none of them widened."""
        return UnitRows(table=self.table, places=self.places[rows])


def widened_once(table: Float16[ndarray, "u d"]) -> Float16[ndarray, "u d"] | Float32[ndarray, "u d"]:
    """What fits into one block is widened here and not with every reading, a tenth of a small set's diagnosis."""
    return unit(table) if len(table) <= BLOCK_ROWS else table


UnitVectors: TypeAlias = Float32[ndarray, "n d"] | UnitRows


def taken(vectors: UnitVectors, rows: Any) -> UnitVectors:
    """Some of the rows; a copy only of what is wide already."""
    return vectors.taken(rows) if isinstance(vectors, UnitRows) else vectors[rows]


def blocks(vectors: UnitVectors) -> Iterator[tuple[slice, Float32[ndarray, "b d"]]]:
    """All rows in their order, ``BLOCK_ROWS`` at a time, and where they stand."""
    for start in range(0, len(vectors), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        yield part, vectors[part]


def filled(vectors: UnitVectors) -> Int64[ndarray, " f"]:
    """The rows that are not zero."""
    found = [part.start + np.flatnonzero(rows.any(axis=1)) for part, rows in blocks(vectors)]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def mean(vectors: UnitVectors) -> Float32[ndarray, " d"]:
    """Zero for no rows."""
    total = np.zeros(vectors.shape[1])
    for _, rows in blocks(vectors):
        total += rows.sum(axis=0)
    return (total / max(1, len(vectors))).astype(np.float32)


def scatter(
    vectors: UnitVectors, centres: Float32[ndarray, "c d"], of_row: Int64[ndarray, " n"] | None = None
) -> Float32[ndarray, "d d"]:
    """Sum of the outer products of the rows less their centre; ``of_row``: which centre, the only one without it."""
    total = np.zeros((vectors.shape[1],) * 2)
    for part, rows in blocks(vectors):
        centred = rows - (centres if of_row is None else centres[of_row[part]])
        total += centred.T @ centred
    return total.astype(np.float32)


def class_sums(
    vectors: UnitVectors,
    classes: Int64[ndarray, " n"],
    count: int,
    centre: Float32[ndarray, " d"] | None = None,
) -> Float32[ndarray, "K d"]:
    """Sum of the rows, less ``centre``, of each of the classes 0..count-1."""
    order = np.argsort(classes, kind="stable")
    made = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    for start in range(0, len(order), BLOCK_ROWS):
        part = order[start : start + BLOCK_ROWS]
        rows = vectors[part] if centre is None else vectors[part] - centre
        first = np.flatnonzero(np.diff(classes[part], prepend=-1))
        made[classes[part][first]] += np.add.reduceat(rows, first, axis=0)
    return made
