"""How two answers to one question relate: the same, contradictory, or not to be told from the words.

Knows labels, final answers, numbers and negations. Two wordings of one answer are no contradiction: a
contradiction is only claimed where something that commits differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

from app.domain import similarity, text
from app.domain.diagnosis import free_answers
from app.domain.thresholds import CLOSED_ANSWER_MAX_TOKENS


class Relation(StrEnum):
    SAME = "same"
    CONTRADICTS = "contradicts"
    UNCLEAR = "unclear"


# Word F1 from which two answers without other differences say the same.
_SAME_WORDING_F1 = 0.8
# Below this two answers share too few words for a negation to be *the* difference.
_NEGATED_WORDING_F1 = 0.5


def relate(left: str, right: str, labels: AbstractSet[str] = frozenset()) -> Relation:
    """How two outputs relate. ``labels``: normalised outputs that repeat in the training set."""
    a, b = text.normalised(left) or left.strip(), text.normalised(right) or right.strip()
    if a == b:
        return Relation.SAME
    if not a or not b:
        return Relation.UNCLEAR
    final_a, final_b = similarity.final_answer(left), similarity.final_answer(right)
    closed_a, closed_b = _closed(left, a, labels), _closed(right, b, labels)
    if closed_a and closed_b:
        return Relation.CONTRADICTS
    if closed_a or closed_b:
        # One side explains what the other only names.
        final, answer = (final_b, a) if closed_a else (final_a, b)
        return Relation.SAME if final == answer else Relation.UNCLEAR
    if final_a and final_b:
        return Relation.SAME if final_a == final_b else Relation.CONTRADICTS
    numbers_a, numbers_b = text.numbers(left), text.numbers(right)
    if numbers_a and numbers_b and Counter(numbers_a) != Counter(numbers_b):
        # A worked solution may take another way to the same end.
        return Relation.UNCLEAR if numbers_a[-1] == numbers_b[-1] else Relation.CONTRADICTS
    f1 = word_f1(left, right)
    if text.negations(left) % 2 != text.negations(right) % 2:
        return Relation.CONTRADICTS if f1 >= _NEGATED_WORDING_F1 else Relation.UNCLEAR
    return Relation.SAME if f1 >= _SAME_WORDING_F1 and numbers_a == numbers_b else Relation.UNCLEAR


def relate_answers(prompt: str, left: str, right: str, labels: AbstractSet[str] = frozenset()) -> Relation:
    """How two answers to ``prompt`` relate. Many questions have more than one right answer, and an answer may
    say more than another: only what cannot both be right contradicts.
    """
    relation = relate(left, right, labels)
    if relation is not Relation.CONTRADICTS:
        return relation
    a, b = text.normalised(left) or left.strip(), text.normalised(right) or right.strip()
    if (a in labels and b in labels) or free_answers.contradiction(prompt, left, right):
        return Relation.CONTRADICTS
    if free_answers.is_open(prompt):
        return Relation.UNCLEAR
    if _closed(left, a, labels) and _closed(right, b, labels):
        return Relation.UNCLEAR if a in b or b in a or _same_numbers(left, right) else Relation.CONTRADICTS
    # The same sentence with another number or with a negation.
    alike = word_f1(left, right) >= _NEGATED_WORDING_F1
    return Relation.CONTRADICTS if alike and not _same_numbers(left, right) else Relation.UNCLEAR


def _same_numbers(left: str, right: str) -> bool:
    """Both give numbers, and those of the one that gives fewer all stand in the other, but for rounding."""
    a, b = text.numbers(left), text.numbers(right)
    if not a or not b:
        return False
    return (len(a) > len(b) or _stand_in(a, b)) and (len(b) > len(a) or _stand_in(b, a))


def _stand_in(numbers: Sequence[str], others: Sequence[str]) -> bool:
    return all(any(free_answers.close(number, other) for other in others) for number in numbers)


def word_f1(left: str, right: str) -> float:
    """F1 of the two bags of words (characters for CJK), 0..1; 1 = the same words (SQuAD, Rajpurkar 2016)."""
    a, b = Counter(text.tokens(left)), Counter(text.tokens(right))
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def is_closed(output: str, labels: AbstractSet[str]) -> bool:
    """A label, or so short that another wording of it would be another answer."""
    return _closed(output, text.normalised(output) or output.strip(), labels)


def _closed(output: str, normal: str, labels: AbstractSet[str]) -> bool:
    return normal in labels or len(text.tokens(output)) <= CLOSED_ANSWER_MAX_TOKENS
