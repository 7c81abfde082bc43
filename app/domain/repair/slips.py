"""Are two texts one text written twice? What differs is read word by word.

A slip of the pen makes a word that nobody else writes and that looks like the one it stands for: nobody in the
set, and where the set is silent nobody in general writing. Another word that is as well known makes another
question: "the weather in Rome", "the weather in Oslo". Numbers, formula signs and the ends of an axis of opposites
always do; a negation, but where it is a single Chinese character among many slips, or, between rows of one answer,
in a place where nobody negates. Words for spaced scripts, characters for Chinese and Japanese.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from app.domain import text
from app.domain.repair import buckets, chinese_slips, lexicon, spellings, telling_words, thresholds
from app.domain.repair.runs import Runs

Occurrences = Callable[[Sequence[str]], Sequence[int]]
"""How often each of these words, or pairs of CJK characters, stands in the set; a space = no such character."""

_CJK = re.compile(text.CJK_CHARACTER)
_TWICE = 2
"""Occurrences that say nothing of a word: two words of one bucket have as many."""

_BESIDE = 2
"""Characters on either side that may make a word with a negating one, which then denies nothing: 没关系, 差不多."""

_APOSTROPHE = re.compile("['’]")
_PREFIXES = frozenset("无非未")
"""Negations that make a word of another one, so that the text reads unlikely: 无酒精, 非会员."""

_ALIKE = (frozenset(("a", "an", "the")), frozenset("吗呢啊呀吧"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Characters that differ, by what they are: slips of the pen, other words, words without a counterpart.
    ``garbled``: both texts have one answer, and differ as no two of one template do."""

    slips: int
    other: int
    added: int
    garbled: bool = False


class _Span(NamedTuple):
    """Tokens that differ; ``least`` and ``most``: occurrences in the set of the rarest and of the commonest word of
    either side (or pair of characters that crosses it), None for a side without one; the tokens of a side in one
    word, in how many letters these two differ, and whether slips that are spread by chance would hardly do that;
    ``place``: the tokens that they are, first and behind the last on either side; ``counts``: whether a token without
    a counterpart changes a number that it stands beside. (A tuple: a million are made.)"""

    left: tuple[str, ...]
    right: tuple[str, ...]
    least: tuple[int, int] | None
    most: int
    joined: tuple[str, str]
    size: int
    concentrated: bool
    is_cjk: bool
    place: tuple[int, int, int, int]
    counts: bool


