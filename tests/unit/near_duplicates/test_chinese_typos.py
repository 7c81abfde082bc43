from __future__ import annotations

import pytest

from app.domain.near_duplicates import chinese_typos
from app.domain.near_duplicates.chinese_typos import Side
from app.domain.near_duplicates.diff_runs import Runs


def _reading(left: str, right: str) -> chinese_typos.Reading | None:
    runs = Runs.of([(left, right)])
    assert len(runs.places) == 1
    return chinese_typos.read(*runs.tokens[0], runs.places[0])


@pytest.mark.parametrize(
    ("right", "slip"),
    [
        ("我的手机怎么充值", "我的手几怎么充值"),  # half a word is left
        ("他的公司在哪里", "他的公我在哪里"),
        ("你的手机在哪里", "你的手在哪里"),  # a word lost a character
        ("小学生几点睡觉", "小学我生几点睡觉"),  # a word is broken
        ("支持成人学员报名", "支持成成学员报名"),  # a neighbour is repeated
    ],
)
def test_a_character_that_leaves_half_a_word_is_a_slip(right: str, slip: str) -> None:
    for pair, side in (((slip, right), Side.LEFT), ((right, slip), Side.RIGHT)):
        reading = _reading(*pair)
        assert reading is not None
        assert reading.slip is side


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("怎么查流量", "怎么刷流量"),
        ("去北京怎么走", "去南京怎么走"),
        ("我要看天气", "你要看天气"),
        ("这个东西怎么样", "这个东西怎么用"),  # what is left of the longer word is a word
        ("他叫张伟", "他叫张骉"),  # a rare character is a name
        ("怎么办理取款业务", "怎么办理贷款业务"),  # both are words
        ("我要结婚了", "我要订婚了"),
        ("100毫秒是多少", "100毫米是多少"),
        ("我的手机坏了", "我的耳机坏了"),
        ("高血压怎么办", "血压怎么办"),  # so is what is left
        ("他是总经理吗", "他是经理吗"),
        ("车费多少", "车多少"),
    ],
)
def test_another_word_is_no_slip_by_itself(left: str, right: str) -> None:
    for pair in ((left, right), (right, left)):
        reading = _reading(*pair)
        assert reading is not None
        assert reading.slip is Side.NEITHER


def test_general_writing_contradicts_a_set_that_knows_the_less_likely_side() -> None:
    reading = _reading("我的手机", "我的手几")
    assert reading is not None
    assert chinese_typos.contradicts(reading, known=-5)
    assert not chinese_typos.contradicts(reading, known=0)
    assert not chinese_typos.contradicts(reading, known=5)


def test_where_what_is_left_is_a_word_general_writing_contradicts_any_set() -> None:
    reading = _reading("这个东西怎么样", "这个东西怎么用")
    assert reading is not None
    assert chinese_typos.contradicts(reading, known=5)


def test_what_breaks_a_word_is_no_negation() -> None:
    broken, real, lost = (
        _reading(*pair)
        for pair in (
            ("小学生几点睡觉", "小学不生几点睡觉"),
            ("我想买手机", "我不想买手机"),
            ("不能退货", "能退货"),
        )
    )
    assert broken is not None
    assert real is not None
    assert lost is not None
    assert chinese_typos.is_too_much(broken, left=False)
    assert not chinese_typos.is_too_much(real, left=False)
    assert not chinese_typos.is_too_much(lost, left=True)


@pytest.mark.parametrize(
    ("left", "right", "worse"),
    [
        (
            "江苏省有多少个市",
            "江苏别有多少个市",
            True,
        ),  # 江苏 alone is a word, and nobody writes what follows
        ("这个手机很好用吗", "这个手机不好用吗", False),
        ("明天都能退货吗", "明天不能退货吗", False),
        ("我想买手机", "我不想买手机", False),  # put in, not put in another's place
    ],
)
def test_a_negation_in_a_place_where_nobody_negates_reads_far_worse(
    left: str, right: str, worse: bool
) -> None:
    for pair, is_left in (((left, right), False), ((right, left), True)):
        reading = _reading(*pair)
        assert reading is not None
        assert chinese_typos.reads_worse(reading, left=is_left) is worse


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("我的手机", "我的电脑"),  # two characters
        ("我的手机a", "我的手机b"),
        ("ビルの写真を見せて", "ビールの写真を見せて"),
        ("예약이 가능한지 알려줘", "예약이 불가능한지 알려줘"),
        ("請告訴我怎麼買保險", "請告訴我怎麼買車保險"),  # traditional writing is not listed
    ],
)
def test_what_the_list_does_not_know_is_not_read(left: str, right: str) -> None:
    assert _reading(left, right) is None


def test_letters_beside_the_place_are_not_read() -> None:
    plain, beside = (
        _reading("的手机在", "的手几在"),
        _reading("x" * 2000 + "的手机在", "x" * 2000 + "的手几在"),
    )
    assert plain is not None
    assert beside == plain
