"""Phone numbers, by the numbering plans that phonenumbers (Google's libphonenumber) holds.

A country code, brackets, the groups of a plan or a word in front tell a phone number from any other one; eleven
bare digits in a calculation are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import COUNTED, Detector, PiiMatch, before, is_quantity

_CONTEXT = re.compile(
    rf"(?:\b(?:{phrases.one_of('personal_data', 'phone', 'en')})\b|{phrases.one_of('personal_data', 'phone', 'zh')})"
    r"[^\d\n$\\={}]{0,24}\Z",
    re.IGNORECASE,
)
_EXTENSION = r"(?:\s?(?:x|ext\.?|转)\s?\d{1,6})?"


@dataclass(frozen=True, slots=True)
class _Form:
    """``region`` None = the number names its country. ``valid``: whether the number must be one that the plan
    has given out; else its length is enough. ``bare`` numbers look like any other: they need a word."""

    pattern: re.Pattern[str]
    region: str | None
    score: float
    valid: bool = True
    bare: bool = False
    named_only: bool = False


_FORMS = (
    # +86 138 1234 5678, +44 (0)20 7946 0958, +1-202-555-0143x12
    _Form(
        re.compile(
            rf"(?a)(?<![\w+*/^=.)-])\+[1-9]\d{{0,2}}[\s.-]?(?:\(\d{{1,4}}\)|\d)"
            rf"(?:[ .()-]{{0,2}}\d){{5,13}}{_EXTENSION}(?!\w)"
        ),
        None,
        0.93,
        valid=False,
    ),
    _Form(
        re.compile(
            rf"(?a)(?<![\w+.-])(?<!\w\w[ -])00[1-9]\d{{0,2}}[ -]\d"
            rf"(?:[ .()-]{{0,2}}\d){{6,12}}{_EXTENSION}(?!\w)"
        ),
        "GB",
        0.85,
        valid=False,
    ),
    # mainland mobile
    _Form(re.compile(r"(?a)(?<![\w+.-])(?:86[- ]?)?1[3-9]\d([- ])\d{4}\1\d{4}(?![\w-])"), "CN", 0.93),
    _Form(re.compile(r"(?a)(?<![\w+.-])(?:86)?1[3-9]\d{9}(?!\w|\.\d|-\d)"), "CN", 0.9, bare=True),
    # mainland landline
    _Form(
        re.compile(
            r"(?a)(?<![\w+.-])(?:\(0\d{2,3}\)|（0\d{2,3}）|0\d{2,3}[- ])\d{7,8}(?![\w-])(?:转\d{1,5})?"
        ),
        "CN",
        0.88,
    ),
    # (202) 555-0143, 202-555-0143, 202.555.0143
    _Form(
        re.compile(
            rf"(?a)(?<![\w+.*/=-])(?:1[-. ])?\([2-9]\d{{2}}\) ?[2-9]\d{{2}}[-. ]\d{{4}}{_EXTENSION}(?![\w-])"
        ),
        "US",
        0.93,
        valid=False,
    ),
    _Form(
        re.compile(
            rf"(?a)(?<![\w+.*/=-])(?:(?:001|1)[-. ])?[2-9]\d{{2}}([-.])[2-9]\d{{2}}\1\d{{4}}{_EXTENSION}(?![\w-])"
        ),
        "US",
        0.88,
        valid=False,
    ),
    # anything that a word calls a phone number
    _Form(
        re.compile(rf"(?a)(?<![\w+.])\(?\d(?:[ .()-]{{0,2}}\d){{6,13}}{_EXTENSION}(?![\w])"),
        "US",
        0.75,
        valid=False,
        named_only=True,
    ),
)
# What nobody has: the numbers for fiction, and those that stand in for others (see surrogates.py).
_NOBODYS = re.compile(r"(?:001|1)?\d{3}55501\d\d|(?:[1-9]\d{0,2})?000\d*|999\d*|(?:86)?100\d{8}")
# Lines of companies and services, not of persons.
_SERVICES = frozenset(
    (
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
    )
)
_MIN_DIGITS = 7


def _find(text: str) -> Iterator[PiiMatch]:
    for form in _FORMS:
        for match in form.pattern.finditer(text):
            start, end = match.span()
            named = _CONTEXT.search(before(text, start, 40)) is not None
            if form.named_only and (
                not (named and _is_number_alone(match.group())) or COUNTED.match(text, end)
            ):
                continue
            if not named and (form.bare or form.region is None or form.region == "US"):
                if is_quantity(text, start, end):
                    continue
                if form.bare and not _stands_alone(text, start, end):
                    continue
            number = _number_of(match.group(), form)
            if number is None:
                continue
            score = form.score if named or not form.bare else 0.6
            certain = (named or form.region is None) and phonenumbers.is_valid_number(number)
            yield PiiMatch(kind=PiiKind.PHONE, start=start, end=end, score=score, certain=certain)


def _is_number_alone(shown: str) -> bool:
    """A date, a decimal or a price is no phone number even behind the word "call"."""
    digits = sum(c.isdigit() for c in shown)
    return digits >= _MIN_DIGITS and not re.fullmatch(
        r"(?:19|20)\d{2}[-. ]\d{1,2}[-. ]\d{1,2}(?: .*)?|\d+\.\d+|\d0{5,}", shown
    )


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Eleven bare digits between other numbers are a series."""
    around = before(text, start, 12) + text[end : end + 12].partition("\n")[0]
    return not re.search(r"\d", around)


def _number_of(shown: str, form: _Form) -> phonenumbers.PhoneNumber | None:
    """The number that is written; None where the form is not met, and for what nobody or a service has."""
    digits = without_extension(shown)
    if _NOBODYS.fullmatch(re.sub(r"\D", "", digits)):
        return None
    number = parsed(digits, form.region)
    if number is None:
        return phonenumbers.PhoneNumber() if form.named_only else None
    if phonenumbers.number_type(number) in _SERVICES:
        return None
    fits = form.named_only or (
        phonenumbers.is_valid_number(number) if form.valid else phonenumbers.is_possible_number(number)
    )
    return number if fits else None


def parsed(shown: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    digits = shown.replace("（", "(").replace("）", ")")
    if region == "GB":
        digits = f"+{digits[2:]}"
    elif region == "CN" and digits.startswith("86"):
        digits = f"+{digits}"
    elif region == "US" and digits.startswith("001"):
        digits = digits[2:]
    try:
        return phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None


def without_extension(shown: str) -> str:
    return re.split(r"\s?(?:x|ext|转)", shown, maxsplit=1)[0]


def national(shown: str) -> str:
    """The digits that a number has with and without its country code, for whatever is written like one."""
    digits = without_extension(shown)
    plain = re.sub(r"\D", "", digits)
    if digits.lstrip("(").startswith("+"):
        number = parsed(digits, None)
    elif plain.startswith("00"):
        number = parsed(f"+{plain[2:]}", None)
    elif re.fullmatch(r"(?:86)?1[3-9]\d{9}", plain):
        return plain[-11:]
    elif re.fullmatch(r"1?[2-9]\d{9}", plain):
        return plain[-10:]
    else:
        number = None
    return str(number.national_number) if number is not None else plain.lstrip("0") or plain


DETECTOR = Detector(kind=PiiKind.PHONE, trigger=re.compile(r"\d(?:[-. ()（）]{0,3}\d){6}"), find=_find)
