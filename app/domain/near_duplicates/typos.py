"""Are two texts one text written twice? What differs is read word by word.

A typo is a rare word within a small edit distance of a frequent one: rare in the set, and where the set is silent in
general writing. Another word that is as well known makes another
question: "the weather in Rome", "the weather in Oslo". Numbers, formula signs and the ends of an axis of opposites
always do; a negation, but where it is a single Chinese character among many typos, or, between rows of one answer,
in a place where nobody negates. Words for spaced scripts, characters for Chinese and Japanese.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.language import text, word_frequencies
from app.domain.near_duplicates import buckets, chinese_typos, contrast_words, spellings
from app.domain.near_duplicates.buckets import CHANCE_WORD_CHARACTERS
from app.domain.near_duplicates.diff_runs import Runs
from app.domain.near_duplicates.spans import Occurrences, Span, Spans

# Similarity 0..1 from which two words may be one word with a slip: "of" and "xf" have .5, "Rome" and "Oslo" .25.
_SLIP_SIMILARITY: Final = 0.5

# A word that stands this many times as often as its better-known twin is a slip of it, even where it repeats.
SLIP_RARITY: Final = 0.05

# Words (or CJK characters) between one that is left out and one that is put in, where both may be one change: a name
# of three that lost its first and gained a last.
_REPLACED_MAX_GAP: Final = 2

# Share of the different slips up to which small differences that would make another question are slips too: of a text
# with five misspelt words a sixth that happens to be another one.
_CHANCE_SHARE: Final = 0.2

# Letters (one character of Chinese) in which such a chance word differs at most.
_CHANCE_LETTERS: Final = 2

# Two rows of one answer are copies, and no two of a template, where at most this share of their letters differs, or
# where a letter or so differs in more places than a template is filled in.
_FEW_LETTERS: Final = 1 / 8

_TEMPLATE_PLACES: Final = 2

_TWICE = 2
"""Occurrences that say nothing of a word: two words of one bucket have as many."""

_PREFIXES = frozenset("无非未")
"""Negations that make a word of another one, so that the text reads unlikely: 无酒精, 非会员."""

_ALIKE = (frozenset(("a", "an", "the")), frozenset("吗呢啊呀吧"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Characters that differ, by what they are: typos, other words, words without a counterpart.
    ``noisy``: both texts have one answer, and differ as no two of one template do."""

    slips: int
    other: int
    added: int
    noisy: bool = False


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
    spans = Spans.of(runs, occurrences)
    made: list[Differences | None] = [None] * len(pairs)
    for pair, found in spans.of_pairs(_open(spans, _undecided(spans))):
        noisy = agreed is not None and agreed[pair] and _is_noisy(found, int(runs.characters[pair]))
        made[pair] = _judged(found, runs.tokens[pair], lenient=lenient, noisy=noisy)
    return made


def _undecided(spans: Spans) -> list[int]:
    """The pairs of which no run alone decides, whatever the set holds: another number, an opposite, another word."""
    runs = spans.runs
    left, right = runs.lengths()
    longest, owners = np.maximum(left, right), runs.owners()
    both = (left > 0) & (right > 0)
    unlike = both & (runs.sizes >= _SLIP_SIMILARITY * longest)
    no_slip = np.where(spans.cjk, np.minimum(left, right) > 1, 1 - runs.sizes / longest < _SLIP_SIMILARITY)
    told = np.zeros(len(runs.tokens), dtype=bool)
    told[owners[unlike & no_slip & spans.concentrated]] = True
    asked = np.flatnonzero(both & ~told[owners])
    for run, pair in zip(asked.tolist(), owners[asked].tolist(), strict=True):
        if not told[pair] and contrast_words.tells(*runs.sides(run, pair)):
            told[pair] = True
    return np.flatnonzero(~told).tolist()


def _open(spans: Spans, pairs: Sequence[int]) -> list[int]:
    """Those of the pairs of which no word decides, with what the set knows of it. Asked first: most pairs end here,
    and single Chinese characters cost most."""
    runs = spans.runs
    left, right = runs.lengths()
    single = spans.cjk & (np.maximum(left, right) == 1)
    weighed: list[bool] = ((left > 0) & (right > 0) & ~single).tolist()
    begins = spans.begins
    asked = [(pair, run) for pair in pairs for run in range(begins[pair], begins[pair + 1]) if weighed[run]]
    told = set[int]()
    for (pair, _), span in zip(asked, spans.look_up(asked), strict=True):
        if pair in told or _may_be_chance(span):
            continue
        slip = _is_slip(span, None, alone=begins[pair + 1] - begins[pair] == 1)
        if _makes_another_question(span, None, runs.tokens[pair], slip=slip, noisy=False):
            told.add(pair)
    return [pair for pair in pairs if pair not in told]


def _is_noisy(spans: Sequence[Span], characters: int) -> bool:
    """Whether two texts that are answered alike differ as no two of one template do: in few of their letters, or by a
    letter here and there in more places than a template has to fill in."""
    if sum(span.size for span in spans) <= _FEW_LETTERS * characters:
        return True
    places = sum(
        span.size <= (1 if span.is_cjk else _CHANCE_LETTERS) and not _harmless(span) for span in spans
    )
    return places > _TEMPLATE_PLACES


