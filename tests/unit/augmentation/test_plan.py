from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.domain.augmentation.plan import (
    AugmentationOptions,
    AugmentationPlan,
    StrategyName,
    complete_augmentation,
    plan_augmentation,
    why_unusable,
)
from app.domain.records import RecommendedAction, RootCause
from tests.unit.repair.builders import bad_case, example, finding

CASES = [
    bad_case("bc_ood", "how do i order a ride", "weather", "uber", instruction="Name it."),
    bad_case("bc_hard", "3 items at 12 each, one returned", "12", "24", instruction="Name it."),
    bad_case("bc_none", "no answer known", "x", None),
    bad_case("bc_serving", "served wrongly", "x", "y"),
]
WORKED = RecommendedAction(action="chain_of_thought", cost="medium", reason="teach the steps")
FINDINGS = [
    finding("bc_ood", RootCause.OOD),
    replace(finding("bc_hard", RootCause.HARD), recommended_actions=(WORKED,)),
    finding("bc_none", RootCause.OOD),
    finding("bc_serving", RootCause.SERVING_MISMATCH),
]
ROWS = [example("a", "is it raining", "weather", instruction="Name it.")]


def _plan(options: AugmentationOptions | None = None, **more: Any) -> AugmentationPlan:
    return plan_augmentation(
        cases=CASES,
        findings=FINDINGS,
        examples=more.pop("examples", ROWS),
        options=options or AugmentationOptions(llm_available=False),
        rng=np.random.default_rng(0),
        **more,
    )


def test_expected_answers_become_rows_and_the_notes_say_what_could_not_be_done() -> None:
    plan = _plan()
    assert [(r.of_case_id, r.example.output) for r in plan.rows] == [("bc_ood", "uber"), ("bc_hard", "24")]
    assert plan.rows[0].example.prompt == "Name it.\nhow do i order a ride"
    assert plan.rows[0].example.instruction == "Name it."
    said = " ".join(plan.notes)
    assert "1 cases have no expected output" in said
    assert "1 cases fail because of how they were served" in said
    assert "no language model is configured: paraphrase and chain_of_thought were not available" in said
    assert "no pool" in said
    assert plan.llm_requests == ()


def test_nothing_that_is_there_or_held_back_is_added() -> None:
    there = [example("b", "how do i order a ride", "uber", instruction="Name it.")]
    plan = _plan(examples=there, held_back_prompts=["Name it.\n3 items at 12 each, one returned!"])
    assert plan.rows == ()


def test_new_rows_carry_the_ids_they_are_given() -> None:
    ids = iter(["ex_1", "ex_2"])
    assert [r.example.id for r in _plan(new_id=lambda: next(ids)).rows] == ["ex_1", "ex_2"]
    named = [r.example.id for r in _plan().rows]
    assert named == [r.example.id for r in _plan().rows]
    assert len(set(named)) == 2


def test_surface_variants_are_made_on_demand() -> None:
    plan = _plan(
        AugmentationOptions(
            strategies=(StrategyName.SURFACE_VARIANTS,), variants_per_case=3, llm_available=False
        )
    )
    assert plan.counts == {"expected_answers": 2, "surface_variants": 6}


def test_pool_rows_come_from_near_the_uncovered_cases_only() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cases = np.zeros((len(CASES), 16), dtype=np.float32)
    cases[0], cases[1] = vectors[7], vectors[20]
    pool = [example(f"p{i}", f"pool question {i}", "uber") for i in range(60)]
    options = AugmentationOptions(strategies=(StrategyName.POOL,), pool_rows_per_case=2)
    plan = _plan(options, pool=pool, pool_vectors=vectors, case_input_vectors=cases)
    added = [r for r in plan.rows if r.strategy is StrategyName.POOL]
    assert added[0].example.prompt == "pool question 7"
    assert {r.of_case_id for r in added} == {"bc_ood"}


def test_a_language_model_s_answers_become_rows_after_filtering() -> None:
    plan = _plan(AugmentationOptions(llm_available=True))
    assert [(r.case_id, r.strategy.value) for r in plan.llm_requests] == [
        ("bc_ood", "paraphrase"),
        ("bc_hard", "chain_of_thought"),
    ]
    rows = complete_augmentation(
        plan,
        [
            '["I need someone to drive me home", "how do i order a ride?"]',
            "Two left.\n2 x 12\nFinal answer: 24",
        ],
    )
    by_strategy = {(r.of_case_id, r.strategy.value): r.example for r in rows}
    assert by_strategy[("bc_ood", "paraphrase")].prompt == "Name it.\nI need someone to drive me home"
    assert by_strategy[("bc_hard", "chain_of_thought")].output.endswith("24")
    # one prompt, one answer: the bare answer makes way for the worked one
    assert ("bc_hard", "expected_answers") not in by_strategy
    assert len(rows) == 3


