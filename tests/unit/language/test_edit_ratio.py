"""What counts as another question, and what as the same one in other clothes."""

import pytest

from app.domain.language import edit_ratio


def content_change(left: str, right: str) -> float:
    return edit_ratio.content_change(edit_ratio.words(left), edit_ratio.words(right))


PROBLEM = "Anna has 3 apples. Anna buys 5 more apples at the shop. How many apples does Anna have now?"


def test_other_names_punctuation_and_spaces_change_nothing() -> None:
    assert content_change(PROBLEM, PROBLEM.replace("Anna", "Wren").replace(".", " .")) == 0.0
    assert content_change("今天，天气怎么样？", "今天,天气怎么样") == 0.0


def test_other_numbers_and_another_question_are_other_content() -> None:
    assert content_change(PROBLEM, PROBLEM.replace("5", "7")) > 0
    other = PROBLEM.replace("How many apples does Anna have now?", "Who sold the apples, and when was that?")
    assert content_change(PROBLEM, other) > 0.2
    assert content_change("怎么冻结银行卡", "怎么解冻银行卡") > 0


def test_one_name_for_two_people_is_no_renaming() -> None:
    assert content_change("Anna met Ben and Anna left", "Wren met Ben and Cleo left") > 0


@pytest.mark.parametrize(("left", "right", "change"), [("", "", 0.0), ("", "a", 1.0), ("?!", "...", 0.0)])
def test_texts_without_words(left: str, right: str, change: float) -> None:
    assert content_change(left, right) == change


def test_a_megabyte_is_compared_by_head_and_tail() -> None:
    assert content_change("word " * 200_000, "word " * 200_000 + "end") < 0.05
