"""Are two texts one text written twice? What differs is read word by word.

A slip of the pen makes a word that nobody else writes and that looks like the one it stands for. Another word
that is as well known makes another question: "the weather in Rome", "the weather in Oslo". Numbers, negation,
formula signs and the ends of an axis of opposites always do. Words for spaced scripts, characters for Chinese
and Japanese.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from app.domain import text
from app.domain.diagnosis import opposites
from app.domain.repair import buckets, thresholds
from app.domain.repair.runs import Runs

Occurrences = Callable[[Sequence[str]], Sequence[int]]
"""How often each of these words, or pairs of CJK characters, stands in the set; a space = no such character."""

_CJK = re.compile(text.CJK_CHARACTER)
_TWICE = 2
"""Occurrences that say nothing of a word: two words of one bucket have as many."""

_APOSTROPHE = re.compile("['’]")
_SIGN = re.compile(r"[^\w'’]")
_ENDINGS = ("s", "es", "d", "ed", "ing", "'s", "’s")
_CLOSED: tuple[frozenset[str], ...] = tuple(
    frozenset(of.split())
    for of in (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand "
        "million billion half twice double once first second third fourth fifth sixth seventh eighth ninth tenth",
        "january february march april may june july august september october november december jan feb mar apr "
        "jun jul aug sep sept oct nov dec",
        "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun today tomorrow "
        "yesterday weekday weekend",
        "零 一 二 两 三 四 五 六 七 八 九 十 百 千 万 亿 半",
        "甲 乙 丙 丁",
        "he she",
        "his her",
        "him her",
        "and or",
        "with without",
        "who what when where which why how",
        "谁 哪 何 几",
    )
)
"""Words of one kind that are never a slip of each other: numbers, months, days, question words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Characters that differ, by what they are: slips of the pen, other words, words without a counterpart."""

    slips: int
    other: int
    added: int


class _Span(NamedTuple):
    """Tokens that differ; ``least`` and ``most``: occurrences in the set of the rarest and of the commonest word of
    either side (or pair of characters that crosses it), None for a side without one; the tokens of a side in one
    word, in how many letters these two differ, and whether slips that are spread by chance would hardly do that;
    ``begin`` and ``end`` are places in the left text. (A tuple: a million of them are made.)"""

    left: tuple[str, ...]
    right: tuple[str, ...]
    least: tuple[int, int] | None
    most: int
    joined: tuple[str, str]
    size: int
    concentrated: bool
    is_cjk: bool
    begin: int
    end: int


def differences(
    pairs: Sequence[tuple[str, str]], occurrences: Occurrences, *, lenient: bool = False
) -> list[Differences | None]:
    """What differs between the normalised texts of each pair; None where it makes another question.

    ``lenient``: a word that was changed as randomly spread slips would change it needs no other sign of a slip.
    """
    runs = Runs.of(pairs)
    concentrated, cjk = runs.concentrated(), runs.cjk()
    open_ = _open(runs, concentrated, cjk)
    made: list[Differences | None] = [None] * len(pairs)
    for pair, spans in _spans(runs, open_, concentrated.tolist(), cjk.tolist(), occurrences):
        made[pair] = _judged(spans, lenient)
    return made


def _open(runs: Runs, concentrated: Bool[ndarray, " r"], cjk: Bool[ndarray, " r"]) -> list[int]:
    """The pairs of which no run alone decides, whatever the set holds: another number, an opposite, another word."""
    left, right = runs.lengths()
    longest, owners = np.maximum(left, right), runs.owners()
    both = (left > 0) & (right > 0)
    unlike = both & (runs.sizes >= thresholds.SLIP_SIMILARITY * longest)
    no_slip = np.where(
        cjk, np.minimum(left, right) > 1, 1 - runs.sizes / longest < thresholds.SLIP_SIMILARITY
    )
    told = np.zeros(len(runs.tokens), dtype=bool)
    told[owners[unlike & no_slip & concentrated]] = True
    asked = np.flatnonzero(both & ~told[owners])
    for run, pair in zip(asked.tolist(), owners[asked].tolist(), strict=True):
        if not told[pair] and _decided(*runs.sides(run, pair)):
            told[pair] = True
    return np.flatnonzero(~told).tolist()


def _spans(
    runs: Runs,
    pairs: Sequence[int],
    concentrated: Sequence[bool],
    cjk: Sequence[bool],
    occurrences: Occurrences,
) -> Iterator[tuple[int, list[_Span]]]:
    """The runs of each of these pairs with what the set knows of them."""
    begins: list[int] = runs.begins.tolist()
    sizes: list[int] = runs.sizes.tolist()
    read = [
        (run, runs.sides(run, pair), _evidence(runs, run, pair, is_cjk=cjk[run]))
        for pair in pairs
        for run in range(begins[pair], begins[pair + 1])
    ]
    asked = sorted({word for _, _, sides in read for side in sides for word in side})
    known = dict(zip(asked, occurrences(asked), strict=True)).__getitem__
    spans: list[_Span] = []
    for run, (left, right), sides in read:
        one, other = (list(map(known, side)) for side in sides)
        least = (min(one), min(other)) if one and other else None
        most = max(*one, *other) if one and other else 0
        joined = runs.left[run], runs.right[run]
        begin, end, _, _ = runs.places[run]
        spans.append(
            _Span(left, right, least, most, joined, sizes[run], concentrated[run], cjk[run], begin, end)
        )
    at = 0
    for pair in pairs:
        behind = at + begins[pair + 1] - begins[pair]
        yield pair, spans[at:behind]
        at = behind


def _evidence(runs: Runs, run: int, pair: int, *, is_cjk: bool) -> tuple[list[str], list[str]]:
    """What the set is asked about either side: its words, or the pairs of characters that cross the run."""
    left, right = runs.sides(run, pair)
    if not is_cjk:
        return _pieces(left), _pieces(right)
    before, behind = runs.around(run, pair)
    return _crossing(left, before), _crossing(right, behind)


def _crossing(tokens: Sequence[str], around: tuple[str, str]) -> list[str]:
    row = [t if _CJK.match(t) else " " for t in (around[0], *tokens, around[1])]
    return [a + b for a, b in itertools.pairwise(row) if a != " " or b != " "]


def _pieces(tokens: Sequence[str]) -> list[str]:
    if len(tokens) == 1 and tokens[0].isalnum():
        return [tokens[0]]
    return [piece for t in tokens if not _SIGN.match(t) for piece in _APOSTROPHE.split(t)]


def _judged(spans: Sequence[_Span], lenient: bool) -> Differences | None:
    slips = added = slipped = 0
    unlike: list[_Span] = []
    for span in spans:
        slip = _is_slip(span, alone=len(spans) == 1)
        both = bool(span.left and span.right)
        if not (slip and both and not span.is_cjk) and _negates(span.left, span.right):
            return None
        if slip:
            slips, slipped = slips + span.size, slipped + 1
        elif _harmless(span):
            continue
        elif _is_other_word(span):
            return None
        elif span.concentrated:
            if both:
                return None
            added += span.size
        else:
            unlike.append(span)
    other = sum(span.size for span in unlike)
    if len(unlike) > slipped and not lenient:
        if any(span.left and span.right for span in unlike) or _replaces(unlike):
            return None
        added, other = added + other, 0
    return Differences(slips=slips, other=other, added=added)


def _replaces(spans: Sequence[_Span]) -> bool:
    """Whether what is left out beside what is put in is one word for another: 张王李, 王李赵."""
    return any(
        bool(one.left) != bool(other.left) and other.begin - one.end <= thresholds.REPLACED_MAX_GAP
        for one, other in itertools.pairwise(spans)
    )


def _is_other_word(span: _Span) -> bool:
    """Both sides are words that others write as well, and nothing like each other."""
    a, b = span.joined
    if span.is_cjk or not a or not b or max(len(a), len(b)) <= thresholds.CHANCE_WORD_CHARACTERS:
        return False
    if span.size <= (1 - thresholds.SLIP_SIMILARITY) * max(len(a), len(b)) or span.least is None:
        return False
    return min(span.least) > max(1.0, thresholds.SLIP_RARITY * max(span.least))


def _is_slip(span: _Span, *, alone: bool) -> bool:
    """One side is written (almost) nowhere else, the other side is, and the two look alike.

    Of several spans the other side need not be known: rare words are misspelt too.
    """
    if span.least is None:
        return False
    rare, common = sorted(span.least)
    if rare > max(1.0, thresholds.SLIP_RARITY * common) or (alone and span.most <= _TWICE):
        return False
    a, b = span.joined
    if span.is_cjk:
        return min(len(a), len(b)) <= 1
    if not a or not b:
        return max(len(a), len(b)) <= 1
    affixed = abs(len(a) - len(b)) >= 2 and (
        a.startswith(b) or b.startswith(a) or a.endswith(b) or b.endswith(a)
    )
    return not affixed and span.size <= (1 - thresholds.SLIP_SIMILARITY) * max(len(a), len(b))


def _harmless(span: _Span) -> bool:
    """Endings, and words whose coming and going leaves a question what it is."""
    if not span.left or not span.right:
        return frozenset((*span.left, *span.right)) <= buckets.FUNCTION_WORDS
    return _inflected(span)


def _inflected(span: _Span) -> bool:
    a, b = sorted(span.joined, key=len)
    return len(a) >= 3 and b.startswith(a) and b[len(a) :] in _ENDINGS


# In rows of one template the same few words differ again and again.
@lru_cache(maxsize=1 << 15)
def _decided(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether these sides make two questions wherever they stand."""
    return _opposed(left, right) or _closed(left, right) or _other_sign(left, right)


