"""One Chinese character that differs between two texts: does the text read as well with either?

A slip leaves half a word behind (手机 became 手几, or lost its 机), another word does not (怎么查, 怎么刷). Read with
the words of general writing, as a set of some thousand rows knows few of them. Knows the characters around the place.
Refuses to know what the set says of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from app.domain import text
from app.domain.repair import lexicon, thresholds

_CJK = re.compile(text.CJK_CHARACTER)


class Reading(NamedTuple):
    """``likelier``: natural logarithm of how much likelier the left text reads; ``left``, ``right``: whether the
    character stands on that side; ``broken``: whether the word that it belongs to on the likelier side leaves no word
    where it is taken out, None where it belongs to none; ``doubled``: whether the less likely side repeats a
    neighbour in its place, and no word is written so (成成 for 成人); ``rare``: whether the character on that side is
    one that general writing hardly uses by itself, as those of names are."""

    likelier: float
    left: bool
    right: bool
    broken: bool | None
    doubled: bool
    rare: bool


class _Place(NamedTuple):
    """A token, or none, and the characters around it."""

    before: str
    inside: str
    behind: str

    @classmethod
    def of(cls, tokens: Sequence[str], begin: int, end: int) -> _Place:
        around = thresholds.READ_AROUND
        return cls(
            "".join(tokens[max(0, begin - around) : begin]),
            "".join(tokens[begin:end]),
            "".join(tokens[end : end + around]),
        )

    def log_likelihood(self) -> float:
        return lexicon.log_likelihood(self.before + self.inside + self.behind)

    def leaves_no_word(self) -> bool | None:
        chinese, begin = self.before + self.inside + self.behind, len(self.before)
        found = lexicon.word_at(chinese, begin) if self.inside else None
        if found is None:
            return None
        rest = (chinese[found[0] : begin], chinese[begin + 1 : found[1]])
        return not all(len(of) > 1 and lexicon.is_chinese_word(of) for of in rest if of)

    def is_doubled(self) -> bool:
        beside = (self.before[-1:], self.behind[:1])
        return bool(self.inside) and self.inside in beside and not lexicon.is_chinese_word(2 * self.inside)


def read(left: Sequence[str], right: Sequence[str], place: tuple[int, int, int, int]) -> Reading | None:
    """Tokens of two texts, and the places [i, j) and [k, m) in them that differ; None where more than one token or
    one of another script differs on a side, or both read as well."""
    i, j, k, m = place
    if max(j - i, m - k) > 1 or not all(map(_CJK.match, (*left[i:j], *right[k:m]))):
        return None
    ours, theirs = _Place.of(left, i, j), _Place.of(right, k, m)
    if j - i != m - k and (ours.before, ours.behind) != (theirs.before, theirs.behind):
        # Other differences stand near: what is longer is told from them in the surroundings that read better.
        if ours.log_likelihood() >= theirs.log_likelihood():
            theirs = ours._replace(inside=theirs.inside)
        else:
            ours = theirs._replace(inside=ours.inside)
    likelier = ours.log_likelihood() - theirs.log_likelihood()
    if likelier == 0:
        return None
    better, worse = (ours, theirs) if likelier > 0 else (theirs, ours)
    return Reading(
        likelier=likelier,
        left=j > i,
        right=m > k,
        broken=better.leaves_no_word(),
        doubled=worse.is_doubled(),
        rare=bool(worse.inside) and lexicon.is_rare_character(worse.inside),
    )


def is_slip(of: Reading) -> bool:
    """What general writing alone says: one side has half a word."""
    if of.left and of.right:
        sure = of.doubled or (abs(of.likelier) >= thresholds.LIKELIER and not of.rare)
        return sure and bool(of.broken)
    cheap, dear = thresholds.WORD_COST
    return not cheap < _cost(of) < dear


def breaks_a_word(of: Reading, *, left: bool) -> bool:
    """Whether what stands on this side, and is more than the other side has or in its place, is what broke a word: a
    negation is none there."""
    unlikely = of.likelier < 0 if left else of.likelier > 0
    if of.left and of.right:
        return unlikely and bool(of.broken) and abs(of.likelier) >= thresholds.LIKELIER
    return (of.left if left else of.right) and _cost(of) >= thresholds.WORD_COST[1]


def contradicts(of: Reading, *, left_is_known: bool) -> bool:
    """Whether general writing has the side for the slip that the set knows better, or for another word."""
    if not (of.left and of.right):
        return False
    return of.broken is False or (of.likelier < 0) is left_is_known


def _cost(of: Reading) -> float:
    """How much less likely the longer text is."""
    return -of.likelier if of.left else of.likelier
