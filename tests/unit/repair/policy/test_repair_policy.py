from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.repair.draft.actions import ALLOWED_DECISIONS, ActionKind, ProposedAction, decide
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import Approval, RepairPolicy, ResolutionRule


def _action(decision: Decision = Decision.PROPOSED) -> ProposedAction:
    return ProposedAction(
        kind=ActionKind.DROP,
        example_ids=("a",),
        before=({},),
        after=(),
        reason="r",
        score=0.5,
        decision=decision,
    )


@given(st.lists(st.sampled_from(Decision), max_size=12))
def test_decisions_only_move_along_allowed_ways_and_applied_is_final(wished: list[Decision]) -> None:
    action = _action()
    for decision in wished:
        before = action.decision
        if decision is before or decision in ALLOWED_DECISIONS[before]:
            action = decide(action, decision)
            assert action.decision is decision
        else:
            with pytest.raises(ValueError, match="cannot become"):
                decide(action, decision)
        assert before is not Decision.APPLIED or action.decision is Decision.APPLIED


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"conflcit": []}, "no field 'conflcit'"),
        ({"conflict": []}, r"policy.conflict is \[\]: value should have at least 1 item"),
        ({"conflict": ["majority", "majority"]}, "names a rule twice"),
        ({"conflict": ["vote"]}, "input should be 'expected_output', 'majority'"),
        ({"approve": "some"}, "input should be 'all', 'confident' or 'none'"),
        ({"min_score": 1.5}, "less than or equal to 1"),
        ({"min_score": True}, "a valid number"),
        ({"near_duplicate_threshold": 0}, "greater than 0"),
        ({"normalise": "yes"}, "give an object"),
    ],
)
def test_a_policy_from_outside_is_refused_with_the_fact_and_the_mend(raw: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RepairPolicy.from_dict(raw)


def test_a_policy_survives_its_own_dictionary() -> None:
    policy = RepairPolicy(
        conflict=(ResolutionRule.DROP,), approve=Approval.NONE, min_score=0.3, near_duplicate_threshold=None
    )
    assert RepairPolicy.from_dict(policy.as_dict()) == policy
    assert RepairPolicy.from_dict({}) == RepairPolicy()


def test_confident_approves_from_the_minimum_score() -> None:
    policy = RepairPolicy(min_score=0.7)
    assert policy.decision_for(0.7) is Decision.APPROVED
    assert policy.decision_for(0.69) is Decision.PROPOSED
    assert RepairPolicy(approve=Approval.ALL).decision_for(0.0) is Decision.APPROVED
    assert RepairPolicy(approve=Approval.NONE).decision_for(1.0) is Decision.PROPOSED
