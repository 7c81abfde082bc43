"""Texts read once into small arrays: MinHash signatures, what must be equal, and how often words stand in them.

One pass in parts, so that memory does not grow with the texts but with 300 bytes a row. Shingles follow the
script character by character: two characters where Chinese, Japanese or Korean stands, three elsewhere, so that
a row in two languages needs no choice. Does not decide what a duplicate is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt16, UInt32
from numpy import ndarray

from app.domain.language import text
from app.domain.language.text import TEXT_MAX_CHARACTERS
from app.domain.near_duplicates import buckets
from app.domain.near_duplicates.buckets import WORD_BUCKETS, Characters

# Bins of a one-permutation MinHash, a power of two: the standard error of a Jaccard is .044 at worst.
SKETCH_BINS: Final = 128

# Draws before an empty bin takes its neighbour's value: of a text that fills a third, one bin in eight is left.
_SKETCH_DRAWS: Final = 4

SKETCH_PART_ROWS: Final = 5_000
# What is done with so many characters stays in a core's cache.
_SKETCH_BATCH_CHARACTERS: Final = 1 << 16


_EMPTY = np.uint32(0xFFFFFFFF)
_NO_VALUE = np.uint16(0xFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketches:
    """n texts. ``signatures`` (n, p): low 16 bits of the MinHashes (b-bit MinHash, Li and König 2010).
    ``wholes``: hash of the normalised text, 0 = nothing written. ``numbers``: hash of its sorted numbers, 0 =
    none. ``characters``: of the normalised text. ``words``: what ``buckets.words`` says of each text, from ``begins``
    of it to that of the next; of texts that are longer than what is compared there are none. ``counts``: occurrences
    by bucket over all texts."""

    signatures: UInt16[ndarray, "n p"]
    wholes: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    characters: Int32[ndarray, " n"]
    words: UInt32[ndarray, " w"]
    begins: Int64[ndarray, " n+1"]
    counts: UInt32[ndarray, " b"]

    def __len__(self) -> int:
        return len(self.wholes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one part of the texts gives; see ``Sketches``."""

    signatures: UInt16[ndarray, "n p"]
    wholes: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    characters: Int32[ndarray, " n"]
    words: UInt32[ndarray, " w"]
    lengths: Int32[ndarray, " n"]


def read(texts: Sequence[str]) -> Sketches:
    """Read n texts, part by part, in their order."""
    step = SKETCH_PART_ROWS
    return joined(len(texts), (read_part(texts[i : i + step]) for i in range(0, len(texts), step)))


def joined(rows: int, parts: Iterator[Part]) -> Sketches:
    """The parts' rows one after the other, their words counted together."""
    made = np.empty((rows, SKETCH_BINS), dtype=np.uint16)
    wholes, numbers = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
    characters = np.empty(rows, dtype=np.int32)
    lengths = np.zeros(rows, dtype=np.int64)
    counts = np.zeros(WORD_BUCKETS, dtype=np.uint32)
    words = [np.empty(0, dtype=np.uint32)]
    start = 0
    for part in parts:
        end = start + len(part.wholes)
        made[start:end], wholes[start:end], numbers[start:end] = part.signatures, part.wholes, part.numbers
        characters[start:end] = part.characters
        np.add.at(counts, (part.words & buckets.BUCKET).astype(np.int64), np.uint32(1))
        short = part.lengths <= TEXT_MAX_CHARACTERS
        lengths[start:end] = np.where(short, part.lengths, 0)
        words.append(part.words if short.all() else part.words[np.repeat(short, part.lengths)])
        start = end
    return Sketches(
        signatures=made,
        wholes=wholes,
        numbers=numbers,
        characters=characters,
        words=np.concatenate(words),
        begins=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)]),
        counts=counts,
    )


def read_part(texts: Sequence[str]) -> Part:
    """One part on its own: what a process of a cluster does."""
    plain = [_written(t) for t in texts]
    signed, words = [np.empty((0, SKETCH_BINS), dtype=np.uint16)], [np.empty(0, dtype=np.uint32)]
    lengths = [np.empty(0, dtype=np.int32)]
    for batch in _batches(plain):
        characters = Characters.of(batch)
        signed.append(_signed(characters))
        found, many = buckets.words(characters)
        words.append(found)
        lengths.append(many)
    return Part(
        signatures=np.concatenate(signed),
        wholes=np.array([text.stable_hash(p) | 1 if p else 0 for p in plain], dtype=np.int64),
        numbers=np.array([_numbers(t) for t in texts], dtype=np.int64),
        characters=np.array([*map(len, plain)], dtype=np.int32),
        words=np.concatenate(words),
        lengths=np.concatenate(lengths),
    )


