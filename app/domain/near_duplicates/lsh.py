"""Candidate pairs: rows whose MinHash signatures share a band (locality-sensitive hashing).

The index is datasketch's ``MinHashLSH``. Never more than a few pairs for each row, however alike all rows are: of a
large bucket each row meets those next to it, and of its candidates each row keeps the most alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

import numpy as np
from datasketch import LeanMinHash, MinHashLSH
from datasketch.storage import Storage
from jaxtyping import Float32, Int64, UInt32
from numpy import ndarray

from app.domain.near_duplicates.signatures import PERMUTATIONS, jaccard

# Bands of three values: a text with a fifth of its characters changed keeps a Jaccard of about .4, and meets its
# original 95 times of 100. With two values, more pairs meet by chance than can be looked at.
BAND_ROWS: Final = 3
BANDS: Final = PERMUTATIONS // BAND_ROWS

# Candidates of each row that are compared in full: a resource bound.
CANDIDATES_PER_ROW: Final = 8

# Rows that follow in a bucket and are looked at: a resource bound, for templates in a thousand versions.
_BUCKET_NEIGHBORS = 32

# Estimated Jaccard below which nothing is compared: two standard errors under what a fifth of edits leaves.
_CANDIDATE_JACCARD: Final = 0.2

# Bands that are indexed at once: some 400 bytes for each row and band.
_BANDS_AT_ONCE = 6
_PAIRS_AT_ONCE = 1 << 14
_SECOND = np.int64(0xFFFFFFFF)


def met_probability(value: float) -> float:
    """Probability 0..1 that two texts of this Jaccard meet in a band: 1 - (1 - s^r)^b (Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, 3.4.2)."""
    return float(1.0 - (1.0 - value**BAND_ROWS) ** BANDS)


def curve(jaccards: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)) -> dict[str, float]:
    """The curve of the bands: Jaccard of the shingles -> probability of meeting."""
    return {f"{s:.2f}": round(met_probability(s), 4) for s in jaccards}


def candidate_pairs(
    signatures: UInt32[ndarray, "n p"], apart: Int64[ndarray, " n"]
) -> tuple[Int64[ndarray, "m 2"], Float32[ndarray, " m"]]:
    """Pairs (first < second, ascending) of rows that share a band, and their estimated Jaccard; at most
    ``CANDIDATES_PER_ROW`` n.

    Only rows of equal ``apart`` meet. In large buckets rows meet that are given close to each other.
    """
    rows = len(signatures)
    mixed = (apart.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)).astype(np.uint32)
    keyed = signatures ^ mixed[:, None]
    kept, alike = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    for start in range(0, BANDS * BAND_ROWS, _BANDS_AT_ONCE * BAND_ROWS):
        found = np.setdiff1d(_met(keyed[:, start : start + _BANDS_AT_ONCE * BAND_ROWS]), kept)
        first, second = found >> 32, found & _SECOND
        estimates = estimated(signatures, np.column_stack([first, second]))
        near = (estimates >= _CANDIDATE_JACCARD) & (apart[first] == apart[second])
        kept, alike = np.concatenate([kept, found[near]]), np.concatenate([alike, estimates[near]])
        chosen = _nearest(kept, alike, rows)
        kept, alike = kept[chosen], alike[chosen]
    return np.column_stack([kept >> 32, kept & _SECOND]), alike


def _met(bands: UInt32[ndarray, "n v"]) -> Int64[ndarray, " m"]:
    """Distinct pairs of rows in one bucket; a pair is one number, its first row above 32 bits of its second one."""
    width = bands.shape[1]
    index = MinHashLSH(num_perm=width, params=(width // BAND_ROWS, BAND_ROWS))
    for row, values in enumerate(bands):
        minhash = LeanMinHash(seed=1, hashvalues=values, scheme="affine32")
        index.insert(row, minhash, check_duplication=False)
    found = [np.empty(0, dtype=np.int64)]
    for table in index.hashtables:
        buckets = [sorted(rows) for rows in _buckets(table)]
        members = np.array([row for rows in buckets for row in rows], dtype=np.int64)
        bucket = np.repeat(np.arange(len(buckets)), [len(rows) for rows in buckets])
        for step in range(1, _BUCKET_NEIGHBORS + 1):
            same = bucket[step:] == bucket[:-step]
            found.append((members[:-step][same] << 32) | members[step:][same])
    return np.unique(np.concatenate(found))


def _buckets(table: Storage) -> Iterator[set[int]]:
    """Those of more than one row."""
    for key, rows in table.itemcounts().items():
        if rows > 1:
            yield cast("set[int]", table.get(key))


def estimated(signatures: UInt32[ndarray, "n p"], pairs: Int64[ndarray, "m 2"]) -> Float32[ndarray, " m"]:
    """Estimated Jaccard 0..1 of each pair of rows."""
    made = np.empty(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        left, right = pairs[start : start + _PAIRS_AT_ONCE].T
        made[start : start + _PAIRS_AT_ONCE] = jaccard(signatures[left], signatures[right])
    return made


def _nearest(pairs: Int64[ndarray, " m"], alike: Float32[ndarray, " m"], rows: int) -> Int64[ndarray, " k"]:
    """Places, in the order of the pairs, of those that are among the most alike of one of their rows."""
    row = np.concatenate([pairs >> 32, pairs & _SECOND])
    order = np.lexsort((np.tile(pairs, 2), -np.tile(alike, 2), row))
    row = row[order]
    rank = np.arange(len(row)) - np.searchsorted(row, np.arange(rows))[row]
    chosen = np.unique(order[rank < CANDIDATES_PER_ROW] % max(1, len(pairs)))
    return chosen[np.argsort(pairs[chosen])]
