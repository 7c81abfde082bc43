from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from app.domain.answers.scoring import AnswerScore, ScoringMethod
from app.domain.verification.comparison import AnsweredPrompt, Part, compare
from app.domain.verification.verdict import CaseVerdict, judge_case


def _answered(number: int, part: Part, before: str, after: str, slice_name: str = "") -> AnsweredPrompt:
    return AnsweredPrompt(
        id=f"{part}_{number}",
        part=part,
        prompt="where is it",
        expected_output="orders",
        before_output=before,
        after_output=after,
        slice_name=slice_name,
    )


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (False, True, CaseVerdict.FIXED),
        (False, False, CaseVerdict.NOT_FIXED),
        (True, False, CaseVerdict.REGRESSED),
        (True, True, CaseVerdict.STILL_RIGHT),
    ],
)
def test_a_case_is_judged_by_what_it_was_and_is(before: bool, after: bool, verdict: CaseVerdict) -> None:
    scores = (AnswerScore(score=float(c), correct=c, method=ScoringMethod.EXACT) for c in (before, after))
    assert judge_case(*scores) is verdict


def test_a_comparison_sums_up_each_part_on_its_own() -> None:
    answered = [
        *(_answered(i, Part.CASE, "cards", "orders" if i < 3 else "cards") for i in range(4)),
        *(_answered(i, Part.HELD_BACK, "cards", "orders" if i < 1 else "cards") for i in range(2)),
        *(_answered(i, Part.RETENTION, "orders", "orders", "old") for i in range(6)),
    ]
    result = compare(answered, rng=np.random.default_rng(0))
    assert (result.fix_rate.rate, result.fix_rate.n) == (0.75, 4)
    assert (result.held_back_fix_rate.rate, result.held_back_fix_rate.n) == (0.5, 2)
    assert result.retention is not None
    assert (result.retention.mean, result.gate.accepted) == (1.0, True)
    assert result.counts["case"] == {"fixed": 3, "not_fixed": 1}
    json.dumps(asdict(result))


def test_an_empty_comparison_claims_nothing() -> None:
    result = compare([], rng=np.random.default_rng(0))
    assert (result.fix_rate.rate, result.retention, result.gate.accepted) == (None, None, False)
