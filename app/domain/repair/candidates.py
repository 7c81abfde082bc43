"""Which pairs of signatures are worth a comparison: never more than a few for each row, however alike all are.

Banded MinHash in which a bucket is not a clique but a sorted list (an LSH forest, Bawa, Condie and Ganesan
2005): rows with an equal band are put in the order of what follows the band, and each is paired with those
next to it, unless a glance at other values says that they hardly share anything. However large a bucket is, it
costs a few pairs for each of its members, and they meet the ones they share most with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt16, UInt64
from numpy import ndarray

from app.domain.repair import sketches, thresholds

_ODD = np.uint64(0x9E3779B97F4A7C15)
_GATHERED = 1 << 11
_BITS = (12, 12, 5, 5, 5, 5, 4, 4, 4, 4)
"""A row's place in a tree: so many values, so many bits of each. Deep, as a thousand versions of one template
share the first ones; few bits, as a value that is equal by chance costs no more than a place."""

_IN_WORD = 16
"""Values in a number, four bits of each: what a pair is looked at by before it is estimated in full."""

_HIGHEST, _LOWER = np.uint64(0x8888888888888888), np.uint64(0x7777777777777777)
_MET_PER_ROW = 24
"""Pairs that are gathered before each is told from the others: bounds the memory."""


@dataclass(slots=True, kw_only=True)
class _Nearest:
    """Pairs of n rows (first * n + second, ascending) that are among the ``each`` most alike of one of their rows, or
    were not told from those yet. ``floors`` (n,): likeness of the last of these, -1 for a row with fewer."""

    rows: int
    each: int
    codes: Int64[ndarray, " m"]
    alike: Float32[ndarray, " m"]
    floors: Float32[ndarray, " n"]

    @classmethod
    def of(cls, rows: int, each: int) -> _Nearest:
        return cls(
            rows=rows,
            each=each,
            codes=np.empty(0, dtype=np.int64),
            alike=np.empty(0, dtype=np.float32),
            floors=np.full(rows, -1, dtype=np.float32),
        )

    def take(self, codes: Int64[ndarray, " k"], alike: Float32[ndarray, " k"]) -> None:
        """Further pairs, none of them known."""
        first, second = np.divmod(codes, max(self.rows, 1))
        near = alike > np.minimum(self.floors[first], self.floors[second])
        whole = np.concatenate([self.codes, codes[near]])
        order = np.argsort(whole, kind="stable")
        self.codes, self.alike = whole[order], np.concatenate([self.alike, alike[near]])[order]
        if len(whole) > 2 * self.each * self.rows:
            self.prune()

    def prune(self) -> None:
        """The pairs beyond the nearest of both of their rows go; of equals those with the larger code."""
        ends = np.concatenate(np.divmod(self.codes, max(self.rows, 1)))
        # Row, distance and pair in one number, as whole numbers are sorted several times as fast as places.
        bits = np.int64(max(len(self.codes), 1).bit_length())
        far = np.round((1.0 - self.alike) * np.float32(255)).astype(np.int64)
        keys = (ends << 8) | np.tile(far, 2)
        keys = np.sort((keys << bits) | np.tile(np.arange(len(self.codes)), 2))
        ends, which = keys >> (bits + 8), keys & ((np.int64(1) << bits) - 1)
        begins = np.flatnonzero(np.diff(ends, prepend=-1))
        rank = np.arange(len(ends)) - np.repeat(begins, np.diff(begins, append=len(ends)))
        kept = _distinct(which[rank < self.each])
        last = np.flatnonzero(rank == self.each - 1)
        self.floors[ends[last]] = self.alike[which[last]]
        self.codes, self.alike = self.codes[kept], self.alike[kept]


def pair_probability(jaccard: float, bands: int, rows: int) -> float:
    """Probability 0..1 that two sets of this Jaccard meet in one of ``bands`` bands of ``rows`` values: 1 - (1 -
    s^r)^b (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4.2)."""
    return float(1.0 - (1.0 - jaccard**rows) ** bands)


def met_probability(jaccard: float) -> float:
    """Probability 0..1 that two texts whose shingles have this Jaccard become a pair: that they meet in one of the
    bands in use, and agree in enough of the values that are looked at there."""
    agree = jaccard + (1 - jaccard) / 16
    passed = sum(
        math.comb(_IN_WORD, k) * agree**k * (1 - agree) ** (_IN_WORD - k)
        for k in range(thresholds.NEAR_AGREEING, _IN_WORD + 1)
    )
    glances = thresholds.SKETCH_BINS // _IN_WORD
    bands = thresholds.SKETCH_BINS // thresholds.BAND_ROWS
    # Bands that are looked at by the same values pass together.
    met = pair_probability(jaccard, bands // glances, thresholds.BAND_ROWS)
    return float(1.0 - (1.0 - passed * met) ** glances)


def curve(jaccards: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)) -> dict[str, float]:
    """The curve of the bands in use: Jaccard of the shingles -> probability of being compared."""
    return {f"{s:.2f}": round(met_probability(s), 4) for s in jaccards}


def pairs(
    signatures: UInt16[ndarray, "n p"],
    apart: Int64[ndarray, " n"],
    *,
    lowest: float = thresholds.CANDIDATE_JACCARD,
    each: int = thresholds.CANDIDATES_PER_ROW,
) -> tuple[Int64[ndarray, "m 2"], Float32[ndarray, " m"]]:
    """Pairs (first < second, ascending) that share a band, with their estimated Jaccard, at least ``lowest``.

    Only rows of equal ``apart`` meet. A pair is kept where it is among the ``each`` most alike of one of its
    rows: at most ``each`` n pairs.
    """
    known = _Nearest.of(len(signatures), each)
    group, glances = _group(apart), _glances(signatures)
    met, many = list[ndarray](), 0
    for band in range(0, signatures.shape[1], thresholds.BAND_ROWS):
        # The values of another half of the signature than the band's.
        glance = glances[(band // _IN_WORD + len(glances) // 2) % len(glances)]
        met.append(_met(signatures, group, apart, band, glance))
        many += len(met[-1])
        if many > _MET_PER_ROW * known.rows or band + thresholds.BAND_ROWS >= signatures.shape[1]:
            fresh = _distinct(np.concatenate(met))
            fresh = fresh[~_among(fresh, known.codes)]
            estimate = _estimated(signatures, fresh)
            near = estimate >= lowest
            known.take(fresh[near], estimate[near])
            met, many = [], 0
    known.prune()
    first, second = np.divmod(known.codes, max(known.rows, 1))
    return np.column_stack([first, second]), known.alike


def by_family(pairs: Int64[ndarray, "m 2"], rows: int) -> Int64[ndarray, " m"]:
    """An order of the pairs in which those of alike rows follow each other, so that a row that was read is still
    at hand for the next pair: by the first row that either a row or its first partner meets."""
    first = np.arange(rows)
    np.minimum.at(first, pairs[:, 0], pairs[:, 1])
    np.minimum.at(first, pairs[:, 1], pairs[:, 0])
    first = first[first]
    return np.lexsort((pairs[:, 1], pairs[:, 0], first[pairs[:, 0]]))


def _group(apart: Int64[ndarray, " n"]) -> UInt64[ndarray, " n"]:
    """64 mixed bits of each group: put over a key they leave its members in the order of what they share, and
    others hardly ever stand between them."""
    mixed = apart.astype(np.uint64) * _ODD
    return (mixed ^ (mixed >> np.uint64(29))) * _ODD


def _met(
    signatures: UInt16[ndarray, "n p"],
    group: UInt64[ndarray, " n"],
    apart: Int64[ndarray, " n"],
    band: int,
    glance: UInt64[ndarray, " n"],
) -> Int64[ndarray, " m"]:
    """Pairs as first * n + second, distinct."""
    rows, width = signatures.shape
    key = np.zeros(rows, dtype=np.uint64)
    for place, bits in enumerate(_BITS):
        value = signatures[:, (band + place) % width] & np.uint16((1 << bits) - 1)
        key = (key << np.uint64(bits)) | value
    # Rows whose keys are equal stand in another order in every tree: so they meet others each time.
    ties = (np.arange(rows, dtype=np.uint64) + np.uint64(rows * band + 1)) * _ODD
    spare = np.uint64(64 - sum(_BITS))
    key = ((key << spare) | (ties >> (np.uint64(64) - spare))) ^ group
    order = np.argsort(key)
    glance = glance[order]
    bucket = np.ascontiguousarray(signatures[:, band : band + 2]).view(np.uint32)[:, 0][order]
    beside = apart[order]
    found: list[ndarray] = []
    near, far = thresholds.NEAR_AGREEING, thresholds.FAR_AGREEING
    for step in range(1, thresholds.FAR_BAND_NEIGHBORS + 1):
        at = np.flatnonzero((bucket[step:] == bucket[:-step]) & (beside[step:] == beside[:-step]))
        if not at.size:
            continue
        # What follows the band is alike by the order already; what stands elsewhere is not.
        at = at[
            _agreeing(glance[at], glance[at + step]) >= (near if step <= thresholds.BAND_NEIGHBORS else far)
        ]
        left, right = order[at], order[at + step]
        found.append(np.minimum(left, right) * rows + np.maximum(left, right))
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _glances(signatures: UInt16[ndarray, "n p"]) -> UInt64[ndarray, "w n"]:
    made = np.zeros((signatures.shape[1] // _IN_WORD, len(signatures)), dtype=np.uint64)
    for place in range(signatures.shape[1]):
        word = made[place // _IN_WORD]
        word <<= np.uint64(4)
        word |= signatures[:, place] & np.uint16(15)
    return made


def _agreeing(left: UInt64[ndarray, " m"], right: UInt64[ndarray, " m"]) -> UInt8[ndarray, " m"]:
    """How many of the values of two glances are equal."""
    differ = left ^ right
    # The highest of four bits is set where any of them is.
    differ = (((differ & _LOWER) + _LOWER) | differ) & _HIGHEST
    return np.uint8(_IN_WORD) - np.bitwise_count(differ)


def _estimated(signatures: UInt16[ndarray, "n p"], codes: Int64[ndarray, " m"]) -> Float32[ndarray, " m"]:
    made = np.empty(len(codes), dtype=np.float32)
    for start in range(0, len(codes), _GATHERED):
        left, right = np.divmod(codes[start : start + _GATHERED], len(signatures))
        made[start : start + _GATHERED] = sketches.jaccard(signatures[left], signatures[right])
    return made


def _distinct(codes: Int64[ndarray, " m"]) -> Int64[ndarray, " k"]:
    """Ascending, each once. (``np.unique`` hashes whole numbers, which is several times slower here.)"""
    made = np.sort(codes)
    return made[np.diff(made, prepend=-1) != 0]


def _among(codes: Int64[ndarray, " m"], known: Int64[ndarray, " k"]) -> ndarray:
    """Whether each code is one of the known ones, which ascend."""
    if not known.size:
        return np.zeros(len(codes), dtype=bool)
    return known[np.minimum(np.searchsorted(known, codes), len(known) - 1)] == codes
