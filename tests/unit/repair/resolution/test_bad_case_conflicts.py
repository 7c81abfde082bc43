"""Rows around a bad case that ask the same and answer otherwise; sides of a group."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.near_duplicates.asked_questions import without_label
from app.domain.records import BadCase
from app.domain.repair.resolution.bad_case_conflicts import AnchoredConflict, anchored_conflicts, sides
from tests.unit.repair.builders import bad_case

CASE = bad_case("bc", "the card of alice is lost in rome", "call the bank", "block it in the app at once")


def _found(
    cosines: list[float], *, templates: bool, prompts: list[str] | None = None, case: BadCase = CASE
) -> tuple[AnchoredConflict, ...]:
    """Rows that answer as the model did, at these cosines from the case."""
    n = len(cosines)
    vectors = np.zeros((n, 2), dtype=np.float32)
    vectors[:, 0] = cosines
    vectors[:, 1] = np.sqrt(1 - np.square(vectors[:, 0]))
    return anchored_conflicts(
        prompts=prompts or [f"the card of alice {'again ' * (i + 1)}is lost in rome" for i in range(n)],
        outputs=[case.model_output] * n,
        input_vectors=vectors,
        cases=[case],
        case_prompts=[case.prompt],
        case_vectors=np.array([[1, 0]], dtype=np.float32),
        agreements={},
        example_ids=[f"ex_{i}" for i in range(n)],
        systems=[""] * n,
        shown=[frozenset()],
        labels=frozenset(),
        judged=frozenset(),
        same_question_cosine=0.8,
        templates=frozenset(range(n)) if templates else frozenset(),
    )


CROWD = [0.9] * 8 + [0.89] * 8 + [0.85] * 8


def test_rows_of_a_template_are_all_alike_and_ask_other_things() -> None:
    assert len(_found(CROWD, templates=False)) == 8
    assert _found(CROWD, templates=True) == ()


def test_a_row_that_stands_out_of_its_template_asks_the_same() -> None:
    (conflict,) = _found([0.99, *CROWD], templates=True)
    assert (conflict.row, conflict.case, conflict.same_prompt) == (0, 0, False)
    assert conflict.score >= 0.8


def test_a_set_too_small_for_a_crowd_is_judged_by_the_cosine_alone() -> None:
    assert [c.row for c in _found([0.9, 0.7], templates=True)] == [0]


def test_two_wordings_stand_on_one_side_and_what_is_neither_stands_on_none() -> None:
    prompt = "Who signs it?"
    outputs = ["the board", "The board.", "the owner", "", "the board of the firm"]
    assert sides(range(5), [prompt] * 5, outputs, frozenset()) == [[0, 1], [2]]
    assert sides([], [], [], frozenset()) == []


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        ('Question: "No fan of A is a fan of B."\nOptions:\n- valid\n- invalid', None),
        ("选择题：“没有人是坏的。”以下哪项正确？\nA.甲的话\nB.乙的话", None),
        (
            "小王：“说不上好．”小马：“我没有说坏．”谁说得对？",
            "小王：“说不上好。”小马：“我没有说坏。”谁说得对？",
        ),
    ],
)
def test_neither_a_label_in_front_nor_another_full_stop_hides_the_row_that_taught_the_error(
    row: str, asked: str | None
) -> None:
    case = bad_case("bc", asked or without_label(row), "invalid", "valid")
    (conflict,) = _found([0.95], templates=False, prompts=[row], case=case)
    assert conflict.score >= 0.8
    assert (
        _found([0.95], templates=False, prompts=[row.replace("坏", "错").replace("B", "C")], case=case) == ()
    )
