"""US social security numbers: they have no check digit, so only where a word says what the number is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch, before

_NUMBER = re.compile(r"(?a)(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_CONTEXT = re.compile(r"\bssn\b|social security", re.IGNORECASE)


def _find(text: str) -> Iterator[PiiMatch]:
    for match in _NUMBER.finditer(text):
        if _CONTEXT.search(before(text, match.start(), 40)):
            yield PiiMatch(kind=PiiKind.SSN, start=match.start(), end=match.end(), score=0.93, certain=True)


DETECTOR = Detector(kind=PiiKind.SSN, trigger=re.compile(r"\d{3}-\d{2}-\d{4}"), find=_find)
