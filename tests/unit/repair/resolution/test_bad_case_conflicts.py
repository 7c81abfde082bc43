"""Rows around a bad case that ask the same and answer otherwise; sides of a group."""

from __future__ import annotations

import numpy as np

from app.domain.repair.resolution.bad_case_conflicts import AnchoredConflict, anchored_conflicts, sides
from tests.unit.repair.builders import bad_case

CASE = bad_case("bc", "the card of alice is lost in rome", "call the bank", "block it in the app at once")


def _found(cosines: list[float], *, templates: bool) -> tuple[AnchoredConflict, ...]:
    """Rows that answer as the model did, at these cosines from the case."""
    n = len(cosines)
    vectors = np.zeros((n, 2), dtype=np.float32)
    vectors[:, 0] = cosines
    vectors[:, 1] = np.sqrt(1 - np.square(vectors[:, 0]))
    return anchored_conflicts(
        prompts=[f"the card of alice {'again ' * (i + 1)}is lost in rome" for i in range(n)],
        outputs=["call the bank"] * n,
        input_vectors=vectors,
        cases=[CASE],
        case_prompts=[CASE.prompt],
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
