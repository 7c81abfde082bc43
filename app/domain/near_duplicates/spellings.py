"""One word of letters written twice: with an ending, without a letter, with a character of another script in it.

Knows two spellings. Does not know where they stand and how well a set knows them.
"""

from __future__ import annotations

import re

from app.domain.language import text, word_frequencies
from app.domain.near_duplicates import buckets

_CJK = re.compile(text.CJK_CHARACTER)
_ENDINGS = ("s", "es", "d", "ed", "ing", "'s", "’s")


def is_inflected(left: str, right: str) -> bool:
    """Whether one is the other with an ending."""
    short, long = sorted((left, right), key=len)
    return len(short) >= 3 and long.startswith(short) and long[len(short) :] in _ENDINGS


def is_mixed(left: str, right: str) -> bool:
    """Whether one has a Chinese, Japanese or Korean character where the other has letters alone: "pytho样n"."""
    plain, other = (left, right) if left.isascii() else (right, left)
    if not plain.isascii() or not plain.isalnum():
        return False
    return any(c.isascii() for c in other) and _CJK.search(other) is not None


def lost_a_letter(left: str, right: str) -> bool:
    """A word whose coming and going changes nothing, and the same without one of its letters, where that is no word:
    "o" for "do", "plese" for "please". ("he" for "the" is one, but no text reads with either.)"""
    short, long = sorted((left, right), key=len)
    if len(long) - len(short) != 1 or long not in buckets.FUNCTION_WORDS:
        return False
    if not any(short == long[:at] + long[at + 1 :] for at in range(len(long))):
        return False
    return len(short) == 1 or (short, long) == ("he", "the") or not word_frequencies.is_english_word(short)
