from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.answers.scoring import ScoringMethod, score_answer

LONG = (
    "You can return an unopened item to any of our shops within 30 days and you get your money back at once."
)


@pytest.mark.parametrize(
    ("output", "expected", "correct", "method"),
    [
        ("Uber.", "uber", True, ScoringMethod.EXACT),
        (" 退款 ", "退款", True, ScoringMethod.EXACT),
        ("credit limit", "credit limit change", False, ScoringMethod.EXACT),
        ("", "uber", False, ScoringMethod.EXACT),
        (LONG.replace("at once", "immediately"), LONG, True, ScoringMethod.WORD_F1),
        (LONG.replace("30", "14"), LONG, False, ScoringMethod.WORD_F1),
        (LONG.replace("can return", "can not return"), LONG, False, ScoringMethod.WORD_F1),
        ("Please ask in the shop.", LONG, False, ScoringMethod.WORD_F1),
        (LONG.replace("30 days", "thirty days"), LONG, True, ScoringMethod.EXACT),
        (LONG.replace("30 days", "thirteen days"), LONG, False, ScoringMethod.WORD_F1),
        (LONG.replace("opened", "damaged"), LONG, False, ScoringMethod.WORD_F1),
        ("five percent", "5 %", True, ScoringMethod.EXACT),
        ("six percent", "5 %", False, ScoringMethod.EXACT),
        ('{"b": [1, 2.0], "a": "x"}', '{"a": "x", "b": [1, 2]}', True, ScoringMethod.EXACT),
        ('{"b": [2, 1], "a": "x"}', '{"a": "x", "b": [1, 2]}', False, ScoringMethod.EXACT),
        (
            '<tool_call>{"name": "pay", "arguments": {"to": "Ann", "sum": 5}}</tool_call>',
            '{"name": "pay", "arguments": {"sum": 5, "to": "Ann"}}',
            True,
            ScoringMethod.EXACT,
        ),
        ("<think>Let me see.</think>\n\nuber", "Uber", True, ScoringMethod.EXACT),
    ],
)
def test_short_answers_must_be_equal_and_long_ones_may_vary_in_wording(
    output: str, expected: str, correct: bool, method: ScoringMethod
) -> None:
    scored = score_answer(output, expected)
    assert (scored.correct, scored.method) == (correct, method)
    assert scored.correct is False or scored.score >= 0.8


def test_worked_solutions_are_compared_by_their_final_answer() -> None:
    expected = (
        "She bought three and gave one back so two are left and each costs 12 coins in all.\nFinal answer: 24"
    )
    other_way = "Two items remain. Two times twelve makes twenty-four.\nFinal answer: 24"
    assert score_answer(other_way, expected).correct
    assert not score_answer(other_way.replace("24", "36"), expected).correct


def test_a_worked_solution_may_end_with_a_short_expected_answer() -> None:
    assert score_answer("Two times 12.\nFinal answer: 24", "24").correct
    assert not score_answer("I think it is\n24", "24").correct


def test_a_way_of_writing_that_is_asked_for_is_scored() -> None:
    assert not score_answer("lisbon", "LISBON", prompt="In capitals: lisbon").correct
    assert score_answer("lisbon", "Lisbon", prompt="What is the capital of Portugal?").correct


def test_any_alternative_will_do() -> None:
    assert score_answer("taxi", "uber", ("cab", "taxi")).correct


@given(st.text(max_size=80), st.text(max_size=80))
def test_scores_are_shares_and_an_equal_answer_is_right(output: str, expected: str) -> None:
    scored = score_answer(output, expected)
    assert 0 <= scored.score <= 1
    assert not expected.strip() or score_answer(expected, expected).correct
