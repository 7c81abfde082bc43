"""One Chinese character that differs between two texts: is it a slip, by what general writing knows?

A slip leaves half a word (手机 became 手几, or lost its 机) or puts a character into one (小学生 became 小学不生).
Another word does not: 怎么查 and 怎么刷, 取款 and 贷款, 血压 and 高血压. A set of some thousand rows knows few words,
general writing does. Knows the characters around the place. Does not know what the set says of them, and to judge
characters that general Chinese writing hardly uses: those of names, of Japanese, of Korean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from app.domain.language import word_frequencies
from app.domain.language.word_frequencies import WELL_KNOWN_FREQUENCY

# How much likelier (natural logarithm, 20 times) a text has to be with one Chinese character than with another in its
# place, or without it, so that it is a slip whatever the set knows.
_LIKELIER: Final = 3.0

# What a Chinese character costs a text in likelihood (natural logarithm) at most, where the text without it has half
# a word: a word more costs about 8.
_LOST_COST: Final = 2.0

# How many times as often as the word that it is part of a character stands alone that is meant so.
_ALONE: Final = 10

# Chinese characters on either side of a difference that are read with it.
_READ_AROUND: Final = 4


_FIRST, _LAST = "\u3400", "\u9fff"


class Side(Enum):
    NEITHER, LEFT, RIGHT = range(3)


class Reading(NamedTuple):
    """``likelier``: natural logarithm of how much likelier the left text reads. ``has_left``, ``has_right``: whether
    the character stands there. ``half``: whether the word that it is part of on the likelier side leaves no word
    without it; None where it is part of none, or stands on one side only. ``slip``: the side that is a slip whatever
    the set knows."""

    likelier: float
    has_left: bool
    has_right: bool
    half: bool | None
    slip: Side


class _Place(NamedTuple):
    """A character, or none, and those around it."""

    before: str
    inside: str
    behind: str

    @classmethod
    def of(cls, tokens: Sequence[str], begin: int, end: int) -> _Place:
        before, behind = "", ""
        while len(before) < _READ_AROUND and begin > 0 and _is_han(tokens[begin - 1]):
            begin -= 1
            before = tokens[begin] + before
        inside = "".join(tokens[begin + len(before) : end])
        while len(behind) < _READ_AROUND and end < len(tokens) and _is_han(tokens[end]):
            behind += tokens[end]
            end += 1
        return cls(before, inside, behind)

    def log_likelihood(self) -> float:
        return word_frequencies.log_likelihood("".join(self))

    def word(self) -> tuple[str, str]:
        """The word around the character without it, in two pieces; the frequencies decide which."""
        chinese, at = "".join(self), len(self.before)
        found = word_frequencies.word_at(chinese, at)
        return ("", "") if found is None else (chinese[found[0] : at], chinese[at + 1 : found[1]])

    def is_part_of_a_word(self) -> bool:
        """Whether the text reads likelier with a word that the character belongs to than with it alone."""
        alone = sum(word_frequencies.log_likelihood(of) for of in self)
        return self.log_likelihood() > alone + 1e-9

    def is_doubled(self) -> bool:
        return self.inside in (self.before[-1:], self.behind[:1]) and not word_frequencies.frequency(
            2 * self.inside
        )


def _is_han(token: str) -> bool:
    return len(token) == 1 and _FIRST <= token <= _LAST


def read(left: Sequence[str], right: Sequence[str], place: tuple[int, int, int, int]) -> Reading | None:
    """Tokens of two texts, and the places [i, j) and [k, m) in them that differ; None where these are not single
    characters that Chinese uses, or both texts read as well."""
    i, j, k, m = place
    if max(j - i, m - k) > 1 or not all(map(_is_han, (*left[i:j], *right[k:m]))):
        return None
    ours, theirs = _Place.of(left, i, j), _Place.of(right, k, m)
    if j - i == m - k:
        return _replaced(ours, theirs)
    if (ours.before, ours.behind) != (theirs.before, theirs.behind):
        # Other differences stand near: what is longer is told from them in the surroundings that read better.
        better = max(ours, theirs, key=lambda of: (of.log_likelihood(), of.before, of.behind))
        ours, theirs = (better._replace(inside=of.inside) for of in (ours, theirs))
    return _put_in(ours, theirs)


def _replaced(ours: _Place, theirs: _Place) -> Reading | None:
    likelier = ours.log_likelihood() - theirs.log_likelihood()
    if likelier == 0:
        return None
    better, worse = (ours, theirs) if likelier > 0 else (theirs, ours)
    rest = [of for of in better.word() if of]
    half = None if not rest else not all(len(of) > 1 and word_frequencies.frequency(of) for of in rest)
    sure = abs(likelier) >= _LIKELIER and not word_frequencies.is_rare_character(worse.inside)
    found = half is True and (sure or worse.is_doubled()) and not worse.is_part_of_a_word()
    slip = Side.NEITHER if not found else Side.RIGHT if likelier > 0 else Side.LEFT
    return Reading(likelier=likelier, has_left=True, has_right=True, half=half, slip=slip)


def _put_in(ours: _Place, theirs: _Place) -> Reading | None:
    longer = ours if ours.inside else theirs
    if word_frequencies.is_rare_character(longer.inside):
        return None
    likelier = ours.log_likelihood() - theirs.log_likelihood()
    cost = -likelier if ours.inside else likelier
    # Beyond what the character costs by itself: it broke a word.
    breaks = cost + math.log(word_frequencies.frequency(longer.inside)) >= _LIKELIER
    lost = cost <= _LOST_COST and not _stands_alone(longer)
    has_left, has_right = bool(ours.inside), bool(theirs.inside)
    slip = Side.NEITHER if not breaks and not lost else Side.LEFT if breaks == has_left else Side.RIGHT
    return Reading(likelier=likelier, has_left=has_left, has_right=has_right, half=None, slip=slip)


def _stands_alone(of: _Place) -> bool:
    """Whether what is left of the word without the character is a word as well, and a single character a far more
    frequent one: 血压 of 高血压, 元 of 美元."""
    before, behind = of.word()
    rest = word_frequencies.frequency(before + behind)
    if len(before + behind) > 1:
        return rest >= WELL_KNOWN_FREQUENCY
    return rest >= _ALONE * word_frequencies.frequency(before + of.inside + behind)


def is_too_much(of: Reading, *, left: bool) -> bool:
    """Whether the character on this side is the slip, so that it means nothing: a negation negates nothing."""
    if left:
        return of.has_left and of.slip is Side.LEFT
    return of.has_right and of.slip is Side.RIGHT


def is_lost(of: Reading, *, left: bool) -> bool:
    """Whether the character on this side is the right one, and the other side without it, or with another one, is a
    slip: 有什么区 beside 有什么区别."""
    has, slip = (of.has_left, Side.RIGHT) if left else (of.has_right, Side.LEFT)
    return has and of.slip is slip


def reads_worse(of: Reading, *, left: bool) -> bool:
    """Whether a character in another one's place makes this side read far worse, whatever word it leaves: 江苏别
    beside 江苏省."""
    worse = -of.likelier if left else of.likelier
    return of.has_left and of.has_right and worse >= _LIKELIER


def contradicts(of: Reading, *, known: int) -> bool:
    """Whether general writing has the side for the slip that the set knows better, or for another word. ``known``:
    above 0 where the set knows the left side better, below where the right one. Says nothing of a character that
    stands on one side only."""
    if not (of.has_left and of.has_right):
        return False
    return of.half is False or of.likelier * known < 0
