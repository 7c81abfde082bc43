"""Characters of many texts as arrays, and their words as numbers of a hash table.

What stands in a text is compared a million times, and by its number a thousand times as fast as by its
letters. Knows the classes of characters. Does not know what a word means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Bool, Int32, Int64, UInt8, UInt32
from numpy import ndarray

from app.domain.language import text

# Hash table of word counts: some hundred thousand words of a large set collide one time in ten.
WORD_BUCKETS: Final = 1 << 22

# Words as short as this turn into each other by one slip ("the", "he"); longer ones seldom.
CHANCE_WORD_CHARACTERS: Final = 3


_SEPARATOR, _WORD, _CJK = 0, 1, 2
_BREAK = "\0\0"
"""Between two texts: no shingle crosses it, as those that hold a zero are left out."""

BUCKET = np.uint32(WORD_BUCKETS - 1)
PAIR, LONG, FUNCTION = np.uint32(1 << 29), np.uint32(1 << 30), np.uint32(1 << 31)
"""Above the bucket: a pair of CJK characters, a word too long to become another one by one slip, and a word
(or a pair with a character) whose coming and going leaves a question what it is."""

FUNCTION_WORDS = frozenset(
    (  # noqa: SIM905
        "a an the please pls kindly thanks thank you hi hello hey so just then that is are to of in on at i me my "
        "do does can could would 请 问 的 了 吗 呢 啊 吧 呀 您 你 好 我 想 要"
    ).split()
)

_FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
_FIRST_CJK = 0x2E80


@dataclass(frozen=True, slots=True, kw_only=True)
class Characters:
    """n texts as one row of code points with two zeros before, between and after them.

    ``owners``: the text that each stands in, or stood in last. ``kinds``: class of each; ``has_cjk``: whether
    one may be Chinese, Japanese or Korean.
    """

    codes: UInt32[ndarray, " c"]
    owners: Int64[ndarray, " c"]
    texts: int
    has_cjk: bool

    @classmethod
    def of(cls, batch: Sequence[str]) -> Characters:
        whole = _BREAK.join(["", *batch, ""])
        codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        lengths = np.fromiter(map(len, batch), dtype=np.int64, count=len(batch)) + len(_BREAK)
        owners = np.zeros(len(codes), dtype=np.int64)
        owners[len(_BREAK) :] = np.repeat(np.arange(len(batch), dtype=np.int64), lengths)
        return cls(codes=codes, owners=owners, texts=len(batch), has_cjk=bool(codes.max() >= _FIRST_CJK))

    def kinds(self) -> UInt8[ndarray, " c"]:
        return _table()[np.minimum(self.codes, np.uint32(0xFFFF))]

    def cjk(self) -> Bool[ndarray, " c"]:
        return self.kinds() == _CJK if self.has_cjk else np.zeros(len(self.codes), dtype=bool)


def words(of: Characters) -> tuple[UInt32[ndarray, " w"], Int32[ndarray, " n"]]:
    """The words of each text and its pairs of CJK characters (zero for a side without one), text by text, and
    how many each text has. Within a text the words come first."""
    kinds = of.kinds()
    found, starts = _spaced(of.codes, kinds)
    owners = of.owners[starts]
    if of.has_cjk:
        pairs, at = _pairs(of.codes, kinds)
        # The break behind a text is its own, the one before it is not.
        owners = np.concatenate([owners, of.owners[at + 1]])
        found = np.concatenate([found, pairs])[np.argsort(owners, kind="stable")]
    return found, np.bincount(owners, minlength=of.texts).astype(np.int32)


def named(given: Sequence[str]) -> UInt32[ndarray, " w"]:
    """The same for words (or pairs of CJK characters, a space for a side without one), one for each."""
    characters = Characters.of(given)
    kinds = characters.kinds()
    found, starts = _spaced(characters.codes, kinds)
    pairs, at = _pairs(characters.codes, kinds)
    # Of a pair that is given as such its edges are no pairs.
    inside = (characters.codes[at] != 0) & (characters.codes[at + 1] != 0)
    made = np.concatenate([found, pairs[inside]])
    assert len(made) == len(given), "a word of another class of characters"
    return made[np.argsort(np.concatenate([starts, at[inside]]), kind="stable")]


def stirred(of: UInt32[ndarray, " n"]) -> UInt32[ndarray, " n"]:
    """Murmur3's finaliser: every bit of the input reaches every bit of the output."""
    of = (of ^ (of >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    of = (of ^ (of >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return of ^ (of >> np.uint32(16))


def _spaced(
    codes: UInt32[ndarray, " c"], kinds: UInt8[ndarray, " c"]
) -> tuple[UInt32[ndarray, " w"], Int64[ndarray, " w"]]:
    """Words of spaced scripts, each the sum of what its pairs of letters hash to, and where they begin."""
    inside = kinds == _WORD
    begins = inside.copy()
    begins[1:] &= ~inside[:-1]
    starts = np.flatnonzero(begins)
    if not starts.size:
        return np.empty(0, dtype=np.uint32), starts
    made = _hashed(codes, inside, starts)
    ends = np.flatnonzero(inside[:-1] & ~inside[1:])
    made |= np.where(ends - starts >= CHANCE_WORD_CHARACTERS, LONG, np.uint32(0))
    return made | (_function_words()[made & BUCKET] * FUNCTION), starts


def _hashed(
    codes: UInt32[ndarray, " c"], inside: Bool[ndarray, " c"], starts: Int64[ndarray, " w"]
) -> UInt32[ndarray, " w"]:
    letters = codes * inside
    mixed = stirred(letters[:-1] * _FIRST + letters[1:] * _SECOND) * inside[:-1]
    return stirred(np.add.reduceat(mixed, starts)) & BUCKET


def _pairs(
    codes: UInt32[ndarray, " c"], kinds: UInt8[ndarray, " c"]
) -> tuple[UInt32[ndarray, " w"], Int64[ndarray, " w"]]:
    cjk = kinds == _CJK
    at = np.flatnonzero(cjk[:-1] | cjk[1:])
    side = codes * cjk
    left, right = side[at], side[at + 1]
    made = stirred(stirred(left * _FIRST) ^ right) & BUCKET
    soft = _function_characters()
    return made | PAIR | ((soft[left & 0xFFFF] | soft[right & 0xFFFF]) * FUNCTION), at


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


@lru_cache(maxsize=1)
def _function_characters() -> Bool[ndarray, " t"]:
    made = np.zeros(0x10000, dtype=bool)
    made[[ord(w) for w in FUNCTION_WORDS if len(w) == 1 and not w.isascii()]] = True
    return made


@lru_cache(maxsize=1)
def _function_words() -> Bool[ndarray, " b"]:
    made = np.zeros(WORD_BUCKETS, dtype=bool)
    batch = Characters.of(sorted(w for w in FUNCTION_WORDS if w.isascii()))
    inside = batch.kinds() == _WORD
    starts = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1
    made[_hashed(batch.codes, inside, starts)] = True
    return made
