"""Disputes settled by the policy's rules in their order, and the step that finds them among near-duplicates."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from app.domain.language import text
from app.domain.near_duplicates.grouping import PromptGroups
from app.domain.records import BadCase, TrainingExample
from app.domain.repair.apply import chosen_answer
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind, needs_answer
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE, Approval, RepairPolicy, ResolutionRule
from app.domain.repair.resolution import Resolution, ResolutionContext, disputes, majority, step
from tests.unit.repair.builders import bad_case, example

ASKED = "What is the return window?"
RULES = ResolutionRule


def rows(*outputs: str, dates: tuple[str, ...] = ()) -> list[TrainingExample]:
    made = [example(f"ex_{i}", ASKED, said) for i, said in enumerate(outputs)]
    return [replace(e, metadata={"date": d}) for e, d in zip(made, dates, strict=True)] if dates else made


def settled(
    examples: list[TrainingExample],
    sides: list[list[int]],
    *rules: ResolutionRule,
    approve: Approval = Approval.ALL,
    same_prompt: bool = True,
    from_model: Resolution | None = None,
) -> Draft:
    draft = Draft.of(examples, RepairPolicy(conflict=rules, approve=approve))
    context = ResolutionContext(measure_quality=lambda: np.linspace(0, 1, len(examples)))
    dispute = disputes.dispute_of(draft, sides)
    disputes.settle(
        draft, dispute, context, same_prompt=same_prompt, evidence={"found_by": "test"}, from_model=from_model
    )
    return draft


def test_the_largest_side_stands_first() -> None:
    draft = Draft.of(rows("a", "b", "b", "c"), RepairPolicy())
    made = disputes.dispute_of(draft, [[0], [3], [2, 1]])
    assert made.sides == ((2, 1), (0,), (3,))
    assert (made.question, made.answers) == (ASKED, ("b", "a", "c"))


def test_rows_in_error_go_where_the_words_are_the_same() -> None:
    draft = settled(rows("30 days", "30 days", "14 days"), [[0, 1], [2]], RULES.MAJORITY)
    (action,) = draft.actions
    assert (action.kind, action.example_ids, action.decision) == (
        ActionKind.DROP,
        ("ex_2",),
        Decision.APPROVED,
    )
    assert action.evidence["rule"] == "majority"
    assert action.evidence["of"] == "ex_0"
    assert action.evidence["found_by"] == "test"
    assert action.evidence["sides"] == [
        {"output": "30 days", "example_ids": ["ex_0", "ex_1"], "cases": 0},
        {"output": "14 days", "example_ids": ["ex_2"], "cases": 0},
    ]
    assert '2 of 3 say "30 days"' in action.reason


def test_rows_that_ask_in_other_words_get_the_right_answer_and_stay() -> None:
    draft = settled(rows("30 days", "30 days", "14 days"), [[0, 1], [2]], RULES.MAJORITY, same_prompt=False)
    (action,) = draft.actions
    assert (action.kind, action.example_ids) == (ActionKind.RELABEL, ("ex_2",))
    assert action.after[0]["messages"][-1]["content"] == "30 days"
    assert action.evidence["expected_output"] == "30 days"
    assert draft.resolved == {2}
    assert draft.dropped == set()


@pytest.mark.parametrize(
    ("rules", "rule", "gone"),
    [
        ((RULES.EXPECTED_OUTPUT, RULES.MAJORITY, RULES.NEWEST), "majority", "ex_2"),
        ((RULES.NEWEST, RULES.MAJORITY), "newest", "ex_0"),
        # no source is named, no judge is there: the next rule is tried
        ((RULES.SOURCE_PRIORITY, RULES.JUDGE, RULES.NEWEST), "newest", "ex_0"),
        ((RULES.BEST_QUALITY, RULES.MAJORITY), "best_quality", "ex_0"),
    ],
)
def test_the_first_rule_that_can_decide_does(rules: tuple[ResolutionRule, ...], rule: str, gone: str) -> None:
    dated = rows("30 days", "30 days", "14 days", dates=("2020-01-01", "2021-01-01", "2024-01-01"))
    draft = settled(dated, [[0, 1], [2]], *rules)
    assert {a.evidence["rule"] for a in draft.actions} == {rule}
    assert gone in {i for a in draft.actions for i in a.example_ids}


def test_a_dispute_that_no_rule_decides_is_left() -> None:
    assert settled(rows("30 days", "14 days"), [[0], [1]], RULES.MAJORITY, RULES.NEWEST).actions == []


def test_drop_takes_every_row_and_is_less_sure_the_fewer_sides_there_are() -> None:
    two = settled(rows("30 days", "14 days"), [[0], [1]], RULES.DROP)
    three = settled(rows("30 days", "14 days", "7 days"), [[0], [1], [2]], RULES.DROP)
    assert [a.example_ids for a in three.actions] == [("ex_0",), ("ex_1",), ("ex_2",)]
    assert {a.kind for a in three.actions} == {ActionKind.DROP}
    assert two.actions[0].score == 0.5 < three.actions[0].score


@pytest.mark.parametrize("same_prompt", [True, False])
@pytest.mark.parametrize("approve", list(Approval))
def test_what_a_person_is_asked_waits_whatever_the_policy(approve: Approval, *, same_prompt: bool) -> None:
    draft = settled(
        rows("30 days", "14 days"), [[0], [1]], RULES.ASK, approve=approve, same_prompt=same_prompt
    )
    (action,) = draft.actions
    assert action.kind is (ActionKind.MERGE if same_prompt else ActionKind.RELABEL)
    assert (action.decision, action.evidence["asks_person"]) == (Decision.PROPOSED, True)
    assert "please choose one" in action.reason
    assert draft.resolved == {0, 1}
    assert draft.dropped == set()


def test_a_rule_that_asks_waits_for_a_person_too() -> None:
    draft = settled(rows("30 days", "14 days"), [[0], [1]], RULES.BEST_QUALITY)
    (action,) = draft.actions
    assert (action.evidence["rule"], action.decision) == ("best_quality", Decision.PROPOSED)


def test_what_the_set_says_speaks_in_the_place_of_a_bare_majority_and_of_no_other_rule() -> None:
    from_model = Resolution(keep=1, score=0.9, because="it stands with others")
    sides = [[0, 1], [2]]
    by_set = settled(rows("30 days", "30 days", "14 days"), sides, RULES.MAJORITY, from_model=from_model)
    assert [a.example_ids for a in by_set.actions] == [("ex_0",), ("ex_1",)]
    assert all("it stands with others" in a.reason for a in by_set.actions)
    dated = rows("30 days", "30 days", "14 days", dates=("2024-01-01", "2024-01-01", "2020-01-01"))
    newest = settled(dated, sides, RULES.NEWEST, RULES.MAJORITY, from_model=from_model)
    assert [(a.example_ids, a.evidence["rule"]) for a in newest.actions] == [(("ex_2",), "newest")]
    asked = settled(
        rows("30 days", "30 days", "14 days"), sides, RULES.ASK, from_model=from_model, same_prompt=False
    )
    assert [a.example_ids for a in asked.actions] == [("ex_0", "ex_1")]
    assert asked.actions[0].score == 0.9


def grouped(examples: list[TrainingExample], *, compared: bool = False) -> Draft:
    """All rows are one group of near-duplicates; ``compared``: a model of contradictions has seen them."""
    draft = Draft.of(examples, RepairPolicy(approve=Approval.ALL))
    everything = tuple(range(len(examples)))
    draft.groups = PromptGroups(groups=(everything,), jaccards=dict.fromkeys(pairwise(everything), 0.9))
    draft.compared = set(everything) if compared else set()
    n = len(examples)
    step.propose(
        draft,
        PlanInputs(
            input_vectors=np.eye(max(n, 2), dtype=np.float32)[:n],
            output_vectors=np.zeros((n, 4), dtype=np.float32),
        ),
    )
    return draft


NEAR = [
    example("a", "Where is my parcel now?", "orders"),
    example("b", "Where is my parcel now", "orders"),
    example("c", "Where was my parcel now?", "refunds"),
]


def test_near_prompts_whose_answers_contradict_are_in_dispute() -> None:
    (action,) = grouped(NEAR).actions
    # "is" and "was" may ask two things: whoever approves everything is asked still, and the row is not lost.
    assert (action.kind, action.example_ids) == (ActionKind.RELABEL, ("c",))
    assert (action.decision, action.evidence["asks_person"]) == (Decision.PROPOSED, True)
    assert "please confirm that both ask the same" in action.reason


def test_prompts_an_operator_apart_are_in_no_dispute() -> None:
    assert grouped([example("a", "Is 7 = 5?", "No."), example("b", "Is 7 != 5?", "Yes.")]).actions == []


def test_rows_that_a_model_has_looked_at_are_disputed_only_in_the_very_same_words() -> None:
    assert grouped(NEAR, compared=True).actions == []
    assert text.normalised(NEAR[0].prompt) == text.normalised(NEAR[1].prompt)
    same = [*NEAR, example("d", "where is my PARCEL now", "refunds")]
    (action,) = grouped(same, compared=True).actions
    assert (action.kind, action.example_ids, action.evidence["rule"]) == (
        ActionKind.DROP,
        ("d",),
        "majority",
    )
    assert action.score < CONFIDENT_SCORE


def test_a_settled_group_is_left_alone_and_dropped_rows_have_no_say() -> None:
    draft = Draft.of(NEAR, RepairPolicy())
    draft.groups = PromptGroups(groups=((0, 1, 2),), jaccards={(0, 1): 0.9, (1, 2): 0.9})
    material = PlanInputs(
        input_vectors=np.eye(3, dtype=np.float32), output_vectors=np.zeros((3, 4), dtype=np.float32)
    )
    draft.resolved = {1}
    step.propose(draft, material)
    assert draft.actions == []
    draft.resolved, draft.dropped = set(), {2}
    step.propose(draft, material)
    assert draft.actions == []


@pytest.mark.parametrize("same_prompt", [True, False])
def test_no_side_is_proposed_where_nothing_speaks_for_one(*, same_prompt: bool) -> None:
    examples = rows(*["Returns cost 5 EUR"] * 3, *["Returns are free"] * 3)
    for sides in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        draft = settled(
            examples, sides, RULES.EXPECTED_OUTPUT, RULES.MAJORITY, RULES.ASK, same_prompt=same_prompt
        )
        (action,) = draft.actions
        assert action.after == ()
        assert needs_answer(action.kind, action.after)
        assert set(action.example_ids) == {e.id for e in examples}
        assert action.evidence["score_of"] == "that the rows contradict each other"
        assert all(f'"{said}" (3)' in action.reason for said in ("Returns cost 5 EUR", "Returns are free"))
        assert "of" not in action.evidence
        approved = replace(action, decision=Decision.APPROVED)
        assert [r.change for r in apply_actions(examples, [approved], new_id=lambda: "new").rows] == [
            None
        ] * 6


def test_a_question_takes_the_answer_that_a_person_gives() -> None:
    examples = rows(*["Returns cost 5 EUR"] * 2, *["Returns are free"] * 2)
    contents = {e.id: e.content() for e in examples}
    (asked,) = settled(examples, [[0, 1], [2, 3]], RULES.ASK, same_prompt=False).actions
    chosen = chosen_answer.with_answer(asked, "Returns are free", contents)
    assert chosen.example_ids == ("ex_0", "ex_1")
    assert {TrainingExample.from_content(c).output for c in chosen.after} == {"Returns are free"}
    assert "score_of" not in chosen.evidence
    (merged,) = settled(examples, [[0, 1], [2, 3]], RULES.ASK).actions
    (after,) = chosen_answer.with_answer(merged, "Returns cost 7 EUR", contents).after
    assert TrainingExample.from_content(after).output == "Returns cost 7 EUR"


def expecting(examples: list[TrainingExample], *cases: BadCase) -> ResolutionContext:
    draft = Draft.of(examples, RepairPolicy())
    vectors = np.ones((len(examples), 2), dtype=np.float32) / np.sqrt(2, dtype=np.float32)
    material = PlanInputs(
        input_vectors=vectors,
        output_vectors=vectors,
        cases=cases,
        case_vectors=vectors[:1].repeat(len(cases), 0),
    )
    return ResolutionContext.of(draft, material)


def test_bad_cases_that_expect_a_side_count_for_it_and_their_number_is_shown() -> None:
    examples = rows(*["Returns cost 5 EUR"] * 3, *["Returns are free"] * 3)
    cases = [bad_case(f"bc_{i}", ASKED.lower(), "no idea", "Returns are free.") for i in range(2)]
    draft = Draft.of(examples, RepairPolicy())
    dispute = disputes.dispute_of(draft, [[0, 1, 2], [3, 4, 5]])
    disputes.settle(draft, dispute, expecting(examples, *cases), same_prompt=True)
    assert {a.evidence["rule"] for a in draft.actions} == {"expected_output"}
    assert sorted(i for a in draft.actions for i in a.example_ids) == ["ex_0", "ex_1", "ex_2"]
    assert '2 bad cases that ask the same expect "Returns are free"' in draft.actions[0].reason
    assert [side["cases"] for side in draft.actions[0].evidence["sides"]] == [0, 2]


def test_a_majority_that_a_bad_case_speaks_against_is_no_majority() -> None:
    examples = rows(*["Returns cost 5 EUR"] * 9, "Returns are free")
    context = expecting(examples, bad_case("bc", ASKED, "no idea", "Returns are free"))
    draft = Draft.of(examples, RepairPolicy())
    dispute = disputes.dispute_of(draft, [list(range(9)), [9]])
    assert context.votes(dispute) == (0, 1)
    assert majority.resolve(dispute, context) is None


def test_a_case_that_asks_something_else_has_no_vote() -> None:
    examples = rows("Returns cost 5 EUR", "Returns are free")
    other = bad_case("bc", "What is the return window of 3 months?", "no idea", "Returns are free")
    dispute = disputes.dispute_of(Draft.of(examples, RepairPolicy()), [[0], [1]])
    assert expecting(examples, other).votes(dispute) == (0, 0)


def test_undesired_answers_are_no_side() -> None:
    bad = replace(example("x", NEAR[0].prompt, "refunds"), desirable=False)
    assert grouped([*NEAR[:2], bad]).actions == []
