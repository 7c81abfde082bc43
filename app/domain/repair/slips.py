"""Are two texts one text written twice? What differs is read word by word.

A slip of the pen makes a word that nobody else writes and that looks like the one it stands for. Another word
that is as well known makes another question: "the weather in Rome", "the weather in Oslo". Numbers, negation,
formula signs and the ends of an axis of opposites always do. Words for spaced scripts, characters for Chinese
and Japanese.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from app.domain import text
from app.domain.diagnosis import opposites
from app.domain.repair import buckets, thresholds

Occurrences = Callable[[Sequence[str]], Sequence[int]]
"""How often each of these words, or pairs of CJK characters, stands in the set; a space = no such character."""

_TOKEN = re.compile(
    f"{text.CJK_CHARACTER}|{text.WORD_CHARACTER}+(?:['’]{text.WORD_CHARACTER}+)*"
    r"|(?<!\w)-|-(?!\w)|[^\w\s.,;:!?\"'`´‘’“”。，、；：！？…·—–\-（）()]"
)
_CJK = re.compile(text.CJK_CHARACTER)
_TWICE = 2
"""Occurrences that say nothing of a word: two words of one bucket have as many."""

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
    """Tokens that differ, and those before and after them on either side; the tokens of a side in one word, and
    in how many letters these two differ. (A tuple: a million of them are made.)"""

    left: tuple[str, ...]
    right: tuple[str, ...]
    around_left: tuple[str, str]
    around_right: tuple[str, str]
    joined: tuple[str, str]
    size: int
    is_cjk: bool


def differences(
    pairs: Sequence[tuple[str, str]], occurrences: Occurrences, *, lenient: bool = False
) -> list[Differences | None]:
    """What differs between the normalised texts of each pair; None where it makes another question.

    ``lenient``: a word that was changed as randomly spread slips would change it needs no other sign of a slip.
    """
    read = [_open(_spans(left, right), max(len(left), len(right))) for left, right in pairs]
    asked = sorted({w for spans in read for span in spans or () for side in _evidence(span) for w in side})
    known = dict(zip(asked, occurrences(asked), strict=True))
    sizes = [max(len(left), len(right)) for left, right in pairs]
    return [
        None if spans is None else _judged(spans, known, size, lenient)
        for spans, size in zip(read, sizes, strict=True)
    ]


def _spans(left: str, right: str) -> list[_Span]:
    """Runs of tokens that differ; one that is written in other pieces ("data base") is none."""
    a, b = _tokens(left), _tokens(right)
    runs: list[list[int]] = []
    for code in Levenshtein.opcodes(a, b):
        if code.tag == "equal":
            continue
        i, j, k, m = code.src_start, code.src_end, code.dest_start, code.dest_end
        if runs and runs[-1][1] == i and runs[-1][3] == k:
            runs[-1][1], runs[-1][3] = j, m
        else:
            runs.append([i, j, k, m])
    spans: list[_Span] = []
    for i, j, k, m in runs:
        ours, theirs = tuple(a[i:j]), tuple(b[k:m])
        joined = "".join(ours), "".join(theirs)
        if joined[0] == joined[1]:
            continue
        spans.append(
            _Span(
                ours,
                theirs,
                (a[i - 1] if i else " ", a[j] if j < len(a) else " "),
                (b[k - 1] if k else " ", b[m] if m < len(b) else " "),
                joined,
                Levenshtein.distance(*joined),
                any(map(_CJK.match, (*ours, *theirs))),
            )
        )
    return spans


# A text is compared with several others in a row.
@lru_cache(maxsize=1 << 12)
def _tokens(of: str) -> list[str]:
    return _TOKEN.findall(of)


def _evidence(span: _Span) -> tuple[list[str], list[str]]:
    """What the set is asked about either side: its words, or the pairs of characters that cross the span."""
    if span.is_cjk:
        return _crossing(span.left, span.around_left), _crossing(span.right, span.around_right)
    return _pieces(span.left), _pieces(span.right)


def _crossing(tokens: Sequence[str], around: tuple[str, str]) -> list[str]:
    row = [t if _CJK.match(t) else " " for t in (around[0], *tokens, around[1])]
    return [a + b for a, b in itertools.pairwise(row) if a != " " or b != " "]


def _pieces(tokens: Sequence[str]) -> list[str]:
    return [piece for t in tokens if not _SIGN.match(t) for piece in re.split("['’]", t)]


def _open(spans: list[_Span], characters: int) -> list[_Span] | None:
    """None where a span alone decides, whatever the set holds: another number, an opposite, another word."""
    if any(span.left and span.right and _decided(span.left, span.right) for span in spans):
        return None
    sizes = [span.size for span in spans]
    rate = sum(sizes) / max(characters, 1)
    for span, size in zip(spans, sizes, strict=True):
        longest = max(map(len, span.joined))
        if not span.left or not span.right or size < thresholds.SLIP_SIMILARITY * longest:
            continue
        looks_like_none = 1 - size / longest < thresholds.SLIP_SIMILARITY
        no_slip = min(map(len, span.joined)) > 1 if span.is_cjk else looks_like_none
        if no_slip and _is_concentrated(span, size, rate, characters):
            return None
    return spans


def _judged(
    spans: Sequence[_Span], known: Mapping[str, int], characters: int, lenient: bool
) -> Differences | None:
    sizes = [span.size for span in spans]
    rate = sum(sizes) / max(characters, 1)
    slips = other = added = 0
    slipped = unlike = 0
    for span, size in zip(spans, sizes, strict=True):
        slip = _is_slip(span, known, alone=len(spans) == 1)
        if _negates(span) and not (slip and not span.is_cjk and span.left and span.right):
            return None
        if slip:
            slips, slipped = slips + size, slipped + 1
        elif _harmless(span):
            continue
        elif _is_other_word(span, known):
            return None
        elif _is_concentrated(span, size, rate, characters):
            if span.left and span.right:
                return None
            added += size
        else:
            other, unlike = other + size, unlike + 1
    if unlike > slipped and not lenient:
        if any(span.left and span.right for span in spans if not _harmless(span)):
            return None
        added, other = added + other, 0
    return Differences(slips=slips, other=other, added=added)


def _is_other_word(span: _Span, known: Mapping[str, int]) -> bool:
    """Both sides are words that others write as well, and nothing like each other."""
    a, b = span.joined
    if span.is_cjk or not a or not b or max(len(a), len(b)) <= thresholds.CHANCE_WORD_CHARACTERS:
        return False
    if Levenshtein.normalized_similarity(a, b) >= thresholds.SLIP_SIMILARITY:
        return False
    sides = [[known[w] for w in side] for side in _evidence(span)]
    return all(sides) and min(map(min, sides)) > max(1.0, thresholds.SLIP_RARITY * max(map(min, sides)))


def _is_concentrated(span: _Span, size: int, rate: float, characters: int) -> bool:
    """Whether slips that hit every character alike would hardly ever hit one place so often.

    Chernoff's bound on the binomial tail, for any of the places of this length.
    """
    length = max(map(len, span.joined))
    hit = min(size / length, 1.0)
    if hit <= rate:
        return False
    divergence = hit * math.log(hit / rate)
    if hit < 1:
        divergence += (1 - hit) * math.log((1 - hit) / (1 - rate))
    chance = characters / length * math.exp(-length * divergence)
    return chance < thresholds.CONCENTRATED


def _is_slip(span: _Span, known: Mapping[str, int], *, alone: bool) -> bool:
    """One side is written (almost) nowhere else, the other side is, and the two look alike.

    Of several spans the other side need not be known: rare words are misspelt too.
    """
    sides = [[known[w] for w in side] for side in _evidence(span)]
    if not all(sides):
        return False
    rare, common = sorted((min(sides[0]), min(sides[1])))
    if rare > max(1.0, thresholds.SLIP_RARITY * common) or (alone and max(map(max, sides)) <= _TWICE):
        return False
    a, b = span.joined
    if span.is_cjk:
        return min(len(a), len(b)) <= 1
    if not a or not b:
        return max(len(a), len(b)) <= 1
    affixed = abs(len(a) - len(b)) >= 2 and (
        a.startswith(b) or b.startswith(a) or a.endswith(b) or b.endswith(a)
    )
    return not affixed and Levenshtein.normalized_similarity(a, b) >= thresholds.SLIP_SIMILARITY


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


def _negates(span: _Span) -> bool:
    left, right = (text.negations(" ".join(side)) for side in (span.left, span.right))
    return left % 2 != right % 2


def _opposed(left: Sequence[str], right: Sequence[str]) -> bool:
    """The two sides stand at two ends of one axis ("freeze", "unfreeze")."""
    if any(_stem(a) in right for a in left) or any(_stem(b) in left for b in right):
        return True
    axes = opposites.axes()
    ends = {place for a in left for place in axes.get(a, ())}
    return bool(ends) and any((axis, -end) in ends for b in right for axis, end in axes.get(b, ()))


_stem = lru_cache(maxsize=1 << 16)(opposites.stem)
