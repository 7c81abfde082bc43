"""What differs between two texts is found and named, in English and Chinese, one pair or many at once."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.language import pair_differences
from app.domain.language.pair_differences import DifferenceKind


def _kinds(left: str, right: str) -> list[DifferenceKind]:
    return [d.kind for d in pair_differences.between(left, right)]


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("Please freeze my card", "Please unfreeze my card", ("freeze", "unfreeze")),
        ("turn the lights on", "turn the lights off", ("on", "off")),
        ("how do I buy shares", "how do I sell shares", ("buy", "sell")),
        ("a train from Oslo to Bergen", "a train from Bergen to Oslo", ("oslo → bergen", "bergen → oslo")),
        ("怎么打开定位", "怎么关闭定位", ("打开", "关闭")),
        ("从广州到深圳的车票", "从深圳到广州的车票", ("广州 → 深圳", "深圳 → 广州")),
    ],
)
def test_a_request_turned_round_is_a_difference_of_direction(
    left: str, right: str, said: tuple[str, str]
) -> None:
    found = [d for d in pair_differences.between(left, right) if d.kind is DifferenceKind.DIRECTION]

    assert [(d.left, d.right) for d in found] == [said]


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("add 2 eggs", "add 3 eggs", DifferenceKind.NUMBER),
        ("加2个鸡蛋", "加3个鸡蛋", DifferenceKind.NUMBER),
        ("the rate for three years", "the rate for five years", DifferenceKind.NUMBER),
        ("三年期的利率", "五年期的利率", DifferenceKind.NUMBER),
        ("refunds are allowed", "refunds are not allowed", DifferenceKind.NEGATION),
        ("可以退款", "不可以退款", DifferenceKind.NEGATION),
        ("Where does Anna Smith live?", "Where does Bob Jones live?", DifferenceKind.ENTITY),
        ("《三体》是谁写的", "《活着》是谁写的", DifferenceKind.ENTITY),
        ("show my balance", "show my statement", DifferenceKind.WORDS),
    ],
)
def test_the_kind_of_a_difference_is_named(left: str, right: str, kind: DifferenceKind) -> None:
    assert _kinds(left, right)[0] is kind


def test_texts_that_read_the_same_differ_in_nothing() -> None:
    assert pair_differences.between("Freeze my card!", "freeze my card") == ()


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert DifferenceKind.NUMBER not in _kinds("send 1,200.0 dollars", "send 1200 dollars")
    assert DifferenceKind.NUMBER not in _kinds("send five dollars", "send 5 dollars")


def test_an_opposite_that_both_texts_hold_is_no_difference() -> None:
    assert DifferenceKind.DIRECTION not in _kinds("switch it on and off", "switch it off and on")


def test_many_pairs_at_once_say_what_single_pairs_say() -> None:
    pairs = [
        ("please freeze my card", "please unfreeze my card"),
        ("add 2 eggs", "add 3 eggs"),
        ("可以退款", "不可以退款"),
        ("从广州到深圳的车票", "从深圳到广州的车票"),
        ("show my balance", "show my statement"),
    ]
    readings = pair_differences.read([t for pair in pairs for t in pair])
    left = np.arange(0, 2 * len(pairs), 2)

    made = pair_differences.compare(readings, left, left + 1)

    for row, (a, b) in zip(made, pairs, strict=True):
        told = _kinds(a, b)
        for column, kind in (
            ("number_differs", DifferenceKind.NUMBER),
            ("negation_differs", DifferenceKind.NEGATION),
            ("direction_differs", DifferenceKind.DIRECTION),
        ):
            assert bool(row[pair_differences.COLUMNS.index(column)]) == (kind in told), (a, column)


def test_comparison_is_symmetric_and_bounded() -> None:
    texts = ["the cat sat", "a dog ran away fast", "", "猫坐着", "the cat sat down on 3 mats", "same", "same"]
    readings = pair_differences.read(texts)
    left, right = (i.ravel() for i in np.meshgrid(np.arange(len(texts)), np.arange(len(texts))))

    made = pair_differences.compare(readings, left, right)

    np.testing.assert_allclose(made, pair_differences.compare(readings, right, left), atol=1e-5)
    assert np.isfinite(made).all()
    shares = made[
        :, [pair_differences.COLUMNS.index(n) for n in ("words_shared", "shorter_contained", "order_shared")]
    ]
    assert shares.min() >= -1e-5
    assert shares.max() <= 1 + 1e-5


def test_word_order_alone_is_seen() -> None:
    readings = pair_differences.read(["老师喜欢学生", "学生喜欢老师", "老师喜欢学校"])
    column = pair_differences.COLUMNS.index("only_order_differs")

    made = pair_differences.compare(readings, np.array([0, 0]), np.array([1, 2]))

    assert made[:, column].tolist() == [1.0, 0.0]


def test_capitals_at_the_beginning_of_sentences_and_items_are_no_names() -> None:
    left = "Ask Bob today. Each has two beans.\nHow many? (A) one"
    right = "Ask Ann today. She has two beans.\nWhat now? (B) one"
    (entity,) = [d for d in pair_differences.between(left, right) if d.kind is DifferenceKind.ENTITY]
    assert (entity.left, entity.right) == ("bob", "ann")


def test_a_number_that_one_side_only_has_more_often_is_told() -> None:
    (number, *_) = pair_differences.between("3 boxes of 3 and 5 bags", "3 boxes and 5 bags")
    assert (number.kind, number.left, number.right) == (DifferenceKind.NUMBER, "3", "")
