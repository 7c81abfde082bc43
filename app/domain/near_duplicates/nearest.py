"""The nearest others of each row, of pairs that arrive in parts.

Each row keeps as many as it may, so that memory grows with the rows and never with the pairs. Does not know how
near two rows are: that is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

_FURTHEST = 255
"""Distances are kept in steps of this part of 1."""

_WAITING_PER_ROW = 8
"""New pairs, each counted at both of its rows, that wait before they are told from the nearest: bounds memory."""


@dataclass(slots=True, kw_only=True)
class Nearest:
    """n rows, of each the ``each`` others that are most alike; of equals those that come first.

    ``floors`` (n,): likeness 0..1 of the last of these when they were last told, -1 for a row with fewer: what is
    not above it need not be given. ``keys``: row, distance and other row in one number, as whole numbers are sorted
    several times as fast as places; ascending.
    """

    rows: int
    each: int
    keys: Int64[ndarray, " m"]
    floors: Float32[ndarray, " n"]
    waiting: list[Int64[ndarray, " k"]]

    @classmethod
    def of(cls, rows: int, each: int) -> Nearest:
        """ValueError beyond 2^27 rows, of which no key would have room."""
        if rows > 1 << 27:
            raise ValueError(f"{rows} rows; give {1 << 27} at most, or compare them in parts")
        floors = np.full(rows, -1, dtype=np.float32)
        return cls(rows=rows, each=each, keys=np.empty(0, dtype=np.int64), floors=floors, waiting=[])

    def take(
        self,
        first: Int64[ndarray, " k"],
        second: Int64[ndarray, " k"],
        alike: Float32[ndarray, " k"],
    ) -> None:
        """Pairs of rows and how alike they are, 0..1; one that was given before counts once."""
        far = np.round((1.0 - alike) * np.float32(_FURTHEST)).astype(np.int64)
        bits = self._bits()
        for row, other in ((first, second), (second, first)):
            near = alike > self.floors[row]
            self.waiting.append((((row[near] << 8) | far[near]) << bits) | other[near])
        if sum(map(len, self.waiting)) > _WAITING_PER_ROW * self.rows:
            self._tell()

    def pairs(self) -> Int64[ndarray, "m 2"]:
        """Pairs (first < second, ascending) of which one row is among the nearest of the other."""
        self._tell()
        row, other = self.keys >> (self._bits() + 8), self.keys & ((1 << self._bits()) - 1)
        codes = np.sort((np.minimum(row, other) << 32) | np.maximum(row, other))
        codes = codes[np.diff(codes, prepend=-1) != 0]
        return np.column_stack([codes >> 32, codes & 0xFFFFFFFF])

    def _bits(self) -> int:
        return max(self.rows, 1).bit_length()

    def _tell(self) -> None:
        """What is beyond the nearest of its row goes."""
        keys = np.sort(np.concatenate([self.keys, *self.waiting]))
        self.waiting = []
        keys = keys[np.diff(keys, prepend=-1) != 0]
        # Whose place is taken by a nearer one of the same row, ``each`` places before it, goes.
        owners = keys >> (self._bits() + 8)
        kept = np.ones(len(keys), dtype=bool)
        kept[self.each :] = owners[self.each :] != owners[: -self.each]
        self.keys, owners = keys[kept], owners[kept]
        last = np.flatnonzero(owners[self.each - 1 :] == owners[: max(0, len(owners) - self.each + 1)])
        far = (self.keys[last + self.each - 1] >> self._bits()) & _FURTHEST
        self.floors[owners[last]] = (1.0 - far / _FURTHEST).astype(np.float32)
