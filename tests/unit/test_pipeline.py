from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pipeline import (
    ORDER,
    Approval,
    CyclePolicy,
    CycleStage,
    CycleVerdict,
    is_better,
    stage_after,
    wants_another_attempt,
)

rates = st.none() | st.floats(0, 1)
verdicts = st.builds(
    CycleVerdict, fix_rate=rates, held_back_fix_rate=rates, retention=rates, gate_accepted=st.booleans()
)


def verdict(fix_rate: float | None, *, accepted: bool = True, held_back: float | None = None) -> CycleVerdict:
    return CycleVerdict(
        fix_rate=fix_rate, held_back_fix_rate=held_back, retention=1.0, gate_accepted=accepted
    )


def test_the_stages_follow_each_other_from_diagnosis_to_verification() -> None:
    stage, seen = CycleStage.DIAGNOSE, [CycleStage.DIAGNOSE]
    while (following := stage_after(stage)) is not None:
        stage = following
        seen.append(stage)
    assert tuple(seen) == ORDER
    assert seen[-1] is CycleStage.VERIFY


@given(verdicts, st.integers(1, 6), st.integers(1, 5))
def test_a_cycle_never_tries_more_often_than_its_policy_allows(
    verdict: CycleVerdict, attempt: int, cap: int
) -> None:
    wants = wants_another_attempt(verdict, attempt=attempt, policy=CyclePolicy(max_attempts=cap))
    assert not (wants and attempt >= cap)


def test_what_is_not_fixed_opens_another_attempt_and_what_is_fixed_does_not() -> None:
    policy = CyclePolicy(max_attempts=2, target_fix_rate=0.8)
    assert wants_another_attempt(verdict(0.5), attempt=1, policy=policy)
    assert wants_another_attempt(verdict(0.95, accepted=False), attempt=1, policy=policy)
    assert not wants_another_attempt(verdict(0.8), attempt=1, policy=policy)
    assert not wants_another_attempt(verdict(None), attempt=1, policy=policy)


@given(verdicts)
def test_no_attempt_replaces_one_that_is_as_good(one: CycleVerdict) -> None:
    assert not is_better(one, one)
    assert is_better(one, None)


def test_an_accepted_attempt_beats_a_rejected_one_with_more_fixes() -> None:
    assert is_better(verdict(0.6), verdict(0.9, accepted=False))
    assert not is_better(verdict(0.9, accepted=False), verdict(0.6))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"aproval": "manual"}, "aproval"),
        ({"approval": "later"}, "approval"),
        ({"hold_back": 0.9}, "hold_back"),
        ({"hold_back": True}, "hold_back"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 1.5}, "max_attempts"),
        ({"seed": -1}, "seed"),
        ({"training": []}, "training"),
        ({"before_adapter_id": 7}, "before_adapter_id"),
    ],
)
def test_a_policy_that_is_none_is_refused_by_the_name_of_what_is_wrong(
    values: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        CyclePolicy.from_dict(values)


def test_a_policy_reads_back_what_it_was_given() -> None:
    policy = CyclePolicy.from_dict({"approval": "manual", "hold_back": 0.1, "training": {"rank": 8}})
    assert policy.approval is Approval.MANUAL
    assert policy.hold_back == 0.1
    assert policy.training.given() == {"rank": 8}
