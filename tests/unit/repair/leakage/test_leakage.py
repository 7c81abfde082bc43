from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.near_duplicates.grouping import exact_jaccard
from app.domain.near_duplicates.leakage import ProtectedKind, ProtectedPrompt, leaked, overlaps
from app.domain.records import TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import Approval, Decision, RepairPlan, RepairPolicy, plan_repair
from app.domain.repair.policy.normalisation import NormalisationPolicy
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE
from tests.effort import examples
from tests.unit.repair.builders import example

NONE: frozenset[str] = frozenset()
WORDS = ("freeze", "my", "card", "loan", "abroad", "please", "order 12", "order 13", "退款", "会员卡", "怎么")
prompts = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map("".join),
    st.sampled_from(["?!", "…", "Ｆｒｅｅｚｅ my card.", "  freeze   MY card "]),
)


def protected(prompt: str, kind: ProtectedKind = ProtectedKind.HELD_BACK, id: str = "p") -> ProtectedPrompt:
    return ProtectedPrompt(kind=kind, id=id, prompt=prompt)


def plan_of(
    rows: list[TrainingExample],
    kept_out: list[ProtectedPrompt],
    *,
    policy: RepairPolicy | None = None,
    vectors: tuple[np.ndarray, np.ndarray] | None = None,
) -> RepairPlan:
    n = len(rows)
    inputs, targets = vectors or (np.eye(max(n, 1), dtype=np.float32)[:n], np.zeros((0, 1), np.float32))
    material = PlanInputs(
        input_vectors=inputs,
        output_vectors=np.zeros((n, 4), dtype=np.float32),
        protected=kept_out,
        protected_vectors=targets,
    )
    return plan_repair(rows, material, policy or RepairPolicy())


def rules(plan: RepairPlan) -> list[tuple[str, str, Decision]]:
    return [(a.evidence["rule"], a.example_ids[0], a.decision) for a in plan.actions]


@settings(max_examples=examples(150))
@given(st.lists(prompts, max_size=12), st.lists(prompts, max_size=8), st.sampled_from([0.3, 0.7, 0.9, 1.0]))
def test_no_pair_that_comparing_all_with_all_finds_is_missed(
    asked: list[str], targets: list[str], threshold: float
) -> None:
    found = overlaps(asked, targets, NONE, threshold)
    for i, prompt in enumerate(asked):
        best = max((exact_jaccard(prompt, t) for t in targets), default=0.0)
        equal = any((text.normalised(prompt) or prompt) == (text.normalised(t) or t) for t in targets)
        if equal or best >= threshold:
            assert found[i].equal == equal


@settings(max_examples=examples(60))
@given(
    st.lists(prompts, min_size=1, max_size=14),
    st.lists(prompts, min_size=1, max_size=5),
    st.sampled_from([Approval.CONFIDENT, Approval.ALL]),
    st.booleans(),
    st.booleans(),
)
def test_no_held_back_row_survives_a_plan_that_is_applied(
    asked: list[str], held_back: list[str], approve: Approval, instructed: bool, normalise: bool
) -> None:
    instruction = "Name the topic." if instructed else ""
    rows = [
        example(f"ex_{i}", prompt, f"label {i % 2}", instruction=instruction)
        for i, prompt in enumerate(asked)
    ]
    plan = plan_of(
        rows,
        [protected(prompt) for prompt in held_back],
        policy=RepairPolicy(approve=approve, normalise=NormalisationPolicy.from_dict(normalise)),
    )
    ids = iter(f"new_{i}" for i in range(1000))
    applied = apply_actions(rows, plan.actions, new_id=lambda: next(ids))
    left = [row.example.prompt for row in applied.rows]
    known = known_instructions(rows)
    assert leaked(left, held_back, known) == {}


def test_a_rejected_duplicate_does_not_bring_a_held_back_row_back() -> None:
    rows = [example("a", "freeze my card", "x"), example("b", "freeze my card", "x")]
    plan = plan_of(rows, [protected("Freeze my card!")])
    assert rules(plan) == [
        ("leakage_equal", "a", Decision.APPROVED),
        ("leakage_equal", "b", Decision.APPROVED),
    ]


