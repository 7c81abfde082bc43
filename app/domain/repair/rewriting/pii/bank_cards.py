"""Numbers of payment cards: the issuers' ranges and lengths (ISO/IEC 7812) and Luhn's check digit.

One number in ten passes Luhn by chance, so a bare one proves nothing: words or the printed groups do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch, before, is_quantity

_NUMBER = re.compile(r"(?a)(?<![\w.+-])\d(?:[ -]?\d){11,18}(?![\w]|[.,]\d|[ -]\d)")
_GROUPED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d{6}([ -])\d{13}")
_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|(?:2131|1800)\d{11}|62\d{14,17}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|(?:50|5[6-8]|6[0-9])\d{10,17}"
)


def _find(text: str) -> Iterator[PiiMatch]:
    for match in _NUMBER.finditer(text):
        shown = match.group()
        number = shown.replace(" ", "").replace("-", "")
        # No card begins with 0: such numbers stand in for others (see surrogates.py).
        if number.startswith("0") or len(set(number)) < 2 or not luhn.is_valid(number):
            continue
        named = phrases.pattern("personal_data", "bank_card").search(before(text, match.start(), 40))
        issued = _ISSUERS.fullmatch(number) is not None
        certain = issued and bool(named or _GROUPED.fullmatch(shown))
        bare = (
            issued
            and shown == number
            and len(number) >= 15
            and not is_quantity(text, match.start(), match.end())
        )
        # An issuer that we do not know, or no word that says what the number is: a person looks.
        if certain or bare or (named and len(number) >= 15):
            yield PiiMatch(
                kind=PiiKind.BANK_CARD,
                start=match.start(),
                end=match.end(),
                score=0.97 if certain else 0.55 if bare else 0.7,
                certain=certain,
            )


DETECTOR = Detector(kind=PiiKind.BANK_CARD, trigger=re.compile(r"\d(?:[ -]?\d){11}"), find=_find)