def test_worked_steps_are_asked_for_only_where_the_finding_advises_them() -> None:
    plan = plan_augmentation(
        cases=CASES,
        findings=[*FINDINGS[:1], finding("bc_hard", RootCause.HARD), *FINDINGS[2:]],
        examples=ROWS,
        options=AugmentationOptions(llm_available=True),
        rng=np.random.default_rng(0),
    )
    assert [request.strategy for request in plan.llm_requests] == [StrategyName.PARAPHRASE]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('["I need someone to drive me home"]', None),
        ('{"texts": ["I need someone to drive me home"]}', None),
        ("<html><body>502 Bad Gateway</body></html>", "none of its texts"),
        ('["我想叫一辆车回家"]', "none of its texts"),
        ('["how do i order 3 rides", ""]', "none of its texts"),
    ],
)
def test_an_answer_of_which_no_row_comes_says_why(answer: str, why: str | None) -> None:
    plan = _plan(AugmentationOptions(llm_available=True))
    said = why_unusable(plan.llm_requests[0], answer, context=plan.context)
    assert said is None if why is None else why in str(said)
    worked = plan.llm_requests[1]
    assert why_unusable(worked, "IMPOSSIBLE", context=plan.context) is None
    assert "last line" in str(why_unusable(worked, "it is 24", context=plan.context))


def test_no_answer_from_the_language_model_leaves_the_offline_rows() -> None:
    plan = _plan(AugmentationOptions(llm_available=True))
    assert complete_augmentation(plan, [None, "I cannot do that"]) == plan.rows


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"strategy": []}, "no field 'strategy'"),
        ({"strategies": ["magic"]}, "'expected_answers'"),
        ({"strategies": "pool"}, "valid tuple"),
        ({"variants_per_case": -1}, "greater than or equal to 0"),
        ({"llm_available": 1}, "valid boolean"),
    ],
)
def test_options_from_outside_are_refused_with_the_fact_and_the_mend(raw: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AugmentationOptions.from_dict(raw)


def test_options_from_outside_are_read() -> None:
    options = AugmentationOptions.from_dict({"strategies": ["pool"], "pool_rows_per_case": 1})
    assert options == AugmentationOptions(strategies=(StrategyName.POOL,), pool_rows_per_case=1)


def test_a_case_that_should_call_a_tool_becomes_a_row_that_calls_it_as_the_rows_do() -> None:
    tools = [{"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}]
    called = {"tool_calls": [{"type": "function", "function": {"name": "book", "arguments": '{"seat": 4}'}}]}
    asked = example("t", "seat four please", "", instruction="Name it.")
    calling = replace(asked.messages[-1], extra=called)
    rows = [replace(asked, messages=(*asked.messages[:-1], calling), tools=tools)]
    case = bad_case("bc", "seat nine please", "no", '{"name": "book", "arguments": {"seat": 9}}')
    (added,) = plan_augmentation(
        cases=[case],
        findings=[finding("bc", RootCause.OOD)],
        examples=rows,
        options=AugmentationOptions(),
        rng=np.random.default_rng(0),
    ).rows
    assert added.example.tools == tools
    answer = added.example.messages[-1]
    assert answer.content == ""
    assert answer.extra["tool_calls"][0]["function"] == {"name": "book", "arguments": '{"seat": 9}'}


def test_an_undesired_row_of_the_pool_is_never_added() -> None:
    plans = []
    for desirable in (None, False):
        pool = [
            replace(example("p", "order me a ride now", "uber", instruction="Name it."), desirable=desirable),
            *(example(f"o{i}", f"weather {i}", "weather", instruction="Name it.") for i in range(40)),
        ]
        vectors = np.eye(len(pool) + 1, dtype=np.float32)[: len(pool)]
        plans.append(
            _plan(
                AugmentationOptions(strategies=(StrategyName.POOL,)),
                pool=pool,
                pool_vectors=vectors,
                case_input_vectors=np.tile(vectors[0], (len(CASES), 1)),
            )
        )
    by_pool = [[r.example.prompt for r in plan.rows if r.strategy is StrategyName.POOL] for plan in plans]
    assert ["Name it.\norder me a ride now" in prompts for prompts in by_pool] == [True, False]
