"""The verdict on one case."""

from __future__ import annotations

from enum import StrEnum

from app.domain.answers.scoring import AnswerScore


class CaseVerdict(StrEnum):
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    REGRESSED = "regressed"
    STILL_RIGHT = "still_right"


def judge_case(before: AnswerScore, after: AnswerScore) -> CaseVerdict:
    """What became of a case: right now or not, and whether it was."""
    match before.correct, after.correct:
        case False, True:
            return CaseVerdict.FIXED
        case True, False:
            return CaseVerdict.REGRESSED
        case True, True:
            return CaseVerdict.STILL_RIGHT
        case _:
            return CaseVerdict.NOT_FIXED
