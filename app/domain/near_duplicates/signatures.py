"""Texts read once, in bulk: MinHash signatures, what must be equal, and how often words stand in the set.

Shingles follow the script character by character: two characters where Chinese, Japanese or Korean stands, three
elsewhere. Does not decide what a duplicate is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64, UInt32, UInt64
from numpy import ndarray
from rensa.rensa import RMinHash

from app.domain.language import text

# A resource bound: bands of three values (``lsh``), 48 of them.
PERMUTATIONS: Final = 144

# Texts read at once: a resource bound.
PART_ROWS: Final = 5_000

_WORD = re.compile(rf"{text.WORD_CHARACTER}+(?:['’]{text.WORD_CHARACTER}+)*")
_CJK_RUN = re.compile(f"{text.CJK_CHARACTER}+")
_FIRST_CJK, _LAST_CJK = 0x3040, 0xFAFF
_PRIMES = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """n texts. ``values`` (n, p): MinHashes. ``texts``: hash of the normalised text, 0 = nothing written.
    ``numbers``: hash of its sorted numbers, 0 = none. ``words``: occurrences of each word, and of each pair of CJK
    characters (a space for a side without one), over all texts."""

    values: UInt32[ndarray, "n p"]
    texts: Int64[ndarray, " n"]
    numbers: Int64[ndarray, " n"]
    words: Counter[str]

    def __len__(self) -> int:
        return len(self.texts)


def read(texts: Sequence[str]) -> Signatures:
    """Read n texts, part by part, in their order."""
    return joined(read_part(texts[i : i + PART_ROWS]) for i in range(0, len(texts), PART_ROWS))


def joined(parts: Iterable[Signatures]) -> Signatures:
    """The parts' texts one after the other, their words counted together."""
    values, whole, numbers = [np.empty((0, PERMUTATIONS), dtype=np.uint32)], [_NO_HASHES], [_NO_HASHES]
    words = Counter[str]()
    for part in parts:
        values.append(part.values)
        whole.append(part.texts)
        numbers.append(part.numbers)
        words.update(part.words)
    return Signatures(
        values=np.concatenate(values),
        texts=np.concatenate(whole),
        numbers=np.concatenate(numbers),
        words=words,
    )


_NO_HASHES: Int64[ndarray, " 0"] = np.empty(0, dtype=np.int64)


def read_part(texts: Sequence[str]) -> Signatures:
    """One part on its own: what a process of a cluster does."""
    plain = [written(of) for of in texts]
    return Signatures(
        values=signatures(plain),
        texts=np.array([text.stable_hash(of) | 1 if of else 0 for of in plain], dtype=np.int64),
        numbers=np.array([_numbers(of) for of in texts], dtype=np.int64),
        words=Counter(word for of in plain for word in words(text.clip(of))),
    )


def written(of: str) -> str:
    """The normalised text; punctuation alone ("?") is a text too."""
    return text.normalised(of) or of.strip()


def words(plain: str) -> list[str]:
    """The words of a normalised text, and its pairs of CJK characters, a space for a side without one."""
    found: list[str] = _WORD.findall(plain)
    if not plain.isascii():
        for run in _CJK_RUN.findall(plain):
            found.extend(a + b for a, b in pairwise(f" {run} "))
    return found


def signatures(plain: Sequence[str]) -> UInt32[ndarray, "n p"]:
    """MinHash (Broder 1997) of the shingles of n normalised texts; an empty one has the largest values."""
    if not plain:
        return np.empty((0, PERMUTATIONS), dtype=np.uint32)
    # With a space at either end the shortest text has a shingle of three.
    codes = np.frombuffer(
        "".join(f" {of} " for of in plain).encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    )
    lengths = np.fromiter(map(len, plain), dtype=np.int64, count=len(plain))
    inside = np.ones(len(codes), dtype=bool)
    ends = np.cumsum(lengths + 2)
    inside[ends - 1] = inside[ends - 2] = False
    made = RMinHash.digest_matrix_from_flat_token_hashes(
        _shingles(codes)[inside[:-2]],
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64),
        PERMUTATIONS,
        1,
    )
    return np.array(made.to_rows(), dtype=np.uint32)


def jaccard(left: UInt32[ndarray, "*s p"], right: UInt32[ndarray, "*s p"]) -> Float32[ndarray, "*s"]:
    """Estimated Jaccard 0..1 of the shingle sets, elementwise; standard error .045 at worst."""
    return (left == right).mean(axis=-1, dtype=np.float32)


def _shingles(codes: UInt32[ndarray, " c"]) -> UInt64[ndarray, " s"]:
    """Hash of the two or three characters that begin at each place."""
    cjk = (codes >= _FIRST_CJK) & (codes <= _LAST_CJK)
    two = cjk[:-2] & cjk[1:-1]
    wide = codes.astype(np.uint64)
    made = wide[:-2] * _PRIMES[0]
    made += wide[1:-1] * _PRIMES[1]
    made += np.where(two, np.uint64(0), (wide[2:] + np.uint64(1)) * _PRIMES[2])
    made ^= made >> np.uint64(31)
    return made * _PRIMES[1]


def _numbers(of: str) -> int:
    if not text.has_digit(of):
        return 0
    return text.stable_hash(" ".join(sorted(text.numbers(of)))) | 1