def _other_sign(left: Sequence[str], right: Sequence[str]) -> bool:
    """Plus for minus: signs on both sides, and not the same."""
    signs = [[t for t in side if _SIGN.match(t) and not _CJK.match(t)] for side in (left, right)]
    return bool(signs[0]) and bool(signs[1]) and signs[0] != signs[1]


_KIND = {word: number for number, kind in enumerate(_CLOSED) for word in kind}


def _closed(left: Sequence[str], right: Sequence[str]) -> bool:
    """Another number, month, day: words of one kind on both sides, and not the same."""
    ours, theirs = ({token for token in side if token in _KIND} for side in (left, right))
    if not ours or not theirs:
        return False
    shared = {_KIND[token] for token in ours} & {_KIND[token] for token in theirs}
    return any(_KIND[token] in shared for token in ours ^ theirs)


@lru_cache(maxsize=1 << 15)
def _negates(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    ours, theirs = (text.negations(" ".join(side)) for side in (left, right))
    return ours % 2 != theirs % 2


def _opposed(left: Sequence[str], right: Sequence[str]) -> bool:
    """The two sides stand at two ends of one axis ("freeze", "unfreeze")."""
    if any(_stem(a) in right for a in left) or any(_stem(b) in left for b in right):
        return True
    axes = opposites.axes()
    ends = {place for a in left for place in axes.get(a, ())}
    return bool(ends) and any((axis, -end) in ends for b in right for axis, end in axes.get(b, ()))


_stem = lru_cache(maxsize=1 << 16)(opposites.stem)
