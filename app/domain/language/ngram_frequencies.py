"""Texts as sets of hashed character n-grams: how much of a text was ever seen, and how alike two texts are.

Works for every script alike and without a tokenizer: whole corpora are hashed with array arithmetic. Knows
document frequencies and sketches. Does not know meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt32
from numpy import ndarray

from app.domain.language import text

SKETCH_BINS: Final = 128
"""A power of two. Standard error of a Jaccard estimate as with so many permutations, .044 at worst."""

NOVELTY_ORDERS: Final = (3, 5)
"""A Chinese word is about two characters, an English stem about five."""

_LEXICON_BUCKETS: Final = 2**22
"""Hash table of n-gram frequencies: a million distinct n-grams collide one time in four at most."""

GRAM_CHUNK: Final = 5_000

Part = tuple[ndarray, ...]
"""Buckets that occur, and in how many texts; two arrays for each of ``NOVELTY_ORDERS``."""

_EMPTY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grams:
    """The distinct n-grams of m texts. Text i holds ``hashes[starts[i]:starts[i + 1]]``, ascending."""

    starts: Int64[ndarray, " m+1"]
    hashes: UInt32[ndarray, " g"]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def owners(self) -> Int64[ndarray, " g"]:
        """The text of every gram."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def grams(texts: Sequence[str], order: int) -> Grams:
    """Character ``order``-grams of the normalised texts with a space at either end; '' has none."""
    plain = [text.normalised(text.clip(t)) for t in texts]
    padded = [f" {p} ".ljust(order) if p else "" for p in plain]
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owners = np.repeat(np.arange(len(padded), dtype=np.int64), lengths)
    if len(codes) < order:
        return Grams(starts=np.zeros(len(padded) + 1, dtype=np.int64), hashes=np.zeros(0, dtype=np.uint32))
    width = len(codes) - order + 1
    mixed = np.zeros(width, dtype=np.uint32)
    for shift in range(order):
        mixed = _stirred(mixed ^ codes[shift : shift + width])
    within = owners[:width] == owners[order - 1 :]
    keys = (owners[:width][within] << 32) | mixed[within]
    keys.sort()
    keys = keys[np.diff(keys, prepend=-1) != 0]
    counts = np.bincount(keys >> 32, minlength=len(padded))
    return Grams(
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        hashes=(keys & 0xFFFFFFFF).astype(np.uint32),
    )


