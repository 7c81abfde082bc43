from __future__ import annotations

import pytest

from app.domain.language import contrast_words


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("two", "three"),
        ("may", "june"),
        ("三", "四"),
        ("两", "三"),
        ("克", "斤"),
        ("元", "角"),
        ("天", "年"),
        ("he", "she"),
    ],
)
def test_words_of_one_kind_make_two_questions(left: str, right: str) -> None:
    assert contrast_words.tells((left,), (right,))
    assert contrast_words.tells((right,), (left,))


@pytest.mark.parametrize(("left", "right"), [("two", "may"), ("克", "元"), ("rome", "roma"), ("天", "三")])
def test_words_of_two_kinds_or_of_none_do_not(left: str, right: str) -> None:
    assert not contrast_words.tells((left,), (right,))


def test_ends_of_an_axis_and_other_signs_make_two_questions() -> None:
    assert contrast_words.tells(("freeze",), ("unfreeze",))
    assert contrast_words.tells(("+",), ("-",))
    assert not contrast_words.tells(("+",), ("+",))


@pytest.mark.parametrize(
    ("token", "beside", "expected"),
    [
        ("十", (" ", "八"), True),
        ("千", ("3", "米"), True),
        ("十", ("我", "的"), False),
        ("一", ("讲", "个"), False),
        ("的", ("3", "八"), False),
    ],
)
def test_a_numeral_counts_beside_a_number(token: str, beside: tuple[str, str], expected: bool) -> None:
    assert contrast_words.counts(token, beside) is expected


def test_one_negation_more_negates_and_two_do_not() -> None:
    assert contrast_words.negates(("不",), ("的",))
    assert not contrast_words.negates(("不", "不"), ("的",))
