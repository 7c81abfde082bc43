"""Which candidate prompts may become rows: each one kept, or dropped with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain.augmentation.injection import commands_a_model
from app.domain.language import text
from app.domain.near_duplicates.grouping import exact_jaccard
from app.domain.near_duplicates.leakage import leaked

# A paraphrase keeps between a third and three times the characters: else something was lost or made up.
_MIN_LENGTH_RATIO: Final = 1 / 3

_MAX_LENGTH_RATIO: Final = 3.0
# Character n-gram Jaccard from which a new prompt adds nothing to one that is there.
_NEAR_DUPLICATE_JACCARD: Final = 0.8


class Rejection(StrEnum):
    EMPTY = "empty"
    LENGTH = "length"
    LANGUAGE = "language"
    NUMBERS = "numbers"
    NEAR_DUPLICATE = "near_duplicate"
    HELD_BACK = "held_back"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A candidate that is not used; ``of`` is the prompt that it repeats, where it repeats one."""

    candidate: str
    reason: Rejection
    of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    kept: tuple[str, ...]
    rejected: tuple[Rejected, ...]


def filter_paraphrases(
    candidates: Sequence[str],
    *,
    original: str,
    known: Sequence[str] = (),
    held_back: Collection[str] = (),
) -> Filtered:
    """Keep the candidates that say ``original`` anew, in its language, with its numbers.

    ``known`` are prompts that are there already; a candidate that repeats one of them, the original, a
    kept candidate or a held-back prompt is dropped. In the order given; the first of two twins stays.
    """
    kept: list[str] = []
    rejected: list[Rejected] = []
    leaks = leaked(candidates, held_back, frozenset()) if held_back else {}
    for i, candidate in enumerate(candidates):
        reason = _unlike(candidate, original)
        of = None
        if reason is None and i in leaks:
            reason, of = Rejection.HELD_BACK, leaks[i]
        if reason is None:
            of = near_duplicate_of(candidate, (original, *kept, *known))
            reason = Rejection.NEAR_DUPLICATE if of is not None else None
        if reason is None:
            kept.append(candidate.strip())
        else:
            rejected.append(Rejected(candidate=candidate, reason=reason, of=of))
    return Filtered(kept=tuple(kept), rejected=tuple(rejected))


def _unlike(candidate: str, original: str) -> Rejection | None:
    """In which way a candidate cannot be a paraphrase; None = it may be one."""
    if not text.normalised(candidate):
        return Rejection.EMPTY
    ratio = len(candidate.strip()) / max(1, len(original.strip()))
    if not _MIN_LENGTH_RATIO <= ratio <= _MAX_LENGTH_RATIO:
        return Rejection.LENGTH
    if text.is_chinese(candidate) != text.is_chinese(original):
        return Rejection.LANGUAGE
    if Counter(text.numbers(candidate)) != Counter(text.numbers(original)):
        return Rejection.NUMBERS
    if commands_a_model(candidate) and not commands_a_model(original):
        return Rejection.COMMAND
    return None


def near_duplicate_of(candidate: str, known: Sequence[str]) -> str | None:
    """The first known prompt that the candidate repeats, or None."""
    plain = text.normalised(candidate)
    for other in known:
        if plain == text.normalised(other):
            return other
        if exact_jaccard(candidate, other) >= _NEAR_DUPLICATE_JACCARD:
            return other
    return None
