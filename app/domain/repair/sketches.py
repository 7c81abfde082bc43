"""Texts read once into small arrays: MinHash signatures, what must be equal, and how often words stand in them.

One pass in parts, so that memory does not grow with the texts but with 300 bytes a row. Shingles follow the
script character by character: two characters where Chinese, Japanese or Korean stands, three elsewhere, so that
a row in two languages needs no choice. Refuses to decide what a duplicate is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt16, UInt32
from numpy import ndarray

from app.domain import text
from app.domain.repair import thresholds

_EMPTY = np.uint32(0xFFFFFFFF)
_SEPARATOR, _WORD, _CJK = 0, 1, 2
_BREAK = "\0\0"
"""Between two texts: no shingle crosses it, as those that hold a zero are left out."""

Frequencies = tuple[UInt32[ndarray, " w"], UInt32[ndarray, " w"]]
"""Buckets of words (and of pairs of CJK characters) that occur, and how often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketches:
    """n texts. ``signatures`` (n, p): low 16 bits of the MinHashes (b-bit MinHash, Li and König 2010).
    ``wholes``: hash of the normalised text, 0 = nothing written. ``numbers``: hash of its sorted numbers, 0 =
    none. ``counts``: occurrences by bucket of words and pairs of CJK characters over all texts."""

    signatures: UInt16[ndarray, "n p"]
    wholes: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    counts: UInt32[ndarray, " b"]

    def __len__(self) -> int:
        return len(self.wholes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one part of the texts gives; see ``Sketches``."""

    signatures: UInt16[ndarray, "n p"]
    wholes: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    words: UInt32[ndarray, " w"]
    occurrences: UInt32[ndarray, " w"]


def read(texts: Sequence[str]) -> Sketches:
    """Read n texts, part by part, in their order."""
    step = thresholds.SKETCH_PART_ROWS
    return joined(len(texts), (read_part(texts[i : i + step]) for i in range(0, len(texts), step)))


def joined(rows: int, parts: Iterator[Part]) -> Sketches:
    """The parts' rows one after the other, their words counted together."""
    made = Sketches(
        signatures=np.empty((rows, thresholds.SKETCH_BINS), dtype=np.uint16),
        wholes=np.empty(rows, dtype=np.int64),
        numbers=np.empty(rows, dtype=np.int64),
        counts=np.zeros(thresholds.WORD_BUCKETS, dtype=np.uint32),
    )
    start = 0
    for part in parts:
        end = start + len(part.wholes)
        made.signatures[start:end] = part.signatures
        made.wholes[start:end] = part.wholes
        made.numbers[start:end] = part.numbers
        made.counts[part.words] += part.occurrences
        start = end
    return made


def read_part(texts: Sequence[str]) -> Part:
    """One part on its own: what a process of a cluster does."""
    plain = [_written(t) for t in texts]
    signed, words = [np.empty((0, thresholds.SKETCH_BINS), dtype=np.uint16)], [np.empty(0, dtype=np.uint32)]
    for batch in _batches(plain):
        codes, owners = _codes(batch)
        signed.append(_signed(codes, owners, len(batch)))
        words.append(_words(codes))
    buckets, occurrences = np.unique(np.concatenate(words), return_counts=True)
    return Part(
        signatures=np.concatenate(signed),
        wholes=np.array([text.stable_hash(p) | 1 if p else 0 for p in plain], dtype=np.int64),
        numbers=np.array([_numbers(t) for t in texts], dtype=np.int64),
        words=buckets,
        occurrences=occurrences.astype(np.uint32),
    )


def signatures(texts: Sequence[str]) -> UInt16[ndarray, "n p"]:
    """The signatures alone."""
    batches = _batches([_written(t) for t in texts])
    made = [_signed(*_codes(batch), len(batch)) for batch in batches]
    return np.concatenate([np.empty((0, thresholds.SKETCH_BINS), dtype=np.uint16), *made])


def jaccard(left: UInt16[ndarray, "*s p"], right: UInt16[ndarray, "*s p"]) -> Float32[ndarray, "*s"]:
    """Estimated Jaccard 0..1 of the shingle sets, elementwise."""
    return (left == right).mean(axis=-1, dtype=np.float32)


def occurrences(counts: UInt32[ndarray, " b"], words: Sequence[str]) -> list[int]:
    """How often each of these words (or pairs of CJK characters, a space for a side without one) occurs."""
    if not words:
        return []
    buckets = _words(_codes(list(words))[0], apart=True)
    assert len(buckets) == len(words), "a word of another class of characters"
    return counts[buckets].tolist()


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
        if characters > thresholds.SKETCH_BATCH_CHARACTERS:
            yield plain[start : i + 1]
            start, characters = i + 1, 0
    if start < len(plain):
        yield plain[start:]


def _codes(batch: Sequence[str]) -> tuple[UInt32[ndarray, " c"], Int64[ndarray, " c"]]:
    """Code points of all texts with breaks around them, and the text that each stands in."""
    whole = _BREAK.join(["", *batch, ""])
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, batch), dtype=np.int64, count=len(batch)) + len(_BREAK)
    owners = np.repeat(np.arange(len(batch), dtype=np.int64), lengths)
    return codes, np.concatenate([np.zeros(2, dtype=np.int64), owners])


