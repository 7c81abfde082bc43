"""Numbers, amounts with units, dates and times of day, however they are written: "5 %", "five percent", 百分之五.

Every such expression is brought into one notation, in which equal things are equal texts and other things other
texts. English and Chinese; words and units are data (``data/quantities.toml``). What could mean two things
(3/4/2024, "at nine", 3.10 of a version) keeps the form that it has. Does not judge texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from app.domain.language import phrases, text

OPEN: Final = "⟦"
CLOSE: Final = "⟧"
"""Around what was brought into one notation."""

_DOCUMENT: Final = phrases.document("quantities")
_CJK: Final = re.compile(text.CJK_CHARACTER)


def _words(table: str, language: str) -> Mapping[str, int]:
    return _DOCUMENT[table].get(language, {})


_DIGITS, _TEENS, _TENS = _words("digits", "en"), _words("teens", "en"), _words("tens", "en")
_SCALES, _ORDINALS, _MONTHS = _words("scales", "en"), _words("ordinals", "en"), _words("months", "en")
_DAY_PARTS = _words("day_parts", "zh")
_HAN_DIGITS, _HAN_SCALES = _words("digits", "zh"), _words("scales", "zh")

VOCABULARY: Final = frozenset(
    [*_DIGITS, *_TEENS, *_TENS, *_SCALES, *_ORDINALS, "half", *_HAN_DIGITS, *_HAN_SCALES, "半"]
)
"""Tokens (``text.tokens``) of which a text without digits must hold one to hold a number."""


@dataclass(frozen=True, slots=True)
class _Unit:
    kind: str
    factor: Fraction


_UNITS: Final[Mapping[str, _Unit]] = {
    word: _Unit(unit["kind"], Fraction(unit["factor"]))
    for unit in _DOCUMENT["unit"]
    for word in unit["words"]
}
_FRONT: Final = ("US$", "USD", "EUR", "GBP", "CNY", "RMB", "JPY", "CHF", "INR", "$", "€", "£", "₹")


def _either(of: Any) -> str:
    return "|".join(re.escape(word) for word in sorted(of, key=lambda w: (-len(w), w)))


_WORD_UNITS = _either(w for w in _UNITS if w[0].isalpha() and not _CJK.match(w[0]))
_SIGN_UNITS = _either(w for w in _UNITS if not w[0].isalpha())
_HAN_UNITS = _either(w for w in _UNITS if _CJK.match(w[0]))
_LATIN_UNIT = rf"[ -]?(?:{_WORD_UNITS})(?![A-Za-z])"
_UNIT = rf"(?:[ ]?(?:{_SIGN_UNITS})|{_LATIN_UNIT}|[ ]?(?:{_HAN_UNITS}))"

# --- number words into digits ----------------------------------------------------------------------------------
_ENGLISH_WORD = _either([*_DIGITS, *_TEENS, *_TENS, *_SCALES])
_ENGLISH_RUN = re.compile(
    rf"(?<![\w-])(?:an? (?=(?:{_either(_SCALES)})\b))?(?:{_ENGLISH_WORD})(?:(?:[ -]|,? and |, )(?:{_ENGLISH_WORD}))*"
    rf"(?: point(?: (?:{_either(_DIGITS)}))+)?(?![A-Za-z])(?P<unit>{_LATIN_UNIT})?",
    re.IGNORECASE,
)
_HALF = re.compile(rf"\bhalf (?:an? )?(?={_WORD_UNITS})", re.IGNORECASE)
_HAN_HALF = re.compile(rf"半(?=个?(?:{_HAN_UNITS}))个?")
_ORDINAL = re.compile(
    rf"(?<![\w-])(?:(?P<tens>{_either(_TENS)})-)?(?P<one>first|second|{_either(_ORDINALS)})(?![\w-])", re.I
)
_HAN_NUMERAL = f"[{''.join([*_HAN_DIGITS, *_HAN_SCALES])}]"
_HAN_DIGIT = f"[{''.join(_HAN_DIGITS)}]"
_HAN_RUN = re.compile(
    rf"{_either(_DOCUMENT['idioms']['zh'])}|(?P<ratio>百分之|千分之)?"
    rf"(?P<whole>(?<![\d.]){_HAN_NUMERAL}+)(?:点(?P<part>{_HAN_DIGIT}+)(?!{_HAN_NUMERAL}|分))?(?P<unit>{_UNIT}|[月日号点])?"
    rf"(?P<counter>(?={_either(_DOCUMENT['counters']['zh'])}))?"
)
_RATIO = re.compile(r"(?P<ratio>百分之|千分之)(?P<number>\d+(?:\.\d+)?)")

# --- what is passed over, and what is brought into one notation ------------------------------------------------
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DIGIT_RUN = re.compile(r"\d+")
_MONTH = _either(_MONTHS)
_SCAN = re.compile(
    # where an expression may begin: most places of a text are none, and are passed over by this alone
    r"(?:(?<![A-Za-z0-9_])(?=[A-Za-z_`])|(?=[\d$€£₹第上下早清凌傍晚午\-−]))(?:"
    # names, addresses and versions: their digits are no numbers
    r"(?P<name>`[^`\n]+`|(?:https?|ftp)://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\d+(?:\.\d+){2,}|"
    r"[A-Za-z_]+[-_#.]?\d[\w-]*)"
    r"|(?P<iso>(?<!\d)(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})(?!\d))"
    r"|(?P<han>(?:(?P<y2>\d{4}) ?年 ?)?(?P<m2>\d{1,2}) ?月 ?(?P<d2>\d{1,2}) ?[日号])"
    rf"|(?P<named>(?P<m3>{_MONTH})\.? (?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y3>\d{{4}}))?\b)"
    rf"|(?P<turned>\b(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m4>{_MONTH})\b\.?(?:,? (?P<y4>\d{{4}})\b)?)"
    rf"|(?P<clock>(?:(?P<part>{_either(_DAY_PARTS)}) ?)?(?<![\d.:])(?P<h>\d{{1,2}})"
    r"(?:[:：](?P<min>\d{2})(?:[:：](?P<sec>\d{2}))?(?!\d)|点(?P<half>半)?(?:(?P<zmin>\d{1,2})分)?(?!\d)"
    r"|(?= ?[ap]\.?m\b| o['’]clock))(?: ?o['’]clock)?(?: ?(?P<ap>[ap])\.?m(?:\.|\b))?)"
    r"|(?P<ordinal>(?<![\w.])\d+(?:st|nd|rd|th)\b|第 ?\d+)"
    rf"|(?P<amount>(?:(?P<front>{_either(_FRONT)}) ?)?(?<!{text.WORD_CHARACTER})(?<![_.])(?P<sign>(?<![\w)\]%])[-−])?"
    rf"(?P<number>{_NUMBER})(?!\d)"
    r"(?:(?: |(?=[万亿]))(?P<scale>hundred|thousand|million|billion|trillion|万亿|万|亿)(?![A-Za-z]))?"
    rf"(?P<unit>{_UNIT})?))",
    re.IGNORECASE,
)


_RANGE = re.compile(rf"(?<={CLOSE}) ?([-/~]) ?(?={OPEN})")
_WEEKDAY = re.compile("(?:星期|礼拜)(?=[一二三四五六日天])|(?<=周)天|(?<=星期)天|(?<=礼拜)天")


def rewritten(of: str) -> str:
    """The text with every number, amount, date and time of day in one notation, between ``OPEN`` and ``CLOSE``."""
    return _RANGE.sub(r"\1", _SCAN.sub(_notation, in_digits(of)))


def found(of: str) -> tuple[str, ...]:
    """The numbers, amounts, dates and times of a text in that notation, in order. What only looks like a number
    (a name with a digit) is none."""
    return tuple(noted for m in _SCAN.finditer(in_digits(of)) if (noted := _notation(m)).startswith(OPEN))


def in_digits(of: str) -> str:
    """The text with its number words, English and Chinese, as digits; units stay as they are."""
    made = of
    if not made.isascii():
        made = _WEEKDAY.sub(lambda m: "日" if m[0] == "天" else "周", made)
        made = _HAN_RUN.sub(_han, _HAN_HALF.sub("0.5", made))
        made = _RATIO.sub(lambda m: f"{m['number']}{'%' if m['ratio'] == '百分之' else '‰'}", made)
    if _LATIN.search(made):
        made = _ENGLISH_RUN.sub(_english, _HALF.sub("0.5 ", made))
        made = _ORDINAL.sub(_ordinal, made)
    return made


_LATIN = re.compile(
    rf"\b(?:half|{_either([*_DIGITS, *_TEENS, *_TENS, *_SCALES, *_ORDINALS])})", re.IGNORECASE
)


def _ordinal(match: re.Match[str]) -> str:
    one = match["one"].lower()
    if one in ("first", "second"):
        if not match["tens"]:
            # "first of all", "a second"
            return match[0]
        value = 1 if one == "first" else 2
    else:
        value = _ORDINALS[one]
    return f"{_TENS[match['tens'].lower()] + value if match['tens'] else value}th"


def _english(match: re.Match[str]) -> str:
    """The digits of a run of number words; as it stands where it is no one number, or a lone "one" of no unit."""
    said, unit = match[0].lower(), match["unit"] or ""
    words = said[: len(said) - len(unit)]
    whole, _, part = words.partition(" point ")
    value = _english_value(re.findall(r"[a-z]+", whole))
    if value is None:
        return match[0]
    if words == "one" and not unit and match[0] != match.string.strip():
        return match[0]
    digits = "".join(str(_DIGITS[w]) for w in part.split())
    return f"{value}{'.' if digits else ''}{digits}{match[0][len(words) :]}"


def _english_value(words: list[str]) -> int | None:
    """The number that words say; None where they are several numbers, one after the other."""
    if not words:
        return None
    total, group, at, largest = 0, 0, 0, 10**15
    ready = words[0] not in ("a", "an")
    at += not ready
    group = 0 if ready else 1
    room = 10**15 if ready else 100
    for word in words[at:]:
        if word == "and":
            if not total and group < 100:
                return None
            continue
        if word in _SCALES:
            scale = _SCALES[word]
            if scale == 100:
                if not 0 < group < 10:
                    return None
                group, room = group * 100, 100
                continue
            if not group or scale >= largest:
                return None
            total, group, largest, room = total + group * scale, 0, scale, 1000
            continue
        value = _DIGITS.get(word, _TEENS.get(word, _TENS.get(word, -1)))
        if value < 0 or value >= room:
            return None
        group += value
        room = 10 if word in _TENS else 1
    return total + group


def _han(match: re.Match[str]) -> str:
    whole = match["whole"]
    if whole is None:  # an idiom
        return match[0]
    value = _han_value(whole)
    counted = bool(match["unit"] or match["ratio"] or match["part"])
    if value is None:
        return match[0]
    if len(whole) == 1 and not counted and match[0] != match.string.strip():
        # A lone numeral is part of a word (三体), but for one that counts something; 一个 is an article.
        counts = match["counter"] is not None and whole != "一" and whole not in _HAN_SCALES
        if not counts and match.string[match.start() - 1 : match.start()] not in ("第", "每"):
            return match[0]
    part = "".join(str(_HAN_DIGITS[c]) for c in match["part"] or "")
    return f"{match['ratio'] or ''}{value}{'.' if part else ''}{part}{match['unit'] or ''}"


def _han_value(numeral: str) -> str | None:
    """Digits; None for what is no numeral. 二〇二三 is read digit by digit, and 两三 (two or three) is none."""
    if not any(c in _HAN_SCALES for c in numeral):
        if len(numeral) == 1 or "〇" in numeral or "零" in numeral or len(numeral) > 3:
            return "".join(str(_HAN_DIGITS[c]) for c in numeral)
        return None
    total, section, digit, smallest = 0, 0, -1, 10**9
    # 两百五 is 250 and 一万二 12,000: what follows the last scale at once counts tenths of it.
    if numeral[-1:] in _HAN_DIGITS and _HAN_SCALES.get(numeral[-2:-1], 0) > 10 and numeral[-1] not in "零〇":
        tenths = _HAN_DIGITS[numeral[-1]] * _HAN_SCALES[numeral[-2]] // 10
        whole = _han_value(numeral[:-1])
        return None if whole is None else str(int(whole) + tenths)
    for c in numeral:
        if c in _HAN_DIGITS:
            if digit > 0:
                return None
            digit = _HAN_DIGITS[c]
            continue
        scale = _HAN_SCALES[c]
        if scale >= 10_000:
            if total + section + max(digit, 0) == 0:
                return None
            total, section, digit, smallest = (total + section + max(digit, 0)) * scale, 0, -1, 10**9
            continue
        if scale >= smallest or (digit < 0 and scale != 10):
            return None
        section, digit, smallest = section + (digit if digit > 0 else 1) * scale, -1, scale
    return str(total + section + max(digit, 0))


def _notation(match: re.Match[str]) -> str:
    if match["amount"]:
        return _amount(match)
    if match["name"]:
        return match[0]
    if match["clock"]:
        return _clock(match)
    if match["ordinal"]:
        return f"{OPEN}{int(_DIGIT_RUN.findall(match[0])[0])} th{CLOSE}"
    year, month, day = next(
        (match[y], match[m], match[d])
        for y, m, d in (("y1", "m1", "d1"), ("y2", "m2", "d2"), ("y3", "m3", "d3"), ("y4", "m4", "d4"))
        if match[d]
    )
    number = _MONTHS.get(month.lower()) or int(month)
    known = 1 <= number <= 12 and 1 <= int(day) <= 31
    return f"{OPEN}date {year or ''}-{number}-{int(day)}{CLOSE}" if known else match[0]


def _clock(group: re.Match[str]) -> str:
    hour = int(group["h"] or 0)
    minute = 30 if group["half"] else int(group["min"] or group["zmin"] or 0)
    second = int(group["sec"] or 0)
    if hour > 24 or minute > 59 or second > 59:
        return group[0]
    half_day = {"a": 0, "p": 12}.get((group["ap"] or "").lower(), _DAY_PARTS.get(group["part"] or ""))
    # Nine o'clock is in the morning or in the evening: without a word about it, it stays what it is.
    known = half_day is not None and hour <= 12
    if known:
        hour = hour % 12 + (half_day or 0)
    sure = known or hour == 0 or hour > 12
    return f"{OPEN}time {hour}:{minute:02}:{second:02}{'' if sure else '?'}{CLOSE}"


_LARGE: Final = {**_SCALES, "万": 10**4, "亿": 10**8, "万亿": 10**12}


def _amount(group: re.Match[str]) -> str:
    said, number = group[0], group["number"].replace(",", "")
    if len(number) > 1 and number[0] == "0" and number[1] != ".":
        return said  # a code: 007 is not 7
    if said.isdecimal():
        return f"{OPEN}{number}{CLOSE}"
    value = Fraction(Decimal(number)) * _LARGE.get((group["scale"] or "").lower(), 1)
    if group["sign"]:
        value = -value
    back = (group["unit"] or "").strip(" -")
    units = [_unit(word) for word in (group["front"] or "", back) if word]
    if None in units:
        # Gb is not GB, and M not m: what it is, is not known.
        return said
    if not units:
        # 3.10 may be a version: only a fraction of zeros is none.
        exact = value.denominator == 1 or group["scale"]
        return f"{OPEN}{value}{CLOSE}" if exact else f"{OPEN}{'-' if group['sign'] else ''}{number}{CLOSE}"
    known = [unit for unit in units if unit is not None]
    if len({unit.kind for unit in known}) > 1:
        return said
    return f"{OPEN}{value * known[-1].factor} {known[-1].kind}{CLOSE}"


def _unit(word: str) -> _Unit | None:
    """Words are read in any case; of symbols the case matters."""
    return _UNITS.get(word) or (_UNITS.get(word.lower()) if len(word) > 3 else None)