def _stirred(of: UInt32[ndarray, " n"]) -> UInt32[ndarray, " n"]:
    """Murmur3's finaliser: every bit of the input reaches every bit of the output."""
    of = (of ^ (of >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    of = (of ^ (of >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return of ^ (of >> np.uint32(16))


def take(of: Grams, rows: Int64[ndarray, " k"]) -> Grams:
    """The grams of some of the texts."""
    counts = np.diff(of.starts)[rows]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    place = np.repeat(of.starts[rows] - starts[:-1], counts) + np.arange(starts[-1])
    return Grams(starts=starts, hashes=of.hashes[place])


def sketch(of: Grams) -> UInt32[ndarray, "m p"]:
    """One-permutation MinHash (Li, Owen and Zhang 2012): the smallest hash in each of p equal bins.

    An empty bin holds the largest value. One pass over the grams, where p permutations need p passes.
    """
    bins = SKETCH_BINS
    shift = np.uint32(33 - bins.bit_length())
    place = of.owners * bins + (of.hashes >> shift).astype(np.int64)
    # hashes ascend within a text, so the first of a bin is its smallest
    first = np.flatnonzero(np.diff(place, prepend=-1))
    made = np.full(len(of) * bins, _EMPTY, dtype=np.uint32)
    made[place[first]] = of.hashes[first]
    return made.reshape(-1, bins)


def jaccard(left: UInt32[ndarray, "*s p"], right: UInt32[ndarray, "*s p"]) -> Float32[ndarray, "*s"]:
    """Estimated Jaccard 0..1 of sketched texts, elementwise; 0 where both are empty."""
    filled = ((left != _EMPTY) | (right != _EMPTY)).sum(axis=-1, dtype=np.int32)
    equal = ((left == right) & (left != _EMPTY)).sum(axis=-1, dtype=np.int32)
    return (equal / np.maximum(filled, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """In how many of ``rows`` texts each hashed n-gram stands, one table for each of ``NOVELTY_ORDERS``."""

    rows: int
    frequencies: Int32[ndarray, "o b"]

    def novelty(self, texts: Sequence[Grams], *, own: bool = False) -> Float64[ndarray, "m c"]:
        """How new m texts are: share 0..1 of unseen grams of each order, and the mean surprisal (nats) of the
        shortest grams. ``texts``: their grams, by order. ``own``: each is one of the rows and left out."""
        count = len(texts[0])
        made = np.zeros((count, len(texts) + 1))
        for column, found in enumerate(texts):
            owners = found.owners
            seen = self.frequencies[column, _bucket(found.hashes)] - np.int32(own)
            held = np.maximum(np.diff(found.starts), 1)
            made[:, column] = np.bincount(owners, weights=seen <= 0, minlength=count) / held
            if column == 0:
                surprise = np.log((self.rows + 1) / (np.maximum(seen, 0) + 0.5))
                made[:, -1] = np.bincount(owners, weights=surprise, minlength=count) / held
        return made


def _bucket(hashes: UInt32[ndarray, " g"]) -> UInt32[ndarray, " g"]:
    return hashes & np.uint32(_LEXICON_BUCKETS - 1)


def grams_of(texts: Sequence[str]) -> tuple[Grams, ...]:
    """One for each of ``NOVELTY_ORDERS``."""
    return tuple(grams(texts, order) for order in NOVELTY_ORDERS)


def lexicon(of: Sequence[Grams], kept: Bool[ndarray, " m"] | None = None) -> Lexicon:
    """Frequencies over the ``kept`` texts."""
    frequencies = np.zeros((len(of), _LEXICON_BUCKETS), dtype=np.int32)
    for column, found in enumerate(of):
        hashes = found.hashes if kept is None else found.hashes[kept[found.owners]]
        # only the buckets that hold something: of a small set the others are millions
        buckets, texts = np.unique(_bucket(hashes), return_counts=True)
        frequencies[column, buckets] = texts
    rows = len(of[0]) if kept is None else int(kept.sum())
    return Lexicon(rows=rows, frequencies=frequencies)


def read(texts: Sequence[str]) -> tuple[UInt32[ndarray, "m p"], Lexicon]:
    """Sketches and frequencies of many texts in one pass, a part at a time."""
    sketches = np.empty((len(texts), SKETCH_BINS), dtype=np.uint32)

    def parts() -> Iterator[Part]:
        for start in range(0, len(texts), GRAM_CHUNK):
            part = slice(start, start + GRAM_CHUNK)
            sketches[part], counted = read_part(texts[part])
            yield counted

    frequencies = joined(len(texts), parts())
    return sketches, frequencies


def read_part(texts: Sequence[str]) -> tuple[UInt32[ndarray, "m p"], Part]:
    """The same of one part, its frequencies as they travel: buckets and rows for each order."""
    found = grams_of(texts)
    counted: list[UInt32[ndarray, " b"]] = []
    for of_order in found:
        buckets, rows = np.unique(_bucket(of_order.hashes), return_counts=True)
        counted += [buckets, rows.astype(np.uint32)]
    return sketch(found[0]), tuple(counted)


def joined(rows: int, parts: Iterable[Part]) -> Lexicon:
    """The lexicon of ``rows`` texts that were read in parts."""
    frequencies = np.zeros((len(NOVELTY_ORDERS), _LEXICON_BUCKETS), dtype=np.int32)
    for part in parts:
        for column in range(len(frequencies)):
            buckets, counts = part[2 * column], part[2 * column + 1]
            frequencies[column, buckets] += counts.astype(np.int32)
    return Lexicon(rows=rows, frequencies=frequencies)
