from __future__ import annotations

from typing import Any

import pytest

from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.decisions import DecisionPolicy


@pytest.mark.parametrize(
    ("policy", "rule", "score", "asks", "approved"),
    [
        ({}, "x", 0.8, False, True),
        ({}, "x", 0.79, False, False),
        ({"approve": "all"}, "x", 0.0, False, True),
        ({"approve": "all"}, "x", 1.0, True, False),
        ({"approve": "none", "rules": {"x": {"min_score": 0.7}}}, "x", 0.7, False, True),
        ({"approve": "none", "rules": {"x": {"min_score": 0.7}}}, "x", 0.69, False, False),
        ({"approve": "none", "rules": {"x": {"min_score": 0.7}}}, "y", 1.0, False, False),
        ({"approve": "all", "rules": {"x": {"approve": "none"}}}, "x", 1.0, False, False),
        ({"approve": "none", "rules": {"x": {"approve": "all"}}}, "x", 0.1, True, True),
        ({"min_score": 0.3}, "x", 0.3, False, True),
    ],
)
def test_an_action_is_approved_from_its_bar_on(
    policy: dict[str, Any], rule: str, score: float, asks: bool, approved: bool
) -> None:
    said = DecisionPolicy.from_dict(policy).decision_for(rule, score, asks_person=asks)
    assert said is (Decision.APPROVED if approved else Decision.PROPOSED)


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ({"approve": "most"}, "approve"),
        ({"min_score": 2}, "min_score"),
        ({"rules": []}, "rules"),
        ({"rules": {"x": 1}}, "rules.x"),
        ({"rules": {"x": {"min_score": "a"}}}, "rules.x.min_score"),
        ({"rules": {"x": {"bar": 1}}}, "bar"),
        ({"bar": 1}, "bar"),
    ],
)
def test_a_policy_that_is_none_is_refused_with_the_field_named(policy: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        DecisionPolicy.from_dict(policy)
