from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import BadCase, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.balance.balance import compared, copies, distance, length_bucket
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import (
    ActionKind,
    Approval,
    Decision,
    RepairPlan,
    RepairPolicy,
    decide,
    plan_repair,
)
from app.domain.repair.policy.balance import BalanceBy, BalancePolicy
from tests.unit.repair.builders import bad_case, example

counts = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 50), min_size=1)


def two_tasks(many: int = 60, few: int = 10) -> list[TrainingExample]:
    rng = np.random.default_rng(3)
    asked = [" ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 24)) for _ in range(many + few)]
    return [
        example(f"ex_{i}", words, f"answer {i}", instruction="Sort it." if i < many else "Name it.")
        for i, words in enumerate(asked)
    ]


def plan_of(
    rows: list[TrainingExample], policy: RepairPolicy, cases: list[BadCase] | None = None
) -> RepairPlan:
    material = PlanInputs(
        input_vectors=np.eye(len(rows), dtype=np.float32),
        output_vectors=np.zeros((len(rows), 4), dtype=np.float32),
        cases=cases or [],
        case_vectors=np.zeros((len(cases or []), len(rows)), dtype=np.float32),
    )
    return plan_repair(rows, material, policy)


def approved(plan: RepairPlan) -> list:
    return [decide(a, Decision.APPROVED) for a in plan.actions]


@given(counts, counts)
def test_the_distance_is_symmetric_from_nought_to_one(left: dict[str, int], right: dict[str, int]) -> None:
    assert distance(left, right) == pytest.approx(distance(right, left))
    assert 0 <= distance(left, right) <= 1
    assert distance(left, {k: 3 * n for k, n in left.items()}) == pytest.approx(0, abs=1e-6)


def test_groups_with_nothing_in_common_are_as_far_apart_as_can_be() -> None:
    assert compared(["en", "en"], ["zh"]) == {"rows": {"en": 1.0}, "cases": {"zh": 1.0}, "distance": 1.0}
    assert compared(["en"], [])["distance"] is None


@given(counts, st.floats(0.5, 0.7))
def test_copies_bring_every_group_to_its_temperature_share(sizes: dict[str, int], alpha: float) -> None:
    extra = copies(sizes, alpha, max_repeats=1000)
    after = {k: n + extra.get(k, 0) for k, n in sizes.items()}
    mass = sum(n**alpha for n in sizes.values())
    for group, size in sizes.items():
        wanted = size**alpha / mass * sum(after.values())
        assert after[group] == pytest.approx(wanted, abs=3)
    assert max(sizes, key=lambda g: sizes[g]) not in extra


def test_no_row_is_seen_more_often_than_allowed() -> None:
    assert copies({"a": 10_000, "b": 5}, 0.5, max_repeats=4) == {"b": 15}


def test_every_plan_shows_how_rows_and_cases_are_spread() -> None:
    rows = two_tasks()
    cases = [bad_case("bc_1", "一个 问题", "x", "y", instruction="Name it.")]
    plan = plan_of(rows, RepairPolicy(), cases)
    shown = plan.summary["balance"]
    assert shown["task"]["cases"] == {"Name it.": 1.0}
    assert shown["task"]["rows"] == {"Sort it.": 0.8571, "Name it.": 0.1429}
    assert shown["language"]["cases"] == {"Chinese": 1.0}
    assert shown["length"]["distance"] == 1.0
    assert not any(a.kind is ActionKind.UPSAMPLE for a in plan.actions)
    json.dumps(plan.summary)


def test_copies_are_proposed_whatever_the_policy_approves_and_apply_makes_just_those() -> None:
    rows = two_tasks()
    policy = RepairPolicy(balance=BalancePolicy(alpha=0.5), approve=Approval.ALL)
    plan = plan_of(rows, policy)
    (action,) = [a for a in plan.actions if a.kind is ActionKind.UPSAMPLE]
    assert action.decision is Decision.PROPOSED
    # 60 rows stay; 60 * (10 / 60) ** .5 = 24.5
    assert (len(action.after), action.evidence["rows_after"]) == (14, 24)
    assert "10 of 70 rows" in action.reason

    ids = iter(f"new_{i}" for i in range(100))
    applied = apply_actions(rows, approved(plan), new_id=lambda: next(ids))
    tasks = Counter(row.example.instruction for row in applied.rows)
    assert tasks["Sort it."] == 60
    assert sum("Name it." in row.example.prompt for row in applied.rows) == 24
    again = apply_actions([r.example for r in applied.rows], approved(plan), new_id=lambda: next(ids))
    assert again.changes == []


def test_languages_are_groups_too() -> None:
    rows = [example(f"e{i}", f"Where is the parcel of customer {'x' * i}?", f"{i}") for i in range(40)]
    rows += [example(f"z{i}", f"我的{'包' * i}裹在哪里", f"z{i}") for i in range(8)]
    policy = RepairPolicy(balance=BalancePolicy(by=BalanceBy.LANGUAGE), near_duplicate_threshold=None)
    (action,) = [a for a in plan_of(rows, policy).actions if a.kind is ActionKind.UPSAMPLE]
    assert action.evidence["group"] == "Chinese"
    assert all(i.startswith("z") for i in action.example_ids)


@pytest.mark.parametrize(
    "raw", [{"alpha": 0.9}, {"alpha": True}, {"by": "colour"}, {"beta": 1}, 3, [], "task", {"alpha": "x"}]
)
def test_a_section_that_is_none_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"policy\.balance"):
        RepairPolicy.from_dict({"balance": raw})


def test_the_section_survives_its_own_dictionary() -> None:
    policy = RepairPolicy.from_dict({"balance": {"alpha": 0.7, "by": "language"}})
    assert policy.balance == BalancePolicy(alpha=0.7, by=BalanceBy.LANGUAGE)
    assert RepairPolicy.from_dict(policy.as_dict()) == policy
    assert RepairPolicy.from_dict({"balance": None}).balance is None


def test_lengths_fall_into_ranges_that_double() -> None:
    assert [length_bucket("word " * n) for n in (0, 8, 9, 1024, 2000)] == [
        "0-8",
        "0-8",
        "9-16",
        "513-1024",
        "1025+",
    ]