def _judged(
    spans: Sequence[Span],
    tokens: tuple[Sequence[str], Sequence[str]],
    *,
    lenient: bool,
    noisy: bool,
) -> Differences | None:
    slips = added = other = slipped = chance = 0
    kinds = set[tuple[str, str]]()
    unlike = list[Span]()
    # Single characters are read last, as what is read costs most and any other may have decided.
    for span in sorted(spans, key=lambda of: of.is_cjk):
        reading = chinese_typos.read(*tokens, span.place) if span.is_cjk else None
        slip = _is_slip(span, reading, alone=len(spans) == 1)
        if _makes_another_question(span, reading, tokens, slip=slip, noisy=noisy):
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
    if chance > _CHANCE_SHARE * len(kinds):
        return None
    differs = sum(span.size for span in unlike)
    if len(unlike) > slipped and not (lenient or noisy):
        if any(span.left and span.right for span in unlike) or _replaces(unlike):
            return None
        return Differences(slips=slips, other=other, added=added + differs)
    return Differences(slips=slips, other=other + differs, added=added, noisy=noisy)


def _makes_another_question(
    span: Span,
    reading: chinese_typos.Reading | None,
    tokens: tuple[Sequence[str], Sequence[str]],
    *,
    slip: bool,
    noisy: bool,
) -> bool:
    both = bool(span.left and span.right)
    # A misspelt word looks like a negation by chance.
    if not (slip and both and not span.is_cjk) and _turns(span, reading, tokens, noisy=noisy):
        return True
    return not slip and not _harmless(span) and (_is_other_word(span) or (span.concentrated and both))


def _denies_nothing(
    place: tuple[int, int, int, int], tokens: tuple[Sequence[str], Sequence[str]], *, left: bool
) -> bool:
    """Whether the character on this side is one of a word that denies nothing."""
    at, of = (place[0], tokens[0]) if left else (place[2], tokens[1])
    return contrast_words.denies_nothing(of[max(0, at - 1) : at], of[at], of[at + 1 : at + 2])


def _may_be_chance(span: Span) -> bool:
    """Whether one slip more would have made it: a letter or two of a word, one Chinese character."""
    if span.is_cjk:
        return max(len(span.left), len(span.right)) == 1 == span.size
    return len(span.left) == len(span.right) == 1 and span.size <= _CHANCE_LETTERS


def _replaces(spans: Sequence[Span]) -> bool:
    """Whether what is left out beside what is put in is one word for another: 张王李, 王李赵."""
    return any(
        bool(one.left) != bool(other.left) and other.place[0] - one.place[1] <= _REPLACED_MAX_GAP
        for one, other in itertools.pairwise(sorted(spans, key=lambda of: of.place))
    )


def _is_other_word(span: Span) -> bool:
    """Both sides are words that others write as well, and nothing like each other."""
    a, b = span.joined
    if span.is_cjk or not a or not b or max(len(a), len(b)) <= CHANCE_WORD_CHARACTERS:
        return False
    if span.size <= (1 - _SLIP_SIMILARITY) * max(len(a), len(b)) or span.least is None:
        return False
    return min(span.least) > max(1.0, SLIP_RARITY * max(span.least))


def _is_slip(span: Span, reading: chinese_typos.Reading | None, *, alone: bool) -> bool:
    """One side is written (almost) nowhere else, the other side is, and the two look alike; or they are one word in
    two spellings, or one character that Chinese has no word with.

    Of several spans the other side need not be known: rare words are misspelt too.
    """
    if reading is not None:
        return _is_slip_of_one(span, reading, alone=alone)
    a, b = span.joined
    alike = span.size <= (1 - _SLIP_SIMILARITY) * max(len(a), len(b))
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


def _known_apart(span: Span, *, alone: bool) -> bool:
    """One side is written (almost) nowhere else in the set, and the other side is; or general writing has it so, of
    words of which the set says nothing."""
    if span.least is None:
        return False
    rare, common = sorted(span.least)
    if rare <= max(1.0, SLIP_RARITY * common) and not (alone and span.most <= _TWICE):
        return True
    if span.is_cjk or rare > _TWICE or not len(span.left) == len(span.right) == 1:
        return False
    a, b = span.joined
    return word_frequencies.is_misspelling(a, b) or word_frequencies.is_misspelling(b, a)


def _is_slip_of_one(span: Span, reading: chinese_typos.Reading, *, alone: bool) -> bool:
    """Of one Chinese character: what the set knows, as far as general writing does not contradict it, or general
    writing alone where it is sure."""
    if reading.slip is not chinese_typos.Side.NEITHER:
        return True
    if span.least is None or not _known_apart(span, alone=alone):
        return False
    return not chinese_typos.contradicts(reading, known=span.least[0] - span.least[1])


def _harmless(span: Span) -> bool:
    """Endings, words whose coming and going leaves a question what it is, and those that stand for each other."""
    words = frozenset((*span.left, *span.right))
    if not span.left or not span.right:
        return words <= buckets.FUNCTION_WORDS
    return spellings.is_inflected(*span.joined) or any(words <= of for of in _ALIKE)


def _turns(
    span: Span,
    reading: chinese_typos.Reading | None,
    tokens: tuple[Sequence[str], Sequence[str]],
    *,
    noisy: bool,
) -> bool:
    """Whether one side has a negation, or more of a number, that the other has not, and that is no slip."""
    if span.counts:
        return True
    if not contrast_words.negates(span.left, span.right):
        return False
    if reading is None:
        return True
    negated = text.negations(" ".join(span.left)) % 2 == 1
    if chinese_typos.is_lost(reading, left=negated) and _denies_nothing(span.place, tokens, left=negated):
        return False
    prefixed = not _PREFIXES.isdisjoint((*span.left, *span.right))
    if noisy and not prefixed and chinese_typos.reads_worse(reading, left=negated):
        return False
    return not chinese_typos.is_too_much(reading, left=negated)
