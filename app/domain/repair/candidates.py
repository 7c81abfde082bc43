"""Which pairs of signatures are worth a comparison: never more than a few for each row, however alike all are.

Banded MinHash in which a bucket is not a clique but a sorted list (an LSH forest, Bawa, Condie and Ganesan
2005): rows with an equal band are put in the order of what follows the band, and each is paired with those
next to it. A bucket of a million costs two million pairs, and its members meet the ones they share most with.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64, UInt16, UInt64
from numpy import ndarray

from app.domain.repair import sketches, thresholds

_ODD = np.uint64(0x9E3779B97F4A7C15)
_GATHERED = 1 << 11
_BITS = (12, 12, 5, 5, 5, 5, 4, 4, 4, 4)
"""A row's place in a tree: so many values, so many bits of each. Deep, as a thousand versions of one template
share the first ones; few bits, as a value that is equal by chance costs no more than a place."""

_TREES_AT_ONCE = 16


def pair_probability(jaccard: float, bands: int, rows: int) -> float:
    """Probability 0..1 that two sets of this Jaccard meet in one of ``bands`` bands of ``rows`` values: 1 - (1 -
    s^r)^b (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4.2)."""
    return float(1.0 - (1.0 - jaccard**rows) ** bands)


def curve(jaccards: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)) -> dict[str, float]:
    """The LSH curve of the bands in use: Jaccard of the shingles -> probability of being compared."""
    rows = thresholds.BAND_ROWS
    bands = thresholds.SKETCH_BINS // rows
    return {f"{s:.2f}": round(pair_probability(s, bands, rows), 4) for s in jaccards}


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
    rows = len(signatures)
    codes, alike = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    bands = range(0, signatures.shape[1], thresholds.BAND_ROWS)
    group = _group(apart)
    for start in range(0, len(bands), _TREES_AT_ONCE):
        met = [_met(signatures, group, apart, band) for band in bands[start : start + _TREES_AT_ONCE]]
        fresh = _distinct(np.concatenate(met))
        fresh = fresh[~_among(fresh, codes)]
        estimate = _estimated(signatures, fresh)
        near = estimate >= lowest
        codes, alike = _merged(codes, alike, fresh[near], estimate[near])
        if len(codes) > 2 * each * rows:
            codes, alike = _nearest(codes, alike, rows, each)
    codes, alike = _nearest(codes, alike, rows, each)
    first, second = np.divmod(codes, max(rows, 1))
    return np.column_stack([first, second]), alike


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
    bucket = np.ascontiguousarray(signatures[:, band : band + 2]).view(np.uint32)[:, 0][order]
    beside = apart[order]
    found: list[ndarray] = []
    for step in range(1, thresholds.BAND_NEIGHBORS + 1):
        at = np.flatnonzero((bucket[step:] == bucket[:-step]) & (beside[step:] == beside[:-step]))
        left, right = order[at], order[at + step]
        found.append(np.minimum(left, right) * rows + np.maximum(left, right))
    return np.concatenate(found)


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


def _merged(
    codes: Int64[ndarray, " m"],
    alike: Float32[ndarray, " m"],
    fresh: Int64[ndarray, " k"],
    estimate: Float32[ndarray, " k"],
) -> tuple[Int64[ndarray, " s"], Float32[ndarray, " s"]]:
    """Both, ascending."""
    whole = np.concatenate([codes, fresh])
    order = np.argsort(whole, kind="stable")
    return whole[order], np.concatenate([alike, estimate])[order]


def _nearest(
    codes: Int64[ndarray, " m"], alike: Float32[ndarray, " m"], rows: int, each: int
) -> tuple[Int64[ndarray, " k"], Float32[ndarray, " k"]]:
    """The pairs that are among the ``each`` most alike of one of their rows, in the order of their codes."""
    first, second = np.divmod(codes, max(rows, 1))
    ends = np.concatenate([first, second])
    which = np.tile(np.arange(len(codes)), 2)
    # Estimates are steps of one bin; a stable sort leaves equal ones in the order of their codes.
    far = np.round((1.0 - alike) * np.float32(1023)).astype(np.int64)
    order = np.argsort((ends << 10) | far[which], kind="stable")
    ends = ends[order]
    begins = np.flatnonzero(np.diff(ends, prepend=-1))
    rank = np.arange(len(ends)) - np.repeat(begins, np.diff([*begins.tolist(), len(ends)]))
    kept = _distinct(which[order[rank < each]])
    kept = kept[np.argsort(codes[kept])]
    return codes[kept], alike[kept]
