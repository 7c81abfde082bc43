"""How right one answer is. Deterministic and from the texts alone: no model judges here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain.answers import agreement, commitments, read_text
from app.domain.answers.certainty import Certainty, certainly_equal
from app.domain.answers.relation import word_f1
from app.domain.language import text

# Expected outputs up to this many tokens are labels, numbers or canned replies: right means equal.
_EXACT_MAX_TOKENS: Final = 12

# Word F1 from which a longer free text counts as right, given equal numbers and negation.
_CORRECT_F1: Final = 0.8


class ScoringMethod(StrEnum):
    """``exact``: certainly equal. ``final_answer``: the last line's answer, for worked solutions. ``word_f1``: shared
    words (characters for Chinese), for free text."""

    EXACT = "exact"
    FINAL_ANSWER = "final_answer"
    WORD_F1 = "word_f1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScore:
    """``score`` 0..1, 1 = as good as the expected output; ``method`` says how it was measured."""

    score: float
    correct: bool
    method: ScoringMethod


def score_answer(
    output: str, expected: str, alternatives: Sequence[str] = (), *, prompt: str = ""
) -> AnswerScore:
    """Score an output against the best of the expected one and its alternatives.

    Right is what is certainly equal (``answers.certainty``: as text, JSON, calls, numbers with units, or by the final
    answer of a worked solution). An expected output of at most 12 tokens, or that ends with a final answer, is right
    in no other way: its score is 0 or 1. Any other is free text: the score is the word F1 (SQuAD, Rajpurkar et al.
    2016), and right means an F1 of at least 0.8 with nothing that commits being different
    (``answers.commitments``). Code, JSON and calls are never right by their words. ``prompt``: what was asked; a way
    of writing that it asks for is part of the answer.
    """
    scores = [_score(output, right, prompt) for right in (expected, *alternatives)]
    return max(scores, key=lambda s: (s.correct, s.score))


def _score(output: str, expected: str, prompt: str) -> AnswerScore:
    how = certainly_equal(output, expected, prompt=prompt)
    if how is not None:
        by_end = how is Certainty.FINAL_ANSWER
        return AnswerScore(
            score=1.0, correct=True, method=ScoringMethod.FINAL_ANSWER if by_end else ScoringMethod.EXACT
        )
    said, right = read_text(output).compared, read_text(expected).compared
    if len(text.tokens(right)) <= _EXACT_MAX_TOKENS:
        return AnswerScore(score=0.0, correct=False, method=ScoringMethod.EXACT)
    if agreement.final_answer(right):
        return AnswerScore(score=0.0, correct=False, method=ScoringMethod.FINAL_ANSWER)
    f1 = word_f1(said, right)
    commits_alike = commitments.differ(said, right) is None
    # Another number or name makes another answer, however many words it shares: never more than half right.
    return AnswerScore(
        score=f1 if commits_alike else min(f1, 0.5),
        correct=f1 >= _CORRECT_F1 and commits_alike,
        method=ScoringMethod.WORD_F1,
    )
