"""Words that turn a request round: freeze and unfreeze, buy and sell, 开 and 关.

Two texts that are equal but for one of these mean opposite things, however near an encoder puts them. The
lists are closed classes of everyday English and Chinese; prefixes ("un", "dis", 取消) are rules, not entries.
"""

from __future__ import annotations

import re
from functools import lru_cache

from app.domain.language import phrases

_PREFIXES = ("un", "dis", "de", "in", "im", "il", "ir", "non", "mis")
_STEM_MIN = 4
"""Letters left after a prefix: "under" is not "un" and "der"."""


OPPOSITES: tuple[tuple[str, str], ...] = tuple(
    (first, second)
    for pairs in phrases.document("antonyms")["pairs"].values()
    for first, second in (pair.split(" ") for pair in pairs)
)
"""(word, its opposite); each pair is one axis, a text stands at its first end (+1) or its second (-1)."""


@lru_cache(maxsize=1)
def axes() -> dict[str, tuple[tuple[int, int], ...]]:
    """Word -> the (axis, end) it stands for, end +1 or -1."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for axis, (first, second) in enumerate(OPPOSITES):
        ends.setdefault(first, []).append((axis, 1))
        ends.setdefault(second, []).append((axis, -1))
    return {word: tuple(of) for word, of in ends.items()}


@lru_cache(maxsize=1)
def chinese_words() -> re.Pattern[str]:
    """The listed Chinese words, longest first, so that 解锁 is not read as 锁."""
    words = sorted((w for w in axes() if not w.isascii()), key=lambda w: (-len(w), w))
    return re.compile("|".join(map(re.escape, words)))


def stem(word: str) -> str:
    """What a negating prefix stands before ("unfreeze" -> "freeze"); '' for a word without one."""
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _STEM_MIN:
            return word[len(prefix) :]
    return ""