def test_the_reason_names_the_prompt_and_the_summary_counts() -> None:
    rows = [example("a", "how do i freeze my debit card abroad", "x"), example("b", "open a loan", "y")]
    plan = plan_of(
        rows,
        [
            protected("How do I freeze my debit card, abroad?", id="bc_1"),
            protected("open a loan", ProtectedKind.BAD_CASE, id="bc_2"),
        ],
    )
    (action,) = plan.actions
    assert (action.example_ids, action.evidence["of"]) == (("a",), "bc_1")
    assert "held-back case bc_1" in action.reason
    assert action.after == ()
    assert plan.summary["leakage"] == {
        "protected": {"held_back": 1, "bad_case": 1},
        "rows_of_held_back": 1,
        "rows_of_evaluation": 0,
        "rows_alike_in_meaning": 0,
        "rows_of_bad_cases_that_may_stay": 1,
    }
    json.dumps(plan.summary)
    json.dumps([a.evidence for a in plan.actions])


@pytest.mark.parametrize("kind", [ProtectedKind.EVALUATION, ProtectedKind.HELD_BACK])
def test_a_question_with_another_number_stays_and_nobody_is_asked(kind: ProtectedKind) -> None:
    rows = [
        example("same", "when does my order number 4711 arrive at home", "x"),
        example("other", "when does my order number 4712 arrive at home", "x"),
        *(example(f"far{i}", f"{word} something else", "y") for i, word in enumerate(WORDS)),
    ]
    kept_out = [protected("When does my order number 4711 arrive at home?", kind)]
    found = [rule for rule in rules(plan_of(rows, kept_out)) if rule[0].startswith("leakage")]
    assert found == [("leakage_equal", "same", Decision.APPROVED)]


def test_a_protected_question_in_another_frame_goes_and_the_reason_says_so() -> None:
    rows = [example("a", "Q: Which planet has the most moons? A:", "x"), example("b", "open a loan", "y")]
    (action,) = plan_of(rows, [protected("Which planet has the most moons?", id="bc_1")]).actions
    assert (action.example_ids, action.evidence["rule"], action.decision) == (
        ("a",),
        "leakage_framed",
        Decision.APPROVED,
    )
    assert "other words around the question" in action.reason


def test_an_evaluation_set_drawn_from_the_training_rows_takes_none_of_them_alone() -> None:
    rows = [example(f"ex_{i}", f"{word} question", f"{i}") for i, word in enumerate(WORDS)]
    plan = plan_of(
        rows,
        [protected(r.prompt, ProtectedKind.EVALUATION) for r in rows],
        policy=RepairPolicy(approve=Approval.ALL),
    )
    assert {a.decision for a in plan.actions if a.evidence["rule"].startswith("leakage")} == {
        Decision.PROPOSED
    }
    assert "drawn from them" in plan.actions[0].reason


def test_a_row_alike_in_meaning_is_proposed_unless_something_tells_it_apart() -> None:
    rows = [
        example("a", "my card should be blocked", "x"),
        example("b", "please do not block my card", "x"),
        example("c", "what is the weather", "y"),
    ]
    inputs = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    target = np.array([[0.95, np.sqrt(1 - 0.95**2)]], dtype=np.float32)
    plan = plan_of(
        rows,
        [protected("I want to block the card", ProtectedKind.EVALUATION, id="ev_1")],
        policy=RepairPolicy(approve=Approval.ALL),
        vectors=(inputs, target),
    )
    assert rules(plan) == [("leakage_meaning", "a", Decision.PROPOSED)]
    assert plan.actions[0].evidence["cosine"] == pytest.approx(0.95, abs=1e-3)
    assert plan.actions[0].score < CONFIDENT_SCORE


def test_a_vector_for_each_protected_prompt_or_none() -> None:
    with pytest.raises(ValueError, match="protected_vectors"):
        plan_of(
            [example("a", "x", "y")],
            [protected("p"), protected("q")],
            vectors=(np.eye(1, dtype=np.float32), np.eye(1, dtype=np.float32)),
        )


@pytest.mark.parametrize(
    ("instruction", "greeting", "asked"),
    [
        ("Name the intent.", "hi", ("freeze my card", "open a loan", "hi")),
        ("Name the intent of the message:", "thank you", ("freeze my card", "open a loan", "thank you")),
        ("判断用户的意图。", "你好", ("冻结我的卡", "我想贷款", "你好")),
    ],
)
def test_a_greeting_under_an_instruction_repeats_no_row_but_its_own(
    instruction: str, greeting: str, asked: tuple[str, ...]
) -> None:
    rows = [f"{instruction}\n{said}" for said in asked]
    assert set(leaked(rows, [f"{instruction}\n{greeting}"], frozenset({instruction}))) == {2}
