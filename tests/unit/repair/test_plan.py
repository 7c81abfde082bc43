from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.evidence import Finding
from app.domain.records import BadCase, RootCause, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import (
    ActionKind,
    Approval,
    Decision,
    RepairPlan,
    RepairPolicy,
    ResolutionRule,
    plan_repair,
)
from app.domain.repair.policy.duplicates import DuplicatePolicy
from app.domain.repair.steps import STEPS
from tests.unit.repair.builders import bad_case, example, finding, label_task


def _plan(
    examples: list[TrainingExample],
    cases: list[BadCase] | None = None,
    findings: list[Finding] | None = None,
    *,
    policy: RepairPolicy | None = None,
    vectors: np.ndarray | None = None,
    case_vectors: np.ndarray | None = None,
) -> RepairPlan:
    n, m = len(examples), len(cases or [])
    material = PlanInputs(
        input_vectors=np.eye(max(n, 8), dtype=np.float32)[:n] if vectors is None else vectors,
        output_vectors=np.zeros((n, 4), dtype=np.float32),
        cases=cases or [],
        case_vectors=np.zeros((m, max(n, 8)), dtype=np.float32) if case_vectors is None else case_vectors,
        findings=findings or [],
    )
    return plan_repair(examples, material, policy or RepairPolicy())


def _apply(examples: list[TrainingExample], plan: RepairPlan) -> dict[str, str]:
    ids = iter(f"new_{i}" for i in range(1000))
    applied = apply_actions(examples, plan.actions, new_id=lambda: next(ids))
    return {
        (row.change.previous_example_id or row.example.id)
        if row.change
        else row.example.id: row.example.output
        for row in applied.rows
    }


def test_swapped_labels_are_relabelled_with_evidence_and_right_rows_stay() -> None:
    task = label_task(np.random.default_rng(0), swapped=(("cards", "loans"), ("loans", "cards")))
    findings = [finding(c.id, RootCause.CONFLICT) for c in task.cases]
    plan = _plan(task.examples, task.cases, findings, vectors=task.inputs, case_vectors=task.case_inputs)
    after = _apply(task.examples, plan)
    right = sum(after.get(e.id) == gold for e, gold in zip(task.examples, task.gold, strict=True))
    assert right >= 0.98 * len(task.examples)
    relabel = next(a for a in plan.actions if a.kind is ActionKind.RELABEL)
    assert relabel.evidence["anchors"][0]["bad_case_id"] in {c.id for c in task.cases}
    assert "expect" in relabel.reason
    json.dumps([a.evidence for a in plan.actions])
    json.dumps(plan.summary)


def test_a_label_that_would_lose_most_of_its_rows_is_renamed_by_a_person() -> None:
    task = label_task(
        np.random.default_rng(9),
        labels=("alarm", "travel", "music", "sports"),
        swapped=(("alarm", "wake me"),),
        rows_each=40,
        cases_each=3,
    )
    findings = [finding(c.id, RootCause.CONFLICT) for c in task.cases]
    plan = _plan(
        task.examples,
        task.cases,
        findings,
        policy=RepairPolicy(approve=Approval.ALL),
        vectors=task.inputs,
        case_vectors=task.case_inputs,
    )
    asked = [
        a for a in plan.actions if a.evidence.get("asks_person") and a.evidence["rule"] == "expected_output"
    ]
    decided = [a for a in plan.actions if a.evidence["rule"] == "expected_output" and a not in asked]
    assert len(asked) > len(decided) > 0
    assert {a.decision for a in asked} == {Decision.PROPOSED}
    assert {a.decision for a in decided} == {Decision.APPROVED}
    assert all("please say whether both are one thing" in a.reason for a in asked)


def test_the_same_word_under_another_instruction_is_another_label() -> None:
    task = label_task(np.random.default_rng(0), swapped=(("cards", "loans"), ("loans", "cards")))
    other = [replace(e, id=f"o_{e.id}", messages=_under("Other task.", e)) for e in task.examples]
    cases = [replace(c, messages=_under("Other task.", c)) for c in task.cases]
    findings = [finding(c.id, RootCause.CONFLICT) for c in cases]
    mine = [replace(e, messages=_under("My task.", e)) for e in task.examples]
    plan = _plan(
        [*mine, *other],
        cases,
        findings,
        vectors=np.vstack([task.inputs, task.inputs]),
        case_vectors=task.case_inputs,
    )
    by_cases = [a for a in plan.actions if a.evidence["rule"] == ResolutionRule.EXPECTED_OUTPUT]
    touched = {i for a in by_cases for i in a.example_ids}
    assert touched
    assert all(i.startswith("o_") for i in touched)


def _under(instruction: str, row: TrainingExample | BadCase) -> tuple:
    first = replace(row.messages[0], content=f"{instruction}\n{row.messages[0].content}")
    return (first, *row.messages[1:])


def test_an_exact_duplicate_is_dropped_and_names_the_row_that_stays() -> None:
    rows = [example("a", "where is my parcel", "orders"), example("b", "where is my parcel", "orders")]
    (action,) = _plan(rows).actions
    assert (action.kind, action.example_ids, action.decision) == (ActionKind.DROP, ("b",), Decision.APPROVED)
    assert action.evidence["of"] == "a"
    assert action.score == 1.0


