"""Numbers as people write them: in figures and in words, English and Chinese."""

from __future__ import annotations

from typing import Final

_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = (
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_CHINESE: Final = "零一二三四五六七八九"
_WIDE: Final = str.maketrans("0123456789%", "０１２３４５６７８９％")


def in_words(number: float | str) -> str:
    """English words of a number from 0 to 999, with decimals spoken one by one: 2.8 -> "two point eight"."""
    whole, _, decimals = str(number).partition(".")
    said = _whole_in_words(int(whole))
    return f"{said} point {' '.join(_ONES[int(d)] for d in decimals)}" if decimals else said


def _whole_in_words(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{_ONES[hundreds]} hundred" + (f" and {_whole_in_words(rest)}" if rest else "")


def in_chinese(number: float | str) -> str:
    """Chinese words of a number from 0 to 999: 2.8 -> 二点八, 15 -> 十五, 250 -> 二百五十."""
    whole, _, decimals = str(number).partition(".")
    said = _whole_in_chinese(int(whole))
    return f"{said}点{''.join(_CHINESE[int(d)] for d in decimals)}" if decimals else said


def _whole_in_chinese(number: int) -> str:
    if number < 10:
        return _CHINESE[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return ("" if tens == 1 else _CHINESE[tens]) + "十" + (_CHINESE[ones] if ones else "")
    hundreds, rest = divmod(number, 100)
    if not rest:
        return f"{_CHINESE[hundreds]}百"
    if rest < 10:
        return f"{_CHINESE[hundreds]}百零{_CHINESE[rest]}"
    tens, ones = divmod(rest, 10)
    return f"{_CHINESE[hundreds]}百{_CHINESE[tens]}十" + (_CHINESE[ones] if ones else "")


def full_width(text: str) -> str:
    """The figures and percent signs of a text in full width."""
    return text.translate(_WIDE)
