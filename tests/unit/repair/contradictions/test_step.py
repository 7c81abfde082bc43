"""The step that finds rows which contradict each other without a bad case, and labels with two names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from app.domain.records import BadCase, TrainingExample
from app.domain.repair.contradictions import step
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import plan_repair
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import Approval, RepairPolicy
from tests.unit.repair.builders import bad_case, example

DIMENSIONS = 48
FILLERS = ("please", "now", "kindly", "today", "maybe", "thanks", "quickly", "again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    prompts: list[str]
    outputs: list[str]
    vectors: np.ndarray

    def examples(self) -> list[TrainingExample]:
        return [
            example(f"ex_{i}", prompt, said)
            for i, (prompt, said) in enumerate(zip(self.prompts, self.outputs, strict=True))
        ]


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def faq(rng: np.random.Generator, topics: int = 120, rows: int = 5) -> Rows:
    """Paraphrases of questions, in pairs of questions that are only alike; each has one answer."""
    pairs = np.repeat(rng.normal(size=(topics // 2, DIMENSIONS)), 2, axis=0)
    centres = pairs + 0.75 * rng.normal(size=(topics, DIMENSIONS))
    of = np.repeat(np.arange(topics), rows)
    vectors = _unit(centres[of] + 0.35 * rng.normal(size=(len(of), DIMENSIONS)))
    fillers = [rng.choice(FILLERS, 2, replace=False).tolist() for _ in of]
    return Rows(
        prompts=[
            f"{a} tell {b} about thing{t // 2} aspect{t}" for (a, b), t in zip(fillers, of, strict=True)
        ],
        outputs=[f"answer number {t:03d} of the desk" for t in of],
        vectors=vectors,
    )


def proposed(
    rows: Rows, policy: RepairPolicy | None = None, cases: Sequence[BadCase] = (), templates: bool = False
) -> Draft:
    draft = Draft.of(rows.examples(), policy or RepairPolicy())
    if templates:
        draft.templates = frozenset(draft.tasks)
    material = PlanInputs(
        input_vectors=rows.vectors,
        output_vectors=np.zeros((len(rows.prompts), 4), dtype=np.float32),
        cases=cases,
        case_vectors=np.zeros((len(cases), DIMENSIONS), dtype=np.float32),
    )
    step.propose(draft, material)
    return draft


@pytest.fixture(scope="module")
def planted() -> tuple[Rows, int, str]:
    """(rows, the one with a wrong answer, its right one)."""
    rows = faq(np.random.default_rng(0))
    row = 62
    right = rows.outputs[row]
    rows.outputs[row] = rows.outputs[5]
    return rows, row, right


def test_a_wrong_row_among_paraphrases_gets_the_answer_of_the_others(planted: tuple[Rows, int, str]) -> None:
    rows, row, right = planted
    draft = proposed(rows)
    (action,) = draft.actions
    assert (action.kind, action.example_ids) == (ActionKind.RELABEL, (f"ex_{row}",))
    assert action.after[0]["messages"][-1]["content"] == right
    assert action.evidence["rule"] == "majority"
    assert action.evidence["found_by"] == "rows"
    assert right in action.reason
    assert draft.compared == set(range(len(rows.prompts)))
    assert row in draft.resolved


def test_a_policy_may_leave_contradictions_alone(planted: tuple[Rows, int, str]) -> None:
    rows, _, _ = planted
    draft = proposed(rows, RepairPolicy(contradictions=False))
    assert (draft.actions, draft.compared, draft.notes) == ([], set(), {})


def test_a_set_without_contradictions_is_left_alone() -> None:
    assert proposed(faq(np.random.default_rng(1), topics=60)).actions == []


def test_a_template_filled_in_again_and_again_has_any_answer(planted: tuple[Rows, int, str]) -> None:
    rows, _, _ = planted
    draft = proposed(rows, templates=True)
    assert (draft.actions, draft.compared) == ([], set())


def test_letters_of_multiple_choice_questions_contradict_nothing() -> None:
    rng = np.random.default_rng(2)
    rows = faq(rng, topics=60)
    letters = rng.choice(list("ABCD"), len(rows.prompts)).tolist()
    draft = proposed(Rows(prompts=rows.prompts, outputs=letters, vectors=rows.vectors))
    assert (draft.actions, draft.notes["label_groups"]) == ([], [])


def test_a_task_of_few_rows_says_nothing() -> None:
    rows = faq(np.random.default_rng(3), topics=10)
    rows.outputs[7] = rows.outputs[30]
    assert proposed(rows).actions == []


def test_two_rows_that_contradict_each_other_alone_are_a_persons_to_decide() -> None:
    """Free answers, each its own: nothing says which of the two is in error."""
    rng = np.random.default_rng(4)
    vectors = _unit(rng.normal(size=(80, DIMENSIONS)))
    vectors[1] = vectors[0]
    prompts = [f"Tell the story of king{i} and his castle{i}" for i in range(80)]
    outputs = [f"It was long ago that king{i} lived in castle{i} by the river." for i in range(80)]
    prompts[0], outputs[0] = (
        "How many days does a refund take when an order is lost?",
        "The refund takes 5 days.",
    )
    prompts[1], outputs[1] = (
        "When an order is lost, how many days does a refund take?",
        "It takes 9 days in all.",
    )
    draft = proposed(
        Rows(prompts=prompts, outputs=outputs, vectors=vectors), RepairPolicy(approve=Approval.ALL)
    )
    (action,) = draft.actions
    assert action.evidence["rule"] == "ask"
    assert action.evidence["found_by"] == "answers"
    assert action.decision is Decision.PROPOSED
    assert draft.resolved == {0, 1}


def intents(rng: np.random.Generator) -> Rows:
    """Labels of one region each, but for book_flight and flight_booking, which share theirs."""
    names = {"book_flight": 0, "flight_booking": 0, "cancel_order": 1, "play_song": 2, "get_weather": 3}
    centres = 2.5 * rng.normal(size=(4, DIMENSIONS))
    outputs = [name for name in names for _ in range(24)]
    vectors = _unit(np.array([centres[names[o]] for o in outputs]) + rng.normal(size=(120, DIMENSIONS)))
    words = [[f"w{names[o]}x{i}" for i in rng.choice(12, 4, replace=False)] for o in outputs]
    prompts = [" ".join([*w, *rng.choice(FILLERS, 2)]) for w in words]
    return Rows(prompts=prompts, outputs=outputs, vectors=vectors)


def label_groups(draft: Draft) -> list[ProposedAction]:
    return [a for a in draft.actions if a.evidence["rule"] == "label_group"]


def test_two_names_of_one_label_are_proposed_for_unification() -> None:
    draft = proposed(intents(np.random.default_rng(5)), RepairPolicy(approve=Approval.ALL))
    (action,) = label_groups(draft)
    assert (action.kind, action.decision) == (ActionKind.RELABEL, Decision.PROPOSED)
    assert (len(action.example_ids), action.after) == (48, ())
    assert "expected_output" not in action.evidence
    assert "nothing speaks for one of them" in action.reason
    assert action.evidence["score_of"] == "that these answers are given to the same questions"
    assert action.evidence["labels"] == {"book_flight": 24, "flight_booking": 24}
    assert "ask the same things" in action.reason
    assert [g["labels"] for g in draft.notes["label_groups"]] == [["book_flight", "flight_booking"]]
    link = action.evidence["links"][0]
    assert {row["output"] for row in link["rows"]} == {"book_flight", "flight_booking"}


def test_the_name_that_bad_cases_expect_is_proposed() -> None:
    for right, wrong in (("book_flight", "flight_booking"), ("flight_booking", "book_flight")):
        cases = [bad_case("bc", "fly me there", wrong, right)]
        (action,) = label_groups(proposed(intents(np.random.default_rng(5)), cases=cases))
        assert action.evidence["expected_output"] == right
        assert {row["messages"][-1]["content"] for row in action.after} == {right}


def test_a_case_counts_for_the_name_it_expects_whatever_the_model_said() -> None:
    cases = [bad_case("bc", "fly me there", "no idea", "book_flight")]
    (action,) = label_groups(proposed(intents(np.random.default_rng(5)), cases=cases))
    assert action.evidence["expected_output"] == "book_flight"
    assert '1 bad case expects "book_flight": please confirm' in action.reason
    assert {side["output"]: side["cases"] for side in action.evidence["sides"]} == {
        "book_flight": 1,
        "flight_booking": 0,
    }


def test_labels_that_bad_cases_expect_in_each_others_place_are_two_things() -> None:
    cases = [
        bad_case("bc_1", "fly me there", "flight_booking", "book_flight"),
        bad_case("bc_2", "fly me back", "book_flight", "flight_booking"),
    ]
    draft = proposed(intents(np.random.default_rng(5)), cases=cases)
    assert label_groups(draft) == []
    assert draft.notes["label_groups"] == []


def test_a_whole_plan_mends_the_planted_row(planted: tuple[Rows, int, str]) -> None:
    rows, row, right = planted
    plan = plan_repair(
        rows.examples(),
        PlanInputs(
            input_vectors=rows.vectors,
            output_vectors=np.zeros((len(rows.prompts), 4), dtype=np.float32),
        ),
        RepairPolicy(quality=None, noise=False),
    )
    mended = [a for a in plan.actions if a.kind is ActionKind.RELABEL]
    assert [a.example_ids for a in mended] == [(f"ex_{row}",)]
    assert mended[0].after[0]["messages"][-1]["content"] == right
