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

_GATHERED = 1 << 17
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
        codes, alike = np.concatenate([codes, fresh[near]]), np.concatenate([alike, estimate[near]])
        codes, alike = _nearest(codes, alike, rows, each)
    first, second = np.divmod(codes, max(rows, 1))
    return np.column_stack([first, second]), alike


def _group(apart: Int64[ndarray, " n"]) -> UInt64[ndarray, " n"]:
    """16 bits of each group, in front of a band: others hardly ever stand between two rows that may meet."""
    return (apart.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(48) << np.uint64(48)


def _met(
    signatures: UInt16[ndarray, "n p"],
    group: UInt64[ndarray, " n"],
    apart: Int64[ndarray, " n"],
    band: int,
) -> Int64[ndarray, " m"]:
    """Pairs as first * n + second, distinct."""
    rows, width = signatures.shape
    key = group.copy()
    for place in range(3):
        value = signatures[:, (band + place) % width].astype(np.uint64)
        key |= value << np.uint64(32 - 16 * place)
    # Rows that are alike so far stand in another order in every band: so they meet others each time.
    shuffled = np.random.default_rng(band).permutation(rows)
    order = shuffled[np.argsort(key[shuffled], kind="stable")]
    bucket = (key >> np.uint64(16))[order]
    found: list[ndarray] = []
    for step in range(1, thresholds.BAND_NEIGHBORS + 1):
        at = np.flatnonzero(bucket[step:] == bucket[:-step])
        left, right = order[at], order[at + step]
        same = apart[left] == apart[right]
        left, right = left[same], right[same]
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


def _nearest(
    codes: Int64[ndarray, " m"], alike: Float32[ndarray, " m"], rows: int, each: int
) -> tuple[Int64[ndarray, " k"], Float32[ndarray, " k"]]:
    """The pairs that are among the ``each`` most alike of one of their rows, in the order of their codes."""
    first, second = np.divmod(codes, max(rows, 1))
    ends = np.concatenate([first, second])
    which = np.tile(np.arange(len(codes)), 2)
    order = np.lexsort((codes[which], -alike[which], ends))
    ends = ends[order]
    begins = np.flatnonzero(np.diff(ends, prepend=-1))
    rank = np.arange(len(ends)) - np.repeat(begins, np.diff([*begins.tolist(), len(ends)]))
    kept = _distinct(which[order[rank < each]])
    kept = kept[np.argsort(codes[kept])]
    return codes[kept], alike[kept]
