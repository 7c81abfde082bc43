"""One notation for numbers, amounts, dates and times, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language.quantities import OPEN, found, rewritten


@pytest.mark.parametrize(
    "same",
    [
        ("5%", "5 %", "five percent", "5 per cent", "百分之五", "5.0%"),
        ("2.8 percent", "two point eight percent", "百分之二点八"),
        ("5 kg", "5000 g", "five kilograms", "五公斤", "5千克", "5,000 grams"),
        ("2 hours", "120 minutes", "两小时", "2个小时", "一百二十分钟"),
        ("half an hour", "30 minutes", "半小时", "半个小时", "三十分钟"),
        ("1 year", "12 months", "one year", "一年", "12个月"),
        ("$1,500", "1500 USD", "US$1500.00", "1.5 thousand dollars", "一千五百美元"),
        ("15000元", "1.5万元", "一万五千元", "CNY 15,000"),
        ("2024-03-07", "March 7, 2024", "7 March 2024", "7th of March 2024",
         "2024年3月7日", "二〇二四年三月七日"),
        ("18:00", "6 pm", "6 p.m.", "下午六点", "6:00 PM"),
        ("9:30 am", "上午九点半", "上午9点30分"),
        ("每次2片", "每次两片"),
        ("10:00-18:00", "10:00 - 18:00"),
        ("周日", "星期天", "礼拜日"),
        ("105", "one hundred and five", "一百零五"),
        ("300000", "three hundred thousand", "三十万", "300,000"),
        ("the 3rd floor", "the third floor"),
    ],
)  # fmt: skip
def test_equal_things_have_one_notation(same: tuple[str, ...]) -> None:
    assert len({rewritten(one) for one in same}) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("2.1 percent", "two point eight percent"),
        ("5 mg", "5 g"),
        ("9 am", "9 pm"),
        ("9 o'clock", "9 am"),
        ("5 GB", "5 Gb"),
        ("5 M", "5 m"),
        ("007", "7"),
        ("Python 3.10", "Python 3.1"),
        ("17 - 25", "-17 25"),
        ("5 percent", "5 percentage points"),
        ("三年", "五年"),
        ("1.5万元", "1.5元"),
        ("3/4/2024", "4/3/2024"),
        ("2024-03-07", "2024-07-03"),
        ("two three", "five"),
        ("v2", "2"),
    ],
)
def test_other_things_have_another(left: str, right: str) -> None:
    assert rewritten(left) != rewritten(right)


@pytest.mark.parametrize(
    "plain", ["one of them", "一定", "十分重要", "the second-best", "see FAQ-00012", "a@b.example"]
)
def test_what_counts_nothing_is_no_number(plain: str) -> None:
    assert found(plain) == ()
    assert rewritten(plain) == plain


@given(
    st.text(alphabet="0123456789.,-:/ 年月日点百分之十一二三半kgmp$%abn", max_size=30) | st.text(max_size=30)
)
def test_any_text_can_be_read(of: str) -> None:
    assert all(one.startswith(OPEN) for one in found(of))
    assert isinstance(rewritten(of), str)
