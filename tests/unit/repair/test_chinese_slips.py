from __future__ import annotations

import pytest

from app.domain.repair import chinese_slips
from app.domain.repair.runs import Runs


def _reading(left: str, right: str) -> chinese_slips.Reading | None:
    runs = Runs.of([(left, right)])
    assert len(runs.places) == 1
    return chinese_slips.read(*runs.tokens[0], runs.places[0])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("我的手机怎么充值", "我的手几怎么充值"),  # half a word is left
        ("韩国明星在哪里", "韩国明国在哪里"),
        ("你的手机在哪里", "你的手在哪里"),  # a word lost a character
        ("小学生几点睡觉", "小学我生几点睡觉"),  # a word is broken
        ("支持成人学员报名", "支持成成学员报名"),  # a neighbour is repeated
    ],
)
def test_a_character_that_leaves_half_a_word_is_a_slip_on_either_side(left: str, right: str) -> None:
    for pair in ((left, right), (right, left)):
        reading = _reading(*pair)
        assert reading is not None
        assert chinese_slips.is_slip(reading)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("怎么查流量", "怎么刷流量"),
        ("去北京怎么走", "去南京怎么走"),
        ("我要看天气", "你要看天气"),
        ("这个东西怎么样", "这个东西怎么用"),  # what is left of the longer word is a word
        ("他叫张伟", "他叫张骉"),  # a rare character is a name
    ],
)
def test_another_word_is_no_slip_and_the_set_does_not_make_it_one(left: str, right: str) -> None:
    for pair in ((left, right), (right, left)):
        reading = _reading(*pair)
        assert reading is not None
        assert not chinese_slips.is_slip(reading)


def test_general_writing_contradicts_a_set_that_knows_the_less_likely_side() -> None:
    reading = _reading("我的手机", "我的手几")
    assert reading is not None
    assert chinese_slips.contradicts(reading, left_is_known=False)
    assert not chinese_slips.contradicts(reading, left_is_known=True)


def test_what_breaks_a_word_is_no_negation() -> None:
    broken, real = _reading("小学生几点睡觉", "小学不生几点睡觉"), _reading("我想买手机", "我不想买手机")
    assert broken is not None
    assert real is not None
    assert chinese_slips.breaks_a_word(broken, left=False)
    assert not chinese_slips.breaks_a_word(real, left=False)


def test_more_than_one_character_and_other_scripts_are_not_read() -> None:
    assert _reading("我的手机", "我的电脑") is None
    assert _reading("我的手机a", "我的手机b") is None
