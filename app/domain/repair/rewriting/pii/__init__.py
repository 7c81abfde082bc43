"""Personal data in texts: what is found, how it is shown without being told, and what stands in its place.

Precision first: a number in a calculation, an order, a date or a book's number is nobody's, and so is what stands in
documentation. What is certain (``PiiMatch.certain``) is taken out without a person, all else waits for one.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii import (
    addresses,
    bank_cards,
    credentials,
    emails,
    ibans,
    id_cards,
    ips,
    names,
    phones,
    ssns,
)
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch

# Where two claim the same characters, the earlier one has them.
DETECTORS: tuple[Detector, ...] = (
    credentials.DETECTOR,
    emails.DETECTOR,
    ibans.DETECTOR,
    id_cards.DETECTOR,
    bank_cards.DETECTOR,
    ssns.DETECTOR,
    addresses.DETECTOR,
    phones.DETECTOR,
    ips.DETECTOR,
    names.DETECTOR,
)


def find_pii(text: str, kinds: AbstractSet[PiiKind] = frozenset(PiiKind)) -> list[PiiMatch]:
    """The personal data of a text in order, no two overlapping."""
    found: list[PiiMatch] = []
    for detector in DETECTORS:
        if detector.kind in kinds and detector.trigger.search(text):
            for match in detector.find(text):
                if all(match.end <= other.start or other.end <= match.start for other in found):
                    found.append(match)
    return sorted(found, key=lambda match: match.start)
