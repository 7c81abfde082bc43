"""How two answers to one question relate: the same, contradictory, or not to be told from the words.

Knows labels, final answers, and what answers commit to (``answers.commitments``). Two wordings of one answer are no
contradiction: a contradiction is only claimed where something that commits differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import lru_cache

from app.domain.answers import agreement, canonical, commitments, contradiction
from app.domain.answers.certainty import certainly_equal
from app.domain.answers.commitments import Commitment
from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.language import text


class Relation(StrEnum):
    SAME = "same"
    CONTRADICTS = "contradicts"
    UNCLEAR = "unclear"


# Word F1 from which two answers without other differences say the same.
_SAME_WORDING_F1 = 0.8
# Below this two answers share too few words for a negation to be *the* difference.
_NEGATED_WORDING_F1 = 0.5


# What makes another answer of the same sentence, whatever was asked; of a name or a word both may be right.
_EXCLUDES = frozenset({Commitment.NUMBER, Commitment.NEGATION, Commitment.OPPOSITE})

_read = lru_cache(maxsize=4096)(commitments.read)


def relate(left: str, right: str, labels: AbstractSet[str] = frozenset()) -> Relation:
    """How two outputs relate. ``labels``: normalised outputs that repeat in the training set."""
    a, b = text.normalised(left) or left.strip(), text.normalised(right) or right.strip()
    if not a or not b:
        return Relation.SAME if a == b else Relation.UNCLEAR
    if certainly_equal(left, right) or (a == b and a in labels):
        return Relation.SAME
    if a == b:
        # C and C#, a name in another case: to a machine they may differ.
        return Relation.UNCLEAR
    closed_a, closed_b = _closed(left, a, labels), _closed(right, b, labels)
    if closed_a and closed_b:
        return Relation.CONTRADICTS
    if closed_a or closed_b:
        # One side explains what the other only names.
        return Relation.UNCLEAR
    final_a, final_b = agreement.final_answer(left), agreement.final_answer(right)
    if final_a and final_b:
        return Relation.SAME if final_a == final_b else Relation.CONTRADICTS
    return _relate_free(left, right)


def _relate_free(left: str, right: str) -> Relation:
    """Of two answers in sentences, or two of code, JSON or calls."""
    a, b = _read(left), _read(right)
    what, f1 = commitments.difference(a, b), word_f1(left, right)
    if what is None:
        return Relation.SAME if f1 >= _SAME_WORDING_F1 else Relation.UNCLEAR
    if a.machine or b.machine:
        return Relation.CONTRADICTS if _same_keys(left, right) else Relation.UNCLEAR
    if what is Commitment.NUMBER:
        if not a.numbers or not b.numbers:
            return Relation.UNCLEAR
        # A worked solution may take another way to the same end.
        return Relation.UNCLEAR if a.numbers[-1] == b.numbers[-1] else Relation.CONTRADICTS
    if what is Commitment.WORD:
        return Relation.UNCLEAR
    return Relation.CONTRADICTS if f1 >= _NEGATED_WORDING_F1 else Relation.UNCLEAR


def _same_keys(left: str, right: str) -> bool:
    """Two JSON objects, or two calls of one function, with the same keys: then a value differs."""
    keys = [canonical.keys_of(of) for of in (left, right)]
    return keys[0] is not None and keys[0] == keys[1]


def relate_answers(prompt: str, left: str, right: str, labels: AbstractSet[str] = frozenset()) -> Relation:
    """How two answers to ``prompt`` relate. Many questions have more than one right answer, and an answer may
    say more than another: only what cannot both be right contradicts.
    """
    relation = relate(left, right, labels)
    if relation is not Relation.CONTRADICTS:
        return relation
    a, b = text.normalised(left) or left.strip(), text.normalised(right) or right.strip()
    if (a in labels and b in labels) or contradiction.contradiction(prompt, left, right):
        return Relation.CONTRADICTS
    if contradiction.is_open(prompt):
        return Relation.UNCLEAR
    if _closed(left, a, labels) and _closed(right, b, labels):
        return Relation.UNCLEAR if a in b or b in a or _same_numbers(left, right) else Relation.CONTRADICTS
    if _same_keys(left, right):
        return Relation.CONTRADICTS
    # The same sentence with another number, its opposite or a negation.
    what = commitments.difference(_read(left), _read(right))
    alike = what in _EXCLUDES and word_f1(left, right) >= _NEGATED_WORDING_F1
    rounded = what is not Commitment.OPPOSITE and _same_numbers(left, right)
    return Relation.CONTRADICTS if alike and not rounded else Relation.UNCLEAR


def _same_numbers(left: str, right: str) -> bool:
    """Both give numbers, and those of the one that gives fewer all stand in the other, but for rounding."""
    a, b = text.numbers(left), text.numbers(right)
    if not a or not b:
        return False
    return (len(a) > len(b) or _stand_in(a, b)) and (len(b) > len(a) or _stand_in(b, a))


def _stand_in(numbers: Sequence[str], others: Sequence[str]) -> bool:
    return all(any(contradiction.close(number, other) for other in others) for number in numbers)


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
