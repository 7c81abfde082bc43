"""Which characters follow each other, and fingerprints of long texts; on whole columns of texts at once.

Fingerprints are hashes of every window of 16 characters, of which one in eight is kept by its value (0 mod p,
Manber 1994): a copied passage keeps the same ones wherever it stands.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int32, Int64, UInt32, UInt64
from numpy import ndarray

from app.domain.language import scripts

WINDOW: Final = 16
_KEPT_OF: Final = np.uint64(8)
_BASE: Final = 0x9E3779B97F4A7C15
_TABLE_CHARACTERS: Final = 8192
_CHUNK_CHARACTERS: Final = 2_000_000


def folded(of: str) -> str:
    """NFKC, casefolded, runs of spaces as one."""
    if not of.isascii():
        of = unicodedata.normalize("NFKC", of)
    return " ".join(of.casefold().split())


def bigrams(folded_texts: Iterable[str]) -> UInt64[ndarray, " b"]:
    """Every pair of characters that stand beside each other, as ``first << 32 | second``, ascending."""
    found = [_distinct_pairs(scripts.code_points("\n".join(chunk))) for chunk in chunks(folded_texts)]
    return np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *found]))


def _distinct_pairs(codes: UInt32[ndarray, " c"]) -> UInt64[ndarray, " b"]:
    first, second = codes[:-1], codes[1:]
    alphabet = np.flatnonzero(np.bincount(codes)).astype(np.uint32) if len(codes) else codes
    size = len(alphabet)
    if size > _TABLE_CHARACTERS:
        return np.unique(_joined(first, second))
    # A table of all pairs of the characters that occur is ten times faster than to sort what is there.
    number = np.zeros(int(alphabet[-1]) + 1 if size else 1, dtype=np.int32)
    number[alphabet] = np.arange(size, dtype=np.int32)
    seen = np.zeros(size * size, dtype=bool)
    seen[number[first] * np.int32(size) + number[second]] = True
    pairs = np.flatnonzero(seen)
    return _joined(alphabet[pairs // max(1, size)], alphabet[pairs % max(1, size)])


def letter_pairs(folded_texts: Iterable[str]) -> Int64[ndarray, "27 27"]:
    """How often each Latin letter follows each other one; 0 stands for what is none, the edge of a word."""
    counts = np.zeros(27 * 27, dtype=np.int64)
    for chunk in chunks(folded_texts):
        codes = scripts.code_points("\n".join(chunk))
        letters = np.where((codes >= ord("a")) & (codes <= ord("z")), codes - np.uint32(ord("a") - 1), 0)
        counts += np.bincount(letters[:-1] * 27 + letters[1:], minlength=27 * 27)
    counts[0] = 0  # between numbers and signs
    return counts.reshape(27, 27)


def pairs_of(folded_text: str) -> UInt64[ndarray, " b"]:
    """The bigrams of one text in their order, repeats kept."""
    codes = scripts.code_points(folded_text)
    return _joined(codes[:-1], codes[1:])


def known(pairs: UInt64[ndarray, " p"], among: UInt64[ndarray, " b"]) -> Bool[ndarray, " p"]:
    """Whether each pair is one of ``among`` (ascending)."""
    if not len(among):
        return np.zeros(len(pairs), dtype=bool)
    where = np.minimum(np.searchsorted(among, pairs), len(among) - 1)
    return among[where] == pairs


def _joined(first: ndarray, second: ndarray) -> UInt64[ndarray, " p"]:
    return (first.astype(np.uint64) << np.uint64(32)) | second.astype(np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """``hashes`` ascending, each with the number of the text that it is from."""

    hashes: UInt64[ndarray, " f"]
    texts: Int32[ndarray, " f"]

    def sharing(self, hashes: UInt64[ndarray, " h"]) -> tuple[Int64[ndarray, " h"], Int64[ndarray, " h"]]:
        """First and one-past-last position of each hash; equal where no text has it."""
        return np.searchsorted(self.hashes, hashes, "left"), np.searchsorted(self.hashes, hashes, "right")


def fingerprints(folded_texts: Sequence[str]) -> Fingerprints:
    """Fingerprints of texts, each hash once a text; a text shorter than a window has none."""
    kept_hashes: list[ndarray] = []
    kept_texts: list[ndarray] = []
    start = 0
    for chunk in chunks(folded_texts):
        codes = scripts.code_points("".join(chunk))
        owner = np.repeat(np.arange(start, start + len(chunk), dtype=np.int32), [len(t) for t in chunk])
        start += len(chunk)
        hashes = _rolled(codes)
        if not len(hashes):
            continue
        inside = owner[: len(hashes)] == owner[WINDOW - 1 :]
        kept = inside & sampled(hashes)
        kept_hashes.append(hashes[kept])
        kept_texts.append(owner[: len(hashes)][kept])
    hashes = np.concatenate([np.empty(0, dtype=np.uint64), *kept_hashes])
    texts = np.concatenate([np.empty(0, dtype=np.int32), *kept_texts])
    order = np.lexsort((texts, hashes))
    hashes, texts = hashes[order], texts[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (texts[1:] != texts[:-1])
    return Fingerprints(hashes=hashes[new], texts=texts[new])


def sampled(hashes: UInt64[ndarray, " h"]) -> Bool[ndarray, " h"]:
    """Which hashes are kept as fingerprints."""
    return hashes % _KEPT_OF == 0


def windows(folded_text: str) -> UInt64[ndarray, " w"]:
    """The hashes of all windows of one text, each once, ascending."""
    return np.unique(_rolled(scripts.code_points(folded_text)))


def _rolled(codes: ndarray) -> UInt64[ndarray, " w"]:
    """A polynomial hash of each window, by doubling: 1, 2, 4, 8, 16 characters."""
    hashes = codes.astype(np.uint64) + np.uint64(1)
    width, factor = 1, _BASE
    while width < WINDOW:
        if len(hashes) <= width:
            return np.empty(0, dtype=np.uint64)
        hashes = hashes[:-width] * np.uint64(factor) + hashes[width:]
        width, factor = 2 * width, factor * factor % 2**64
    # The low bits of a product see only the low bits of its factors: mix before they choose.
    return (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(3)


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Parts of about two million characters, so that a million rows need no gigabytes at once."""
    waiting = iter(texts)
    for first in waiting:
        chunk, size = [first], len(first)
        for said in waiting:
            chunk.append(said)
            size += len(said)
            if size >= _CHUNK_CHARACTERS:
                break
        yield chunk


def runs(flags: Iterable[bool]) -> list[tuple[int, int]]:
    """First and one-past-last position of every run of True."""
    made: list[tuple[int, int]] = []
    at = 0
    for value, group in itertools.groupby(flags):
        length = sum(1 for _ in group)
        if value:
            made.append((at, at + length))
        at += length
    return made