def test_a_near_duplicate_with_the_same_answer_is_proposed_for_dropping() -> None:
    asked = "how do i freeze my debit card when i have lost it on a long journey abroad"
    rows = [example("a", asked, "cards"), example("b", asked.replace("card ", "cards "), "cards")]
    (action,) = _plan(rows).actions
    assert action.evidence["rule"] == "near_duplicate"
    assert _plan(rows, policy=RepairPolicy(near_duplicate_threshold=None)).actions == ()


def test_two_wordings_of_one_answer_are_no_conflict() -> None:
    rows = [
        example(
            "a",
            "why is the sky blue",
            "Air scatters blue light more than red light, so it comes from all sides.",
        ),
        example(
            "b", "why is the sky blue?", "Because short waves are scattered most by the molecules of the air."
        ),
    ]
    assert _plan(rows).actions == ()


def test_a_clear_majority_decides_and_a_tie_asks_a_person() -> None:
    rows = [example(str(i), "what is the return window", "30 days") for i in range(3)]
    rows = [replace(r, messages=_under(f"Shop {r.id}.", r)) for r in rows]
    same = [example(f"s{i}", f"what is the return window{'?' * i}", "30 days") for i in range(3)]
    odd = example("odd", "What is the return window", "14 days")
    policy = RepairPolicy(near_duplicate_threshold=None, min_score=0.5)
    (action,) = _plan([*same, odd], policy=policy).actions
    assert (action.kind, action.example_ids) == (ActionKind.DROP, ("odd",))
    assert action.decision is Decision.APPROVED
    (asked,) = _plan([same[0], odd], policy=policy.model_copy(update={"approve": Approval.ALL})).actions
    assert asked.kind is ActionKind.MERGE
    assert asked.decision is Decision.PROPOSED
    assert set(asked.example_ids) == {"s0", "odd"}


def test_the_expected_output_decides_a_tie() -> None:
    rows = [
        example("new", "what is the return window", "30 days"),
        example("old", "What is the return window?", "14 days"),
    ]
    case = bad_case("bc_1", "what is the return window", "14 days", "30 days")
    vectors = np.eye(8, dtype=np.float32)[[0, 0]]
    plan = _plan(
        rows, [case], [finding("bc_1", RootCause.CONFLICT)], vectors=vectors, case_vectors=vectors[:1]
    )
    (action,) = plan.actions
    assert (action.kind, action.example_ids, action.decision) == (
        ActionKind.DROP,
        ("old",),
        Decision.APPROVED,
    )
    assert action.evidence["bad_case_id"] == "bc_1"


def test_a_lone_wrong_row_on_the_case_s_own_prompt_is_rewritten() -> None:
    rows = [example("old", "What is the return window?", "14 days")]
    case = bad_case("bc_1", "what is the return window", "14 days", "30 days")
    vectors = np.eye(8, dtype=np.float32)[[0]]
    plan = _plan(rows, [case], [finding("bc_1", RootCause.CONFLICT)], vectors=vectors, case_vectors=vectors)
    assert _apply(rows, plan) == {"old": "30 days"}


def test_near_prompts_with_other_numbers_are_other_questions() -> None:
    rows = [example("sum", "I bought 3 apples at 2 each. What do I pay?", "6 coins in all, please")]
    case = bad_case("bc_1", "I bought 4 apples at 2 each. What do I pay?", "6", "8 coins in all, please")
    vectors = np.eye(8, dtype=np.float32)[[0]]
    plan = _plan(rows, [case], [finding("bc_1", RootCause.CONFLICT)], vectors=vectors, case_vectors=vectors)
    assert plan.actions == ()


def test_a_policy_without_the_expected_output_leaves_labels_alone() -> None:
    task = label_task(np.random.default_rng(0), swapped=(("cards", "loans"),))
    plan = _plan(
        task.examples,
        task.cases,
        [finding(c.id, RootCause.CONFLICT) for c in task.cases],
        policy=RepairPolicy(conflict=(ResolutionRule.ASK,), contradictions=False),
        vectors=task.inputs,
        case_vectors=task.case_inputs,
    )
    assert not [a for a in plan.actions if a.kind is ActionKind.RELABEL]


def test_format_and_label_of_one_row_are_both_mended() -> None:
    task = label_task(np.random.default_rng(0), swapped=(("cards", "loans"),))
    dirty = [
        replace(e, messages=(replace(e.messages[0], content=e.prompt + " \r\n<|im_end|>"), e.messages[1]))
        if e.output == "loans" and gold == "cards"
        else e
        for e, gold in zip(task.examples, task.gold, strict=True)
    ]
    findings = [finding(c.id, RootCause.CONFLICT) for c in task.cases]
    plan = _plan(dirty, task.cases, findings, vectors=task.inputs, case_vectors=task.case_inputs)
    ids = iter(f"new_{i}" for i in range(1000))
    applied = apply_actions(dirty, plan.actions, new_id=lambda: next(ids))
    both = [
        r for r in applied.rows if r.change and "format" in r.change.reason and "expect" in r.change.reason
    ]
    assert len(both) >= 9
    assert all(r.example.output == "cards" and "\r" not in r.example.prompt for r in both)


