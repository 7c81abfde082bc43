"""Do two free answers to one question contradict each other, or is each as good as the other?

A question with one right answer (a calculation, a choice among what it offers, an order, yes or no) is
contradicted by another answer to it; a request to write something is not. Only what can be pointed at counts:
another final number, another of the offered choices, another order, yes against no. Everything else is taken
for another wording. Does not judge which answer is right.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain.language import phrases, quantities, text
from app.domain.language.pair_differences import Difference, DifferenceKind
from app.domain.language.stop_words import STOP_WORDS

LABEL_TASK_SHARE: Final = 0.5
"""Share of rows whose output repeats from which a set is about labels."""


_CHOICE_MAX_TOKENS: Final = 4
_ROUNDING: Final = 0.02
"""Relative difference that two people's rounding explains."""


_ID = re.compile(r"[A-Za-z_]+[-_#.]?\d[\w-]*")
"""FAQ-00012, v2, item_7: the number is part of a name."""

_YES = frozenset(phrases.listed("requests", "yes"))
_NO = frozenset(phrases.listed("requests", "no"))
_FUNCTION_WORDS = STOP_WORDS | frozenset(phrases.listed("stop_words", "short"))


def contradiction(prompt: str, left: str, right: str) -> Difference | None:
    """What two answers to ``prompt`` contradict each other in; None where both can stand."""
    if text.normalised(left) == text.normalised(right) or not left.strip() or not right.strip():
        return None
    return (
        _yes_and_no(left, right)
        or _other_choice(prompt, left, right)
        or other_number(prompt, left, right)
        or _other_order(prompt, left, right)
    )


def _yes_and_no(left: str, right: str) -> Difference | None:
    first = [next(iter(text.tokens(t)), "") for t in (left, right)]
    opposed = (first[0] in _YES and first[1] in _NO) or (first[0] in _NO and first[1] in _YES)
    if not opposed:
        return None
    return Difference(kind=DifferenceKind.NEGATION, left=first[0], right=first[1])


def _content(of: str) -> list[str]:
    return [t for t in text.tokens(text.clip(of)) if t not in _FUNCTION_WORDS]


def _other_choice(prompt: str, left: str, right: str) -> Difference | None:
    """Each answer names something that the prompt offers and the other does not, and adds nothing else."""
    if not phrases.pattern("requests", "choice").search(prompt):
        return None
    said, other = _content(left), _content(right)
    only_left = [t for t in said if t not in other]
    only_right = [t for t in other if t not in said]
    if not only_left or not only_right or max(len(only_left), len(only_right)) > _CHOICE_MAX_TOKENS:
        return None
    if not set(only_left) | set(only_right) <= set(text.tokens(prompt)):
        return None
    joint = "" if text.is_chinese(left) else " "
    return Difference(kind=DifferenceKind.WORDS, left=joint.join(only_left), right=joint.join(only_right))


def other_number(prompt: str, left: str, right: str) -> Difference | None:
    """Both end on a number that the other nowhere has; rounding is no contradiction, nor is an id's number."""
    if is_open(prompt) or not phrases.pattern("requests", "number").search(prompt):
        return None
    numbers = tuple(text.numbers(_ID.sub(" ", quantities.in_digits(text.clip(of)))) for of in (left, right))
    if not all(numbers):
        return None
    if any(close(numbers[0][-1], n) for n in numbers[1]) or any(close(numbers[1][-1], n) for n in numbers[0]):
        return None
    return Difference(kind=DifferenceKind.NUMBER, left=numbers[0][-1], right=numbers[1][-1])


def close(left: str, right: str) -> bool:
    """Two numbers that are one, but for rounding."""
    a, b = _value(left), _value(right)
    return abs(a - b) <= _ROUNDING * max(abs(a), abs(b))


def is_open(prompt: str) -> bool:
    """Whether the prompt asks to write something: then two answers may both be right."""
    return phrases.pattern("requests", "open").search(prompt) is not None


def _value(number: str) -> float:
    try:
        return float(number)
    except ValueError:
        return float("nan")


def _other_order(prompt: str, left: str, right: str) -> Difference | None:
    said, other = _content(left), _content(right)
    if (
        said == other
        or sorted(said) != sorted(other)
        or not phrases.pattern("requests", "order").search(prompt)
    ):
        return None
    return Difference(kind=DifferenceKind.DIRECTION, left=text.normalised(left), right=text.normalised(right))
