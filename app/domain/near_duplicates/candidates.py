"""Which pairs of signatures are worth a comparison: never more than a few for each row, however alike all are.

Banded MinHash in which a bucket is not a clique but a sorted list (an LSH forest, Bawa, Condie and Ganesan
2005): rows with an equal band are put in the order of what follows the band, and each is paired with those
next to it, unless a glance at other values says that they hardly share anything. However large a bucket is, it
costs a few pairs for each of its members, and they meet the ones they share most with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt16, UInt64
from numpy import ndarray

from app.domain.near_duplicates import minhash
from app.domain.near_duplicates.minhash import SKETCH_BINS
from app.domain.near_duplicates.nearest import Nearest

# Bands of two values, as many as 128 bins give: a text with a fifth of its characters changed keeps a
# Jaccard of about .3 in shingles of three, and meets its original in a band 99.8 times of 100.
BAND_ROWS: Final = 2

# Rows that follow in a band's order and are looked at, however large a bucket.
_BAND_NEIGHBORS: Final = 4

# Of a template in a thousand versions more rows are near: those up to here are looked at, too.
_FAR_BAND_NEIGHBORS: Final = 16

# Of 16 values of the signatures so many have to agree before all are compared; of those further off more. Rows of a
# Jaccard of .3 pass nine times of ten, of .1 every second time (and every fourth).
_NEAR_AGREEING: Final = 3

_FAR_AGREEING: Final = 4
# Candidates that each row is compared with in full, the most alike first.
CANDIDATES_PER_ROW: Final = 8

# Estimated Jaccard below which nothing is compared: two standard errors under what a fifth of edits leaves.
_CANDIDATE_JACCARD: Final = 0.15


_ODD = np.uint64(0x9E3779B97F4A7C15)
_GATHERED = 1 << 9
_STEPS = 256
_BITS = (12, 12, 5, 5, 5, 5, 4, 4, 4, 4)
"""A row's place in a tree: so many values, so many bits of each. Deep, as a thousand versions of one template
share the first ones; few bits, as a value that is equal by chance costs no more than a place."""

_IN_WORD = 16
"""Values in a number, four bits of each: what a pair is looked at by before it is estimated in full."""

_HIGHEST, _LOWER = np.uint64(0x8888888888888888), np.uint64(0x7777777777777777)
_SECOND = np.int64(0xFFFFFFFF)
"""A pair is one number, its first row above 32 bits of its second one."""

_IN_CACHE = 1 << 13
"""Rows of which what is looked at stays in a core's cache."""

_LEAST = np.array(
    [_NEAR_AGREEING if step <= _BAND_NEIGHBORS else _FAR_AGREEING for step in range(_FAR_BAND_NEIGHBORS + 1)],
    dtype=np.uint8,
)
"""Values of a glance that have to agree, by how many places further on the other row stands: what follows the band is
alike by the order already, what stands elsewhere is not."""

_REMEMBERED_PER_ROW = 32
_MISSED = 0.01
"""Share of the pairs as near as the last of a row's nearest that a glance may hold for further off."""


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
        for k in range(_NEAR_AGREEING, _IN_WORD + 1)
    )
    glances = SKETCH_BINS // _IN_WORD
    bands = SKETCH_BINS // BAND_ROWS
    # Bands that are looked at by the same values pass together.
    met = pair_probability(jaccard, bands // glances, BAND_ROWS)
    return float(1.0 - (1.0 - passed * met) ** glances)


def curve(jaccards: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)) -> dict[str, float]:
    """The curve of the bands in use: Jaccard of the shingles -> probability of being compared."""
    return {f"{s:.2f}": round(met_probability(s), 4) for s in jaccards}