def _signed(codes: UInt32[ndarray, " c"], owners: Int64[ndarray, " c"], rows: int) -> UInt16[ndarray, "n p"]:
    """One-permutation MinHash (Li, Owen and Zhang 2012), empty bins filled from others (Shrivastava 2017)."""
    bins = thresholds.SKETCH_BINS
    first, second, third = codes[:-2], codes[1:-1], codes[2:]
    short = (_classes(first) == _CJK) & (_classes(second) == _CJK)
    # A character between breaks is a shingle of its own, so that no text is without one.
    whole = (first != 0) & (second != 0) & (short | (third != 0))
    lone = (codes[:-2] == 0) & (codes[1:-1] != 0) & (codes[2:] == 0)
    two = ~short & (first != 0) & (second != 0) & (third == 0)
    two[1:] &= codes[:-3] == 0
    kept = np.flatnonzero(whole | lone | two)
    hashes = _stirred(first[kept] * np.uint32(0x9E3779B1))
    hashes = _stirred(hashes ^ second[kept])
    hashes = _stirred(hashes ^ np.where(short[kept], np.uint32(1 << 24), third[kept]))
    made = np.full(rows * bins, _EMPTY, dtype=np.uint32)
    shift = np.uint32(33 - bins.bit_length())
    np.minimum.at(made, owners[kept + 1] * bins + (hashes >> shift).astype(np.int64), hashes)
    return _densified(made.reshape(rows, bins))


def _densified(made: UInt32[ndarray, "n p"]) -> UInt16[ndarray, "n p"]:
    """Empty bins take the value of a bin drawn by hash, the same for every text."""
    bins = made.shape[1]
    full = made.copy()
    for draw in _draws(bins):
        np.copyto(full, made[:, draw], where=full == _EMPTY)
    # Texts of a few shingles: the next filled bin to the right, round the corner.
    left = np.flatnonzero((full == _EMPTY).any(axis=1))
    if left.size:
        twice = np.tile(full[left], (1, 2))
        place = np.where(twice != _EMPTY, np.arange(2 * bins, dtype=np.int32), np.int32(2 * bins - 1))
        following = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1][:, :bins]
        full[left] = np.take_along_axis(twice, following, axis=1)
    return (full & np.uint32(0xFFFF)).astype(np.uint16)


@lru_cache(maxsize=2)
def _draws(bins: int) -> Int64[ndarray, "a p"]:
    rng = np.random.default_rng(bins)
    return np.stack([rng.permutation(bins) for _ in range(thresholds.SKETCH_DRAWS)])


def _words(codes: UInt32[ndarray, " c"], *, apart: bool = False) -> UInt32[ndarray, " w"]:
    """Buckets of the words and the pairs of CJK characters; ``apart``: each text is one of them, in order."""
    kinds = _classes(codes)
    inside = kinds == _WORD
    starts = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
    at = np.flatnonzero(inside)
    length = np.diff(np.searchsorted(at, [*starts.tolist(), len(codes)]))
    offset = np.arange(len(at)) - np.repeat(np.searchsorted(at, starts), length)
    mixed = _stirred(codes[at] * np.uint32(0x9E3779B1) + offset.astype(np.uint32) * np.uint32(0x85EBCA6B))
    hashes = np.add.reduceat(mixed, np.searchsorted(at, starts)) if len(starts) else mixed
    cjk = kinds == _CJK
    side = np.where(cjk, codes, np.uint32(0))
    pairs = np.flatnonzero(cjk[:-1] & cjk[1:] if apart else cjk[:-1] | cjk[1:])
    if apart:
        pairs = np.flatnonzero((cjk[:-1] | cjk[1:]) & (codes[:-1] != 0) & (codes[1:] != 0))
    both = _stirred(_stirred(side[pairs] * np.uint32(0x9E3779B1)) ^ side[pairs + 1])
    found = np.concatenate([_stirred(hashes), both])
    if apart:
        found = found[np.argsort(np.concatenate([starts, pairs]), kind="stable")]
    return found & np.uint32(thresholds.WORD_BUCKETS - 1)


def _stirred(of: UInt32[ndarray, " n"]) -> UInt32[ndarray, " n"]:
    """Murmur3's finaliser: every bit of the input reaches every bit of the output."""
    of = (of ^ (of >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    of = (of ^ (of >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return of ^ (of >> np.uint32(16))


def _classes(codes: UInt32[ndarray, " c"]) -> UInt8[ndarray, " c"]:
    return _table()[np.minimum(codes, np.uint32(0xFFFF))]


@lru_cache(maxsize=1)
def _table() -> UInt8[ndarray, " t"]:
    """Class of every character of the basic plane; those beyond it are separators."""
    made = np.full(0x10000, _SEPARATOR, dtype=np.uint8)
    word, cjk = re.compile(text.WORD_CHARACTER), re.compile(text.CJK_CHARACTER)
    for code in range(1, 0xFFFF):
        if cjk.match(chr(code)):
            made[code] = _CJK
        elif word.match(chr(code)):
            made[code] = _WORD
    return made