@pytest.mark.parametrize("rows", [0, 1])
def test_tiny_training_sets_give_empty_plans(rows: int) -> None:
    case = bad_case("bc_1", "what", "wrong", None)
    plan = _plan(
        [example(str(i), "hello there", "hi") for i in range(rows)],
        [case],
        [finding("bc_1", RootCause.CONFLICT)],
    )
    assert plan.actions == ()
    assert plan.summary["rows"] == rows


def test_missing_vectors_are_named() -> None:
    with pytest.raises(ValueError, match="input_vectors has 0 rows for 1 texts"):
        _plan([example("a", "x", "y")], vectors=np.zeros((0, 4), dtype=np.float32))


def test_equal_arguments_give_equal_plans() -> None:
    task = label_task(np.random.default_rng(0), swapped=(("cards", "loans"),))
    findings = [finding(c.id, RootCause.CONFLICT) for c in task.cases]
    plans = [
        _plan(task.examples, task.cases, findings, vectors=task.inputs, case_vectors=task.case_inputs)
        for _ in range(2)
    ]
    assert plans[0] == plans[1]


def _labelled(labels: tuple[str, str]) -> RepairPlan:
    """Two labels at random over one region; bad cases expect the first where the model said the second."""
    rng = np.random.default_rng(8)
    task = label_task(rng, labels=("valid", "invalid", "travel", "music"), swapped=(("valid", "invalid"),))
    names = dict(zip(("valid", "invalid"), labels, strict=True))
    about = np.array([gold in names for gold in task.gold])
    vectors = task.inputs.copy()
    vectors[about] = vectors[rng.permutation(np.flatnonzero(about))]
    rows = [example(e.id, e.prompt, names.get(e.output, e.output)) for e in task.examples]
    cases = [replace(c, model_output=labels[1], expected_output=labels[0]) for c in task.cases]
    findings = [finding(c.id, RootCause.CONFLICT) for c in cases]
    policy = RepairPolicy(contradictions=False, noise=False, quality=None)
    return _plan(rows, cases, findings, vectors=vectors, case_vectors=task.case_inputs, policy=policy)


@pytest.mark.parametrize("labels", [("valid", "invalid"), ("turn_on", "turn_off"), ("true", "not true")])
def test_labels_whose_names_negate_each_other_are_not_mixed_up(labels: tuple[str, str]) -> None:
    assert _labelled(labels).actions == ()
    assert _labelled(("cards", "loans")).actions


def test_the_plan_tells_of_a_judge_only_where_the_policy_names_one() -> None:
    rows = [
        example("a", "what is the return window", "30 days"),
        example("b", "What is the return window", "14 days"),
    ]
    judged = RepairPolicy(conflict=(ResolutionRule.JUDGE, ResolutionRule.ASK))
    assert "judge" not in _plan(rows).summary
    plan = _plan(rows, policy=judged)
    assert plan.summary["judge"]["asked"] == 0
    assert [a.evidence["rule"] for a in plan.actions] == ["ask"]


def test_a_policy_says_what_it_was_made_from() -> None:
    raw = {
        "conflict": ["source_priority", "newest", "judge", "best_quality", "majority", "drop"],
        "source_priority": ["handbook", "tickets"],
        "contradictions": False,
        "approve": "none",
    }
    policy = RepairPolicy.from_dict(raw)
    assert {name: policy.as_dict()[name] for name in raw} == raw
    for made in (policy, RepairPolicy()):
        assert RepairPolicy.from_dict(json.loads(json.dumps(made.as_dict()))) == made


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"conflict": ["oldest"]}, "input should be 'expected_output'"),
        ({"conflict": []}, "policy.conflict is"),
        ({"conflict": ["judge", "judge"]}, "names a rule twice"),
        ({"source_priority": "handbook"}, "policy.source_priority is 'handbook'"),
        ({"source_priority": [""]}, "at least 1 character"),
        ({"source_priority": [7]}, "valid string"),
        ({"contradictions": 1}, "valid boolean"),
        ({"contradiction": True}, "policy has no field 'contradiction'"),
    ],
)
def test_a_field_that_is_none_is_named_with_its_mend(raw: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RepairPolicy.from_dict(raw)


def test_the_page_of_repairs_names_every_field_and_rule_and_its_example_is_a_policy() -> None:
    page = Path("docs/repair.md").read_text()
    example_of = page.partition("```json\n")[2].partition("```")[0]
    RepairPolicy.from_dict(json.loads(example_of))
    names = [f"| `{name}" for name in RepairPolicy().as_dict()]
    names += [f"| `duplicates.{name}`" for name in DuplicatePolicy().as_dict()]
    names += [f"| `{rule.value}` |" for rule in ResolutionRule]
    names += [f"| {step} |" for step, _ in STEPS]
    assert [name for name in names if name not in page] == []