def pairs(
    signatures: UInt16[ndarray, "n p"],
    apart: Int64[ndarray, " n"],
    *,
    lowest: float = _CANDIDATE_JACCARD,
    each: int = CANDIDATES_PER_ROW,
) -> tuple[Int64[ndarray, "m 2"], Float32[ndarray, " m"]]:
    """Pairs (first < second, ascending) that share a band, with their estimated Jaccard, at least ``lowest``.

    Only rows of equal ``apart`` meet. A pair is kept where it is among the ``each`` most alike of one of its
    rows: at most ``each`` n pairs.
    """
    rows, width = signatures.shape
    nearest, seen = Nearest.of(rows, each), _Seen.of(rows)
    group, glances, columns = _group(apart), _glances(signatures), np.ascontiguousarray(signatures.T)
    # Small numbers, so that a group and the two values of a band are one number.
    apart = np.unique(apart, return_inverse=True)[1]
    for band in range(0, width, BAND_ROWS):
        # The values of another half of the signature than the band's.
        glance = glances[(band // _IN_WORD + len(glances) // 2) % len(glances)]
        met = seen.fresh(_met(columns, group, apart, band, glance, _enough(nearest.floors)))
        estimate = _estimated(signatures, met)
        near = estimate >= lowest
        met, estimate = met[near], estimate[near]
        nearest.take(met >> 32, met & _SECOND, estimate)
    made = nearest.pairs()
    return made, _estimated(signatures, (made[:, 0] << 32) | made[:, 1])


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Pairs that were met before, each at the place that its hash says until another one takes it: what was
    forgotten is only estimated once more, and nothing has to be sorted."""

    places: Int64[ndarray, " t"]

    @classmethod
    def of(cls, rows: int) -> _Seen:
        return cls(places=np.full(1 << (_REMEMBERED_PER_ROW * rows).bit_length(), -1, dtype=np.int64))

    def fresh(self, codes: Int64[ndarray, " m"]) -> Int64[ndarray, " k"]:
        """Those of the pairs that are not remembered; from now on they are."""
        unused = np.uint64(65 - len(self.places).bit_length())
        at = ((codes.astype(np.uint64) * _ODD) >> unused).astype(np.int64)
        new = self.places[at] != codes
        codes = codes[new]
        self.places[at[new]] = codes
        return codes


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


def _enough(floors: Float32[ndarray, " n"]) -> UInt8[ndarray, " n"]:
    """Values of a glance that agree in nearly all pairs nearer than each row's floor (binomial quantile)."""
    return _quantiles()[np.floor(np.maximum(floors, 0) * _STEPS).astype(np.int64)]


@lru_cache(maxsize=1)
def _quantiles() -> UInt8[ndarray, " q"]:
    agree = np.linspace(0, 1, _STEPS + 1)[:, None] * (15 / 16) + 1 / 16
    k = np.arange(_IN_WORD + 1)
    ways = np.array([math.comb(_IN_WORD, i) for i in k], dtype=np.float64)
    below = np.cumsum(ways * agree**k * (1 - agree) ** (_IN_WORD - k), axis=1)
    return (below <= _MISSED).sum(axis=1).astype(np.uint8)


def _met(
    columns: UInt16[ndarray, "p n"],
    group: UInt64[ndarray, " n"],
    apart: Int64[ndarray, " n"],
    band: int,
    glance: UInt64[ndarray, " n"],
    enough: UInt8[ndarray, " n"],
) -> Int64[ndarray, " m"]:
    """Pairs of neighbours in the order of this band, distinct."""
    width, rows = columns.shape
    key = np.zeros(rows, dtype=np.uint64)
    for place, bits in enumerate(_BITS):
        value = columns[(band + place) % width] & np.uint16((1 << bits) - 1)
        key = (key << np.uint64(bits)) | value
    # Rows whose keys are equal stand in another order in every tree: so they meet others each time.
    ties = (np.arange(rows, dtype=np.uint64) + np.uint64(rows * band + 1)) * _ODD
    spare = np.uint64(64 - sum(_BITS))
    key = ((key << spare) | (ties >> (np.uint64(64) - spare))) ^ group
    order = np.argsort(key)
    glance, enough = glance[order], enough[order]
    bucket = (apart << 32 | columns[band].astype(np.int64) << 16 | columns[band + 1])[order]
    found = [np.empty(0, dtype=np.int64)]
    for start in range(0, rows - 1, _IN_CACHE):
        at, step = _equal_behind(bucket[start : start + _IN_CACHE + _FAR_BAND_NEIGHBORS])
        at += start
        other = at + step
        # It is of use to the row that lacks neighbours most.
        least = np.maximum(np.minimum(enough[at], enough[other]), _LEAST[step])
        near = _agreeing(glance[at], glance[other]) >= least
        left, right = order[at[near]], order[other[near]]
        found.append((np.minimum(left, right) << 32) | np.maximum(left, right))
    return np.concatenate(found)


def _equal_behind(of: Int64[ndarray, " k"]) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " m"]]:
    """Places of equal values, and how many places behind each of them the other one stands; place by place, so that
    what is read of a row serves all its pairs."""
    steps = _FAR_BAND_NEIGHBORS
    places = min(len(of), _IN_CACHE)
    equal = np.zeros((steps, places), dtype=bool)
    for step in range(1, min(steps, len(of) - 1) + 1):
        many = min(places, len(of) - step)
        np.equal(of[step : step + many], of[:many], out=equal[step - 1, :many])
    found = np.flatnonzero(equal.T)
    return found // steps, found % steps + 1


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
        part = codes[start : start + _GATHERED]
        # Whole rows are taken in half the time that an index takes.
        left, right = signatures.take(part >> 32, axis=0), signatures.take(part & _SECOND, axis=0)
        made[start : start + _GATHERED] = minhash.jaccard(left, right)
    return made
