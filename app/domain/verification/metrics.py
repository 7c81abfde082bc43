"""How right one answer is. Deterministic and from the texts alone: no model judges here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain import similarity, text
from app.domain.repair.answers import word_f1
from app.domain.verification import thresholds

_ANSWER_LINE = re.compile(r"^\W*(?:(?:final answer|answer|最终答案|答案)\s*[:：]|####)", re.IGNORECASE)


class ScoringMethod(StrEnum):
    """``exact``: equal when normalised. ``final_answer``: the last line's answer, for worked solutions.
    ``word_f1``: shared words (characters for Chinese), for free text."""

    EXACT = "exact"
    FINAL_ANSWER = "final_answer"
    WORD_F1 = "word_f1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScore:
    """``score`` 0..1, 1 = as good as the expected output; ``method`` says how it was measured."""

    score: float
    correct: bool
    method: ScoringMethod


def score_answer(output: str, expected: str, alternatives: Sequence[str] = ()) -> AnswerScore:
    """Score an output against the best of the expected one and its alternatives.

    Equal after normalisation (NFKC, letter case, spaces, edge punctuation) is right by ``exact``. An
    expected output of at most 12 tokens is right in only one other way: a worked solution whose last line
    marks it as its answer ("Final answer: 24", "答案：24"). A longer one that ends with a short final answer
    on a line of its own is right when the final answers are equal. In these the score is 0 or 1.
    Any other is free text: the score is the word F1 (SQuAD, Rajpurkar et al. 2016), and right means an F1
    of at least 0.8 with the same numbers and the same negation.
    """
    scores = [_score(output, right) for right in (expected, *alternatives)]
    return max(scores, key=lambda s: (s.correct, s.score))


def _marked_answer(output: str) -> str:
    """What the last of several lines names as the answer, normalised; '' where it names none."""
    lines = output.strip().splitlines()
    marked = _ANSWER_LINE.match(lines[-1]) if len(lines) > 1 else None
    return text.normalised(lines[-1][marked.end() :]) if marked else ""


def _score(output: str, expected: str) -> AnswerScore:
    said, right = (text.normalised(t) or t.strip() for t in (output, expected))
    if said == right and right:
        return AnswerScore(score=1.0, correct=True, method=ScoringMethod.EXACT)
    if len(text.tokens(expected)) <= thresholds.EXACT_MAX_TOKENS:
        if right and _marked_answer(output) == right:
            return AnswerScore(score=1.0, correct=True, method=ScoringMethod.FINAL_ANSWER)
        return AnswerScore(score=0.0, correct=False, method=ScoringMethod.EXACT)
    final = similarity.final_answer(expected)
    if final:
        same = final == similarity.final_answer(output)
        return AnswerScore(score=float(same), correct=same, method=ScoringMethod.FINAL_ANSWER)
    f1 = word_f1(output, expected)
    commits_alike = (
        Counter(text.numbers(output)) == Counter(text.numbers(expected))
        and text.negations(output) % 2 == text.negations(expected) % 2
    )
    correct = f1 >= thresholds.CORRECT_F1 and commits_alike
    # Other numbers make another answer, however many words it shares: never more than half right.
    score = f1 if commits_alike else min(f1, 0.5)
    return AnswerScore(score=score, correct=correct, method=ScoringMethod.WORD_F1)