def signatures(texts: Sequence[str]) -> UInt16[ndarray, "n p"]:
    """The signatures alone."""
    batches = _batches([_written(t) for t in texts])
    made = [_signed(Characters.of(batch)) for batch in batches]
    return np.concatenate([np.empty((0, SKETCH_BINS), dtype=np.uint16), *made])


def jaccard(left: UInt16[ndarray, "*s p"], right: UInt16[ndarray, "*s p"]) -> Float32[ndarray, "*s"]:
    """Estimated Jaccard 0..1 of the shingle sets, elementwise."""
    equal = left == right
    if equal.shape[-1] != SKETCH_BINS:
        return equal.mean(axis=-1, dtype=np.float32)
    # Eight bins at once: bytes of ones are added up without a carry, and the product adds the bytes.
    eights = equal.view(np.uint64).sum(axis=-1, keepdims=True, dtype=np.uint64)
    total = ((eights * np.uint64(0x0101010101010101)) >> np.uint64(56))[..., 0]
    return total.astype(np.float32) / np.float32(SKETCH_BINS)


def occurrences(counts: UInt32[ndarray, " b"], words: Sequence[str]) -> list[int]:
    """How often each of these words (or pairs of CJK characters, a space for a side without one) occurs."""
    if not words:
        return []
    return counts[buckets.named(words) & buckets.BUCKET].tolist()


def _written(of: str) -> str:
    # Punctuation alone ("?") is a text too.
    return text.normalised(of) or of.strip()


def _numbers(of: str) -> int:
    if not text.has_digit(of):
        return 0
    return text.stable_hash(" ".join(sorted(text.numbers(of)))) | 1


def _batches(plain: Sequence[str]) -> Iterator[Sequence[str]]:
    """Of about equally many characters: a part of rows of a megabyte each would be gigabytes of arrays."""
    start = characters = 0
    for i, of in enumerate(plain):
        characters += len(of)
        if characters > _SKETCH_BATCH_CHARACTERS:
            yield plain[start : i + 1]
            start, characters = i + 1, 0
    if start < len(plain):
        yield plain[start:]


def _signed(of: Characters) -> UInt16[ndarray, "n p"]:
    """One-permutation MinHash (Li, Owen and Zhang 2012), empty bins filled from others (Shrivastava 2017)."""
    bins, codes = SKETCH_BINS, of.codes
    first, second, third = codes[:-2], codes[1:-1], codes[2:]
    hashes = first * np.uint32(0x9E3779B1)
    hashes += second * np.uint32(0x85EBCA77)
    written = codes != 0
    whole = written[:-2] & written[1:-1]
    if of.has_cjk:
        cjk = of.cjk()
        short = cjk[:-2] & cjk[1:-1]
        hashes += np.where(short, np.uint32(1 << 24), third * np.uint32(0xC2B2AE3D))
        long = whole & (short | written[2:])
    else:
        hashes += third * np.uint32(0xC2B2AE3D)
        long = whole & written[2:]
    # Characters between breaks are a shingle of their own, so that no text is without one.
    lone = written[1:-1] & ~written[:-2] & ~written[2:]
    two = whole & ~written[2:]
    two[1:] &= ~written[:-3]
    hashes = buckets.stirred(hashes)
    # The largest number takes no bin from another.
    np.putmask(hashes, ~(long | lone | two), _EMPTY)
    place = (hashes >> np.uint32(33 - bins.bit_length())).astype(np.int64)
    place *= of.texts
    place += of.owners[1:-1]
    made = np.full(bins * of.texts, _EMPTY, dtype=np.uint32)
    np.minimum.at(made, place, hashes)
    return _densified(made.reshape(bins, of.texts))


def _densified(made: UInt32[ndarray, "p n"]) -> UInt16[ndarray, "n p"]:
    """Empty bins take the value of a bin drawn by hash, the same for every text."""
    bins = made.shape[0]
    # One value of 65,536 says that the bin is empty.
    low = np.where(made == _EMPTY, _NO_VALUE, np.minimum(made & np.uint32(0xFFFF), _NO_VALUE - 1))
    low = low.astype(np.uint16)
    full = low
    for draw in _draws(bins):
        full = np.where(full == _NO_VALUE, low[draw], full)
    full = np.ascontiguousarray(full.T)
    # Texts of a few shingles: the next filled bin to the right, round the corner.
    left = np.flatnonzero((full == _NO_VALUE).any(axis=1))
    if left.size:
        twice = np.tile(full[left], (1, 2))
        place = np.where(twice != _NO_VALUE, np.arange(2 * bins, dtype=np.int16), np.int16(2 * bins - 1))
        following = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1][:, :bins]
        full[left] = np.take_along_axis(twice, following.astype(np.int64), axis=1)
    return full


@lru_cache(maxsize=2)
def _draws(bins: int) -> Int64[ndarray, "a p"]:
    rng = np.random.default_rng(bins)
    return np.stack([rng.permutation(bins) for _ in range(_SKETCH_DRAWS)])
