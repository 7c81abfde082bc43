"""Chinese resident ID numbers (GB 11643-1999): region, a date that exists, and ISO 7064 MOD 11-2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from stdnum.iso7064 import mod_11_2

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch, before

_NUMBER = re.compile(r"(?<![\dA-Za-z.])[1-8]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?![\dA-Za-z]|\.\d)")
# Numbers from before 1999 have two digits for the year and no checksum: only where a word says what it is.
_OLD = re.compile(r"(?<!\d)[1-8]\d{7}[01]\d[0-3]\d{4}(?!\d)")
# GB/T 2260: provinces.
_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")


def _find(text: str) -> Iterator[PiiMatch]:
    for match in _NUMBER.finditer(text):
        number = match.group().upper()
        if _PROVINCES.match(number) and _is_date(number[6:14]) and mod_11_2.is_valid(number):
            yield PiiMatch(
                kind=PiiKind.ID_CARD, start=match.start(), end=match.end(), score=0.99, certain=True
            )
    for match in _OLD.finditer(text):
        number = match.group()
        named = phrases.pattern("personal_data", "id_card").search(before(text, match.start()))
        if named and _PROVINCES.match(number) and _is_date(f"19{number[6:12]}"):
            yield PiiMatch(kind=PiiKind.ID_CARD, start=match.start(), end=match.end(), score=0.75)


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


DETECTOR = Detector(kind=PiiKind.ID_CARD, trigger=re.compile(r"\d{15}"), find=_find)
