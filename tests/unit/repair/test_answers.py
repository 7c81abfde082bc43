from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.repair.answers import Relation, relate, word_f1

LABELS = frozenset({"credit limit change", "report a lost card now please"})


@pytest.mark.parametrize(
    ("left", "right", "relation"),
    [
        ("Uber", "uber.", Relation.SAME),
        ("uber", "weather", Relation.CONTRADICTS),
        ("Credit limit change", "report a lost card now please", Relation.CONTRADICTS),
        ("You can return it within 14 days.", "You can return it within 30 days.", Relation.CONTRADICTS),
        ("3 + 4 = 7\nAnswer: 7", "First 4, then 3 more.\nAnswer: 7", Relation.SAME),
        ("3 + 4 = 8\nAnswer: 8", "First 4, then 3 more.\nAnswer: 7", Relation.CONTRADICTS),
        ("Yes, you can cancel the plan online", "No, you cannot cancel the plan online", Relation.UNCLEAR),
        (
            "You can cancel the plan online today",
            "You can not cancel the plan online today",
            Relation.CONTRADICTS,
        ),
        ("Paris is lovely in the spring time", "Try the museums and the river boats", Relation.UNCLEAR),
        ("先算 3+4\n答案：7", "7", Relation.SAME),
        ("七天内可以无理由退货", "七天内不可以无理由退货", Relation.CONTRADICTS),
        ("", "uber", Relation.UNCLEAR),
    ],
)
def test_only_what_commits_can_contradict(left: str, right: str, relation: Relation) -> None:
    assert relate(left, right, LABELS) is relation


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_relation_does_not_depend_on_the_side(left: str, right: str) -> None:
    assert relate(left, right) is relate(right, left)
    assert word_f1(left, right) == word_f1(right, left)
    assert 0 <= word_f1(left, right) <= 1
