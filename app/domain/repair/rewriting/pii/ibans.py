"""International bank account numbers (ISO 13616): the country's length and structure, and MOD 97-10."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")


def _find(text: str) -> Iterator[PiiMatch]:
    for match in _IBAN.finditer(text):
        # A word in capitals behind the number reads like one more group.
        shown = match.group()
        while shown and not iban.is_valid(shown):
            shown = shown.rpartition(" ")[0]
        if shown:
            end = match.start() + len(shown)
            yield PiiMatch(kind=PiiKind.IBAN, start=match.start(), end=end, score=0.99, certain=True)


DETECTOR = Detector(kind=PiiKind.IBAN, trigger=re.compile(r"[A-Z]{2}\d{2} ?[A-Z0-9]{4}"), find=_find)
