"""Words that make another question of a text: numbers, units, directions, signs, negations.

Knows both sides of a place where two texts differ. Does not know how well a set knows the words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.domain.language import antonyms, phrases, text

_CJK = re.compile(text.CJK_CHARACTER)
SIGN = re.compile(r"[^\w'’]")
_CLOSED: tuple[frozenset[str], ...] = tuple(
    map(frozenset, phrases.document("closed_kinds")["kinds"].values())
)
"""Words of one kind that are never a slip of each other: numbers, units, months, days, seasons, directions,
family, question words, having and not having."""


# In rows of one template the same few words differ again and again.
@lru_cache(maxsize=1 << 15)
def tells(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether these sides make two questions."""
    return _opposed(left, right) or _closed(left, right) or _other_sign(left, right)


def _other_sign(left: Sequence[str], right: Sequence[str]) -> bool:
    """Plus for minus: signs on both sides, and not the same."""
    signs = [[t for t in side if SIGN.match(t) and not _CJK.match(t)] for side in (left, right)]
    return bool(signs[0]) and bool(signs[1]) and signs[0] != signs[1]


_NUMBERS = frozenset("零二三四五六七八九十百千万亿半")
_KIND = {word: number for number, kind in enumerate(_CLOSED) for word in kind}


def counts(token: str, beside: Sequence[str]) -> bool:
    """Whether a token that has no counterpart changes the number that it stands beside: 十八天 is not 八天, 3千米 is
    not 3米. One is none: 讲个故事 is 讲一个故事."""
    return token in _NUMBERS and any(of in _NUMBERS or of.isdigit() for of in beside)


def _closed(left: Sequence[str], right: Sequence[str]) -> bool:
    """Another number, unit, month, day: words of one kind on both sides, and not the same."""
    ours, theirs = ({token for token in side if token in _KIND} for side in (left, right))
    if not ours or not theirs:
        return False
    shared = {_KIND[token] for token in ours} & {_KIND[token] for token in theirs}
    return any(_KIND[token] in shared for token in ours ^ theirs)


@lru_cache(maxsize=1 << 15)
def negates(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether one side negates and the other does not."""
    ours, theirs = (text.negations(" ".join(side)) for side in (left, right))
    return ours % 2 != theirs % 2


def _opposed(left: Sequence[str], right: Sequence[str]) -> bool:
    """The two sides stand at two ends of one axis ("freeze", "unfreeze")."""
    if any(_stem(a) in right for a in left) or any(_stem(b) in left for b in right):
        return True
    axes = antonyms.axes()
    ends = {place for a in left for place in axes.get(a, ())}
    return bool(ends) and any((axis, -end) in ends for b in right for axis, end in axes.get(b, ()))


_stem = lru_cache(maxsize=1 << 16)(antonyms.stem)