def differences(
    pairs: Sequence[tuple[str, str]],
    occurrences: Occurrences,
    *,
    agreed: Sequence[bool] | None = None,
    lenient: bool = False,
) -> list[Differences | None]:
    """What differs between the normalised texts of each pair; None where it makes another question.

    ``agreed``: pairs whose answers are known to be the same. ``lenient``: a word that was changed as randomly spread
    slips would change it needs no other sign of a slip.
    """
    runs = Runs.of(pairs)
    concentrated, cjk = runs.concentrated(), runs.cjk()
    open_ = _open(runs, concentrated, cjk)
    made: list[Differences | None] = [None] * len(pairs)
    for pair, spans in _spans(runs, open_, concentrated.tolist(), cjk.tolist(), occurrences):
        garbled = agreed is not None and agreed[pair] and _is_garbled(spans, int(runs.characters[pair]))
        made[pair] = _judged(spans, runs.tokens[pair], lenient=lenient, garbled=garbled)
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
        if not told[pair] and telling_words.tells(*runs.sides(run, pair)):
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
        (run, pair, runs.sides(run, pair), _evidence(runs, run, pair, is_cjk=cjk[run]))
        for pair in pairs
        for run in range(begins[pair], begins[pair + 1])
    ]
    asked = sorted({word for _, _, _, sides in read for side in sides for word in side})
    known = dict(zip(asked, occurrences(asked), strict=True)).__getitem__
    spans: list[_Span] = []
    for run, pair, (left, right), sides in read:
        one, other = (list(map(known, side)) for side in sides)
        least = (min(one), min(other)) if one and other else None
        most = max(*one, *other) if one and other else 0
        joined = runs.left[run], runs.right[run]
        spans.append(
            _Span(
                left=left,
                right=right,
                least=least,
                most=most,
                joined=joined,
                size=sizes[run],
                concentrated=concentrated[run],
                is_cjk=cjk[run],
                place=runs.places[run],
                counts=cjk[run] and len(left) + len(right) == 1 and _counts(runs, run, pair),
            )
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


def _counts(runs: Runs, run: int, pair: int) -> bool:
    """Of a token without a counterpart."""
    (left, right), (ours, theirs) = runs.sides(run, pair), runs.around(run, pair)
    return telling_words.counts((left or right)[0], ours if left else theirs)


def _crossing(tokens: Sequence[str], around: tuple[str, str]) -> list[str]:
    row = [t if _CJK.match(t) else " " for t in (around[0], *tokens, around[1])]
    return [a + b for a, b in itertools.pairwise(row) if a != " " or b != " "]


def _pieces(tokens: Sequence[str]) -> list[str]:
    if len(tokens) == 1 and tokens[0].isalnum():
        return [tokens[0]]
    return [piece for t in tokens if not telling_words.SIGN.match(t) for piece in _APOSTROPHE.split(t)]


def _is_garbled(spans: Sequence[_Span], characters: int) -> bool:
    """Whether two texts that are answered alike differ as no two of one template do: in few of their letters, or by a
    letter here and there in more places than a template has to fill in."""
    if sum(span.size for span in spans) <= thresholds.FEW_LETTERS * characters:
        return True
    places = sum(
        span.size <= (1 if span.is_cjk else thresholds.CHANCE_LETTERS) and not _harmless(span)
        for span in spans
    )
    return places > thresholds.TEMPLATE_PLACES


def _judged(
    spans: Sequence[_Span],
    tokens: tuple[Sequence[str], Sequence[str]],
    *,
    lenient: bool,
    garbled: bool,
) -> Differences | None:
    slips = added = other = slipped = chance = 0
    kinds = set[tuple[str, str]]()
    unlike = list[_Span]()
    # Single characters are read last, as what is read costs most and any other may have decided.
    for span in sorted(spans, key=lambda of: of.is_cjk):
        reading = chinese_slips.read(*tokens, span.place) if span.is_cjk else None
        slip = _is_slip(span, reading, alone=len(spans) == 1)
        if _makes_another_question(span, reading, tokens, slip=slip, garbled=garbled):
            if not _may_be_chance(span):
                return None
            chance, other = chance + 1, other + span.size
        elif slip:
            slips, slipped = slips + span.size, slipped + 1
            kinds.add(span.joined)
        elif _harmless(span):
            continue
        elif span.concentrated:
            added += span.size
        else:
            unlike.append(span)
    # A slip that is made in many places of a template is one.
    if chance > thresholds.CHANCE_SHARE * len(kinds):
        return None
    differs = sum(span.size for span in unlike)
    if len(unlike) > slipped and not (lenient or garbled):
        if any(span.left and span.right for span in unlike) or _replaces(unlike):
            return None
        return Differences(slips=slips, other=other, added=added + differs)
    return Differences(slips=slips, other=other + differs, added=added, garbled=garbled)


def _makes_another_question(
    span: _Span,
    reading: chinese_slips.Reading | None,
    tokens: tuple[Sequence[str], Sequence[str]],
    *,
    slip: bool,
    garbled: bool,
) -> bool:
    both = bool(span.left and span.right)
    # A misspelt word looks like a negation by chance.
    if not (slip and both and not span.is_cjk) and _turns(span, reading, tokens, garbled=garbled):
        return True
    return not slip and not _harmless(span) and (_is_other_word(span) or (span.concentrated and both))


def _in_place(
    place: tuple[int, int, int, int], tokens: tuple[Sequence[str], Sequence[str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Either side of a run with the tokens of a word around it."""
    (a, b), (i, j, k, m) = tokens, place
    return tuple(a[max(0, i - _BESIDE) : j + _BESIDE]), tuple(b[max(0, k - _BESIDE) : m + _BESIDE])


def _may_be_chance(span: _Span) -> bool:
    """Whether one slip more would have made it: a letter or two of a word, one Chinese character."""
    if span.is_cjk:
        return max(len(span.left), len(span.right)) == 1 == span.size
    return len(span.left) == len(span.right) == 1 and span.size <= thresholds.CHANCE_LETTERS


def _replaces(spans: Sequence[_Span]) -> bool:
    """Whether what is left out beside what is put in is one word for another: 张王李, 王李赵."""
    return any(
        bool(one.left) != bool(other.left) and other.place[0] - one.place[1] <= thresholds.REPLACED_MAX_GAP
        for one, other in itertools.pairwise(sorted(spans, key=lambda of: of.place))
    )


def _is_other_word(span: _Span) -> bool:
    """Both sides are words that others write as well, and nothing like each other."""
    a, b = span.joined
    if span.is_cjk or not a or not b or max(len(a), len(b)) <= thresholds.CHANCE_WORD_CHARACTERS:
        return False
    if span.size <= (1 - thresholds.SLIP_SIMILARITY) * max(len(a), len(b)) or span.least is None:
        return False
    return min(span.least) > max(1.0, thresholds.SLIP_RARITY * max(span.least))


def _is_slip(span: _Span, reading: chinese_slips.Reading | None, *, alone: bool) -> bool:
    """One side is written (almost) nowhere else, the other side is, and the two look alike; or they are one word in
    two spellings, or one character that Chinese has no word with.

    Of several spans the other side need not be known: rare words are misspelt too.
    """
    if reading is not None:
        return _is_slip_of_one(span, reading, alone=alone)
    a, b = span.joined
    alike = span.size <= (1 - thresholds.SLIP_SIMILARITY) * max(len(a), len(b))
    if alike and (spellings.is_mixed(a, b) or spellings.lost_a_letter(a, b)):
        return True
    if not _known_apart(span, alone=alone):
        return False
    if span.is_cjk:
        return min(len(a), len(b)) <= 1
    if not a or not b:
        return max(len(a), len(b)) <= 1
    affixed = abs(len(a) - len(b)) >= 2 and (
        a.startswith(b) or b.startswith(a) or a.endswith(b) or b.endswith(a)
    )
    return alike and not affixed


def _known_apart(span: _Span, *, alone: bool) -> bool:
    """One side is written (almost) nowhere else in the set, and the other side is; or general writing has it so, of
    words of which the set says nothing."""
    if span.least is None:
        return False
    rare, common = sorted(span.least)
    if rare <= max(1.0, thresholds.SLIP_RARITY * common) and not (alone and span.most <= _TWICE):
        return True
    if span.is_cjk or rare > _TWICE or not len(span.left) == len(span.right) == 1:
        return False
    a, b = span.joined
    return lexicon.is_misspelling(a, b) or lexicon.is_misspelling(b, a)


def _is_slip_of_one(span: _Span, reading: chinese_slips.Reading, *, alone: bool) -> bool:
    """Of one Chinese character: what the set knows, as far as general writing does not contradict it, or general
    writing alone where it is sure."""
    if reading.slip is not chinese_slips.Side.NEITHER:
        return True
    if span.least is None or not _known_apart(span, alone=alone):
        return False
    return not chinese_slips.contradicts(reading, known=span.least[0] - span.least[1])


def _harmless(span: _Span) -> bool:
    """Endings, words whose coming and going leaves a question what it is, and those that stand for each other."""
    words = frozenset((*span.left, *span.right))
    if not span.left or not span.right:
        return words <= buckets.FUNCTION_WORDS
    return spellings.is_inflected(*span.joined) or any(words <= of for of in _ALIKE)


def _turns(
    span: _Span,
    reading: chinese_slips.Reading | None,
    tokens: tuple[Sequence[str], Sequence[str]],
    *,
    garbled: bool,
) -> bool:
    """Whether one side has a negation, or more of a number, that the other has not, and that is no slip."""
    if span.counts:
        return True
    if not telling_words.negates(span.left, span.right):
        return False
    if span.is_cjk and not telling_words.negates(*_in_place(span.place, tokens)):
        return False  # 区别 that lost its 别 denies no more and no less
    if reading is None:
        return True
    negated = text.negations(" ".join(span.left)) % 2 == 1
    prefixed = not _PREFIXES.isdisjoint((*span.left, *span.right))
    if garbled and not prefixed and chinese_slips.reads_worse(reading, left=negated):
        return False
    return not chinese_slips.is_too_much(reading, left=negated)
