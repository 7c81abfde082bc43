"""Which prompts ask what a protected prompt asks: evaluation rows and held-back cases teach nothing.

The one comparison of everything that keeps questions out: mixture, splits, repair plan, augmentation, verification.
The same question in any frame (``asked_questions``), or near-duplicates in characters. Does not miss a near pair: the
Jaccard is exact and no pair at the threshold is skipped; and to take another question for the same: a number, a name,
a negation or a word in the place of another tells two apart.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from app.domain.answers.agreement import CHARACTER_NGRAM_CJK, CHARACTER_NGRAM_LATIN
from app.domain.language import contrast_words, pair_differences, text
from app.domain.language.pair_differences import DifferenceKind
from app.domain.near_duplicates.asked_questions import (
    AskedQuestions,
    Key,
    Question,
    holds_content,
    key_of,
    read_question,
    text_of,
)

# Character n-gram Jaccard from which a row is the same prompt as a protected one. Lower than for
# near-duplicates: a row lost costs little, a held-back prompt that is trained on makes the fix rate a lie.
LEAKAGE_JACCARD: Final = 0.7

# Protected prompts looked at around a row: the nearest one may differ in a number, the next one not.
LEAKAGE_NEIGHBORS: Final = 4


class ProtectedKind(StrEnum):
    """``bad_case``: a case that may be trained on; a row that repeats it is told of and stays."""

    EVALUATION = "evaluation"
    HELD_BACK = "held_back"
    BAD_CASE = "bad_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedPrompt:
    """A prompt to compare training rows with; ``id`` names the evaluation row or the bad case."""

    kind: ProtectedKind
    id: str
    prompt: str


class Match(StrEnum):
    """``equal``: the same text when normalised. ``framed``: the same question in another frame. ``near``: almost the
    same characters. ``other``: those too, but something tells the two questions apart."""

    EQUAL = "equal"
    FRAMED = "framed"
    NEAR = "near"
    OTHER = "other"


SAME_QUESTION = frozenset({Match.EQUAL, Match.FRAMED, Match.NEAR})
CERTAINLY_SAME = frozenset({Match.EQUAL, Match.FRAMED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """``target`` counts in the protected prompts. ``jaccard`` 0..1 of what is compared, 1 for one question."""

    target: int
    match: Match
    jaccard: float

    @property
    def equal(self) -> bool:
        return self.match is Match.EQUAL

    @property
    def same_question(self) -> bool:
        return self.match in SAME_QUESTION


def leaked(
    prompts: Sequence[str], held_back: Collection[str], instructions: frozenset[str] = frozenset()
) -> dict[int, str]:
    """Which prompts must not be trained on: {index: the held-back prompt that it asks again}."""
    targets = list(dict.fromkeys(held_back))
    found = overlaps(prompts, targets, instructions)
    return {i: targets[overlap.target] for i, overlap in found.items() if overlap.same_question}


def targets_asked(
    prompts: Sequence[str],
    targets: Collection[str],
    instructions: frozenset[str] = frozenset(),
    matches: Collection[Match] = SAME_QUESTION,
) -> set[str]:
    """The targets that any prompt asks again, as one of ``matches`` tells."""
    left = list(dict.fromkeys(targets))
    asked: set[str] = set()
    # A prompt names one of its twins, so ask until none is named.
    while left:
        found = overlaps(prompts, left, instructions)
        named = {left[overlap.target] for overlap in found.values() if overlap.match in matches}
        if not named:
            break
        asked |= named
        left = [target for target in left if target not in named]
    return asked


def overlaps(
    prompts: Sequence[str],
    targets: Sequence[str],
    instructions: frozenset[str] = frozenset(),
    threshold: float = LEAKAGE_JACCARD,
) -> dict[int, Overlap]:
    """For each prompt that repeats a target, the target that it is nearest to: {index: overlap}.

    Compared is what a prompt asks: in any frame, and by characters without a known task instruction. ``threshold``
    is the Jaccard of the character n-gram sets, 0..1, from which a prompt is near a target (bigrams where Chinese,
    Japanese or Korean carries one of the two).
    """
    focused = [text.focus(target, instructions) for target in targets]
    whole: dict[str, int] = {}
    for number, focus in enumerate(focused):
        if key := matching_key(focus):
            whole.setdefault(key, number)
    asked = _Asked(targets, focused, instructions, prompts)
    near = _NearTargets([*focused, *asked.cores()], threshold)
    found: dict[int, Overlap] = {}
    for i, prompt in enumerate(prompts):
        focus = text.focus(prompt, instructions)
        plain = text.normalised(focus)
        twin = whole.get(plain or focus.strip())
        if twin is not None:
            found[i] = Overlap(target=twin, match=Match.EQUAL, jaccard=1.0)
            continue
        question = asked.read(i, prompt, focus)
        if question is not None and (same := asked.find(question)) is not None:
            found[i] = Overlap(target=same, match=Match.FRAMED, jaccard=1.0)
            continue
        texts = [focus]
        if question is not None and question.core != key_of(focus):
            texts.append(text_of(question.core))
        nearest = [best for of in texts if (best := near.best(of)) is not None]
        if nearest:
            best = max(nearest, key=lambda overlap: overlap.same_question)
            found[i] = replace(best, target=best.target % len(targets))
    return found


class _Asked:
    """The targets as questions, and which prompts are worth reading as such."""

    def __init__(
        self,
        targets: Sequence[str],
        focused: Sequence[str],
        instructions: frozenset[str],
        prompts: Sequence[str],
    ) -> None:
        self._instructions = frozenset(map(key_of, instructions))
        self._questions = [
            read_question(target, self._instructions, focus)
            for target, focus in zip(targets, focused, strict=True)
        ]
        self._focused = focused
        self._targets = AskedQuestions(self._questions)
        self._tokens = [frozenset(key_of(prompt)) for prompt in prompts] if targets else []
        self._anchors = self._targets.anchors(Counter(token for of in self._tokens for token in of))

    def cores(self) -> list[str]:
        """Each target without its frame; '' where it has none."""
        return [
            "" if question.core == key_of(focus) else text_of(question.core)
            for question, focus in zip(self._questions, self._focused, strict=True)
        ]

    def read(self, row: int, prompt: str, focus: str) -> Question | None:
        """A prompt as a question; None where it shares too little with any target to ask it."""
        if not self._tokens or self._anchors.isdisjoint(self._tokens[row]):
            return None
        return read_question(prompt, self._instructions, focus)

    def find(self, question: Question) -> int | None:
        return self._targets.find(question)


def matching_key(of: str) -> str:
    """What two prompts share that are one: the normalised text, or the bare one where that is nothing ("?!")."""
    return text.normalised(of) or of.strip()


class _NearTargets:
    """The targets in up to three spaces of n-grams: which one a pair is compared in depends on both scripts."""

    def __init__(self, targets: Sequence[str], threshold: float) -> None:
        self._targets = targets
        chinese = [text.is_chinese(target) for target in targets]

        def sets(n: int, *, cjk: bool) -> dict[int, frozenset[str]]:
            return {
                number: grams
                for number, target in enumerate(targets)
                if chinese[number] is cjk and (grams := text.character_ngrams(target, n))
            }

        self._latin = _SimilaritySearch(sets(CHARACTER_NGRAM_LATIN, cjk=False), threshold)
        self._latin_bigrams = _SimilaritySearch(sets(CHARACTER_NGRAM_CJK, cjk=False), threshold)
        self._cjk = _SimilaritySearch(sets(CHARACTER_NGRAM_CJK, cjk=True), threshold)

    def best(self, focus: str) -> Overlap | None:
        """The nearest target that asks the same, else the nearest one."""
        plain = text.normalised(focus)
        found = sorted(
            self._reaching(plain, chinese=text.is_chinese(focus)), key=lambda pair: (-pair[0], pair[1])
        )
        for jaccard, number in found[:LEAKAGE_NEIGHBORS]:
            if not _told_apart(focus, self._targets[number]):
                return Overlap(target=number, match=Match.NEAR, jaccard=jaccard)
        return Overlap(target=found[0][1], match=Match.OTHER, jaccard=found[0][0]) if found else None

    def _reaching(self, plain: str, *, chinese: bool) -> Iterator[tuple[float, int]]:
        if chinese or self._cjk:
            bigrams = text.ngrams(plain, CHARACTER_NGRAM_CJK)
            yield from self._cjk.reaching(bigrams)
            if chinese:
                yield from self._latin_bigrams.reaching(bigrams)
        if not chinese and self._latin:
            yield from self._latin.reaching(text.ngrams(plain, CHARACTER_NGRAM_LATIN))


# A word that differs less is the same one misspelt (percent of equal characters, Indel).
_MISSPELT_RATIO = 75


def _told_apart(left: str, right: str) -> bool:
    """Whether two texts of almost the same characters ask different things."""
    if sorted(text.numbers(left)) != sorted(text.numbers(right)):
        return True
    a, b = key_of(left), key_of(right)
    words = any(
        _is_other(a[op.src_start : op.src_end], b[op.dest_start : op.dest_end])
        for op in Levenshtein.opcodes(a, b)
        if op.tag != "equal"
    )
    return words or any(d.kind is not DifferenceKind.WORDS for d in pair_differences.between(left, right))


def _is_other(left: Key, right: Key) -> bool:
    """Whether what stands in one place of two texts makes them two questions."""
    if contrast_words.tells(left, right):
        return True
    if not left or not right:
        return False
    # One word for another that means something else; "do" for "can" asks the same.
    return (
        holds_content(left)
        and holds_content(right)
        and fuzz.ratio(" ".join(left), " ".join(right)) < _MISSPELT_RATIO
    )


class _SimilaritySearch:
    """All sets whose Jaccard with a query reaches ``threshold`` (0..1), none missed.

    Prefix filtering, Bayardo, Ma and Srikant 2007 ("Scaling up all pairs similarity search"): in one order of
    the elements, rarest first, two sets at Jaccard t share one of the first n - ceil(t n) + 1 of each.
    """

    def __init__(self, sets: Mapping[int, frozenset[str]], threshold: float) -> None:
        self._sets = sets
        self._threshold = threshold
        self._frequency = Counter(gram for grams in sets.values() for gram in grams)
        self._numbers: defaultdict[str, list[int]] = defaultdict(list)
        for number, grams in sets.items():
            for gram in self._rarest_first(grams)[: self._prefix(len(grams))]:
                self._numbers[gram].append(number)

    def __bool__(self) -> bool:
        return bool(self._sets)

    def reaching(self, grams: frozenset[str]) -> Iterator[tuple[float, int]]:
        """(Jaccard, number) of every set that reaches the threshold."""
        known = [gram for gram in grams if gram in self._frequency]
        # What no set holds comes first in the order: mostly it fills the prefix, and nothing is near.
        left = self._prefix(len(grams)) - (len(grams) - len(known))
        if left <= 0 or not known:
            return
        candidates = {n for gram in self._rarest_first(known)[:left] for n in self._numbers.get(gram, ())}
        for number in candidates:
            shared = len(grams & self._sets[number])
            jaccard = shared / (len(grams) + len(self._sets[number]) - shared)
            if jaccard >= self._threshold:
                yield jaccard, number

    def _rarest_first(self, grams: Collection[str]) -> list[str]:
        return sorted(grams, key=lambda gram: (self._frequency[gram], gram))

    def _prefix(self, size: int) -> int:
        # A hair less: 0.7 * 90 must not round up past 63.
        return size - math.ceil(self._threshold * size - 1e-9) + 1
