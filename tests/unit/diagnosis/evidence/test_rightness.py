"""A bad case's output is right where that is certain, and a question where it merely looks so."""

import pytest

from app.domain.answers.certainty import Certainty
from app.domain.diagnosis.evidence import rightness
from app.domain.evidence import HardEvidence
from app.domain.records import BadCase, Message, Role


def case(said: str, expected: str | None, *alternatives: str, prompt: str = "When is it?") -> BadCase:
    turn = Message(role=Role.USER, content=prompt)
    return BadCase(
        id="bc", messages=(turn,), model_output=said, expected_output=expected, alternatives=alternatives
    )


def test_certainty_is_told_with_how() -> None:
    found = rightness.of_cases([case("at 6 pm", "At 18:00."), case("six", "seven", "Six"), case("x", None)])
    assert found.how == (Certainty.QUANTITY, Certainty.ALTERNATIVE, None)
    assert found.right.tolist() == [True, True, False]
    assert not found.looks_alike.any()


@pytest.mark.parametrize(
    ("said", "expected", "alike"),
    [
        (
            "In the week of the fair we ship every morning",
            "We ship every morning in the week of the fair",
            True,
        ),
        ("We ship every morning, thank you", "We ship every morning", True),
        ("We ship every evening", "We ship every morning", False),
        ("We ship on 3 May", "We ship on 4 May", False),
        ("The host pays the guest", "The guest pays the host", False),
        ("", "We ship every morning", False),
    ],
)
def test_what_looks_alike_is_not_right_and_is_told(said: str, expected: str, alike: bool) -> None:
    found = rightness.of_cases([case(said, expected)])
    assert found.how == (None,)
    assert found.looks_alike.tolist() == [alike]


def test_what_a_judge_takes_for_right_says_by_whom() -> None:
    right = rightness.by_judge(HardEvidence(looks_alike=True))
    assert (right.model_output_is_right, right.looks_alike, right.right_by) == (True, True, "judge")


def test_no_cases_are_no_error() -> None:
    assert rightness.of_cases([]).right.shape == (0,)
