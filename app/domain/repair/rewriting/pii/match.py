"""What a detector of personal data finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiMatch:
    """``start`` to ``end`` of a text is personal data. ``score``: the estimated probability of it, 0..1.

    ``certain``: no person has to look. A check digit proves it, or its form alone says what it is: an address with
    an @, an issuer's mark on a key, a number of a numbering plan that names its country or stands behind a word for
    it. Never logged and never in a reason: the place tells the value to whoever holds the text.
    """

    kind: PiiKind
    start: int
    end: int
    score: float
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """``trigger`` matches every text in which ``find`` finds something, quickly."""

    kind: PiiKind
    trigger: re.Pattern[str]
    find: Callable[[str], Iterator[PiiMatch]]


# How far around a value the words that explain it are looked for.
_CONTEXT_BEFORE = 24


def before(text: str, start: int, characters: int = _CONTEXT_BEFORE) -> str:
    """What stands right in front of a value, on the same line."""
    return text[max(0, start - characters) : start].rpartition("\n")[2]


# Numbers that count, order and compute are nobody's: words and signs in front of such a number ...
NUMBER_OF_A_THING = re.compile(
    rf"(?:[-+*/×÷=^<>≤≥(,]\s?|\b(?:{phrases.one_of('personal_data', 'thing', 'en')})\b"
    r"\W{0,3}(?:is|was|no\.?|number|id)?\W{0,3}"
    rf"|(?:{phrases.one_of('personal_data', 'thing', 'zh')})[^\w]{{0,2}}号?[:：]?\s?)\Z",
    re.IGNORECASE,
)
# ... and units and signs behind it.
COUNTED = re.compile(
    rf"\s?(?:[-+*/×÷=^%‰<>]\s?\d|[%‰°²³]|{phrases.one_of('personal_data', 'unit', 'zh')}"
    rf"|(?:{phrases.one_of('personal_data', 'unit', 'en')})\b)",
    re.IGNORECASE,
)


def is_quantity(text: str, start: int, end: int) -> bool:
    """Whether a number at this place is counted or computed with, or names a thing."""
    return bool(NUMBER_OF_A_THING.search(before(text, start)) or COUNTED.match(text, end))
