"""Which prompts repeat a prompt that nothing may be learnt from: evaluation rows and held-back cases.

Equal when normalised, or near-duplicates in characters. Knows n-grams and what is protected. Refuses to miss a
pair: the Jaccard is exact and no pair at the threshold is skipped. A sketch may skip one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain import text
from app.domain.repair import thresholds
from app.domain.thresholds import CHARACTER_NGRAM_CJK, CHARACTER_NGRAM_LATIN


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """``target`` counts in the protected prompts. ``equal``: the same text when normalised; ``jaccard`` 0..1."""

    target: int
    equal: bool
    jaccard: float


def leaked(
    prompts: Sequence[str], held_back: Collection[str], instructions: frozenset[str]
) -> dict[int, str]:
    """Which prompts must not be trained on: {index: the held-back prompt that it repeats}."""
    targets = list(dict.fromkeys(held_back))
    return {i: targets[found.target] for i, found in overlaps(prompts, targets, instructions).items()}


def equal_to(prompts: Sequence[str], targets: Collection[str]) -> dict[int, str]:
    """Which prompts are one of ``targets`` when normalised: {index: that target}."""
    known = {key: target for target in targets if (key := matching_key(target))}
    return {i: known[key] for i, prompt in enumerate(prompts) if (key := matching_key(prompt)) in known}


def overlaps(
    prompts: Sequence[str],
    targets: Sequence[str],
    instructions: frozenset[str],
    threshold: float = thresholds.LEAKAGE_JACCARD,
) -> dict[int, Overlap]:
    """For each prompt that repeats a target, the target that it is nearest to: {index: overlap}.

    Compared is what varies in a prompt, without a known task instruction. ``threshold`` is the Jaccard of the
    character n-gram sets, 0..1, from which a prompt repeats a target (bigrams where Chinese, Japanese or
    Korean carries one of the two).
    """
    focused = [text.focus(target, instructions) for target in targets]
    whole: dict[str, int] = {}
    for number, focus in enumerate(focused):
        if key := matching_key(focus):
            whole.setdefault(key, number)
    near = _NearTargets(focused, threshold)
    found: dict[int, Overlap] = {}
    for i, prompt in enumerate(prompts):
        focus = text.focus(prompt, instructions)
        plain = text.normalised(focus)
        twin = whole.get(plain or focus.strip())
        if twin is not None:
            found[i] = Overlap(target=twin, equal=True, jaccard=1.0)
        elif (best := near.best(plain, chinese=text.is_chinese(focus))) is not None:
            found[i] = best
    return found


def matching_key(of: str) -> str:
    """What two prompts share that are one: the normalised text, or the bare one where that is nothing ("?!")."""
    return text.normalised(of) or of.strip()


class _NearTargets:
    """The targets in up to three spaces of n-grams: which one a pair is compared in depends on both scripts."""

    def __init__(self, targets: Sequence[str], threshold: float) -> None:
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

    def best(self, plain: str, *, chinese: bool) -> Overlap | None:
        """The nearest target of a normalised text that ``chinese`` characters carry or do not."""
        found: list[tuple[float, int]] = []
        if chinese or self._cjk:
            bigrams = text.ngrams(plain, CHARACTER_NGRAM_CJK)
            found += self._cjk.reaching(bigrams)
            if chinese:
                found += self._latin_bigrams.reaching(bigrams)
        if not chinese and self._latin:
            found += self._latin.reaching(text.ngrams(plain, CHARACTER_NGRAM_LATIN))
        if not found:
            return None
        jaccard, number = max(found, key=lambda pair: (pair[0], -pair[1]))
        return Overlap(target=number, equal=False, jaccard=jaccard)


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
