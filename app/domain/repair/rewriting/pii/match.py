"""What a detector of personal data finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    r"(?:[-+*/×÷=^<>≤≥(,]\s?|\b(?:order|invoice|tracking|ticket|isbn|issn|doi|pmid|sku|serial|version|ver|v|section|id|"
    r"no|number|product|part|model|equals?|plus|minus|times|by|than|of)\b\W{0,3}(?:is|was|no\.?|number|id)?\W{0,3}"
    r"|(?:订单|单号|编号|运单|流水|序列|版本|学号|工号|书号|数字|数|得|约|为|加|减|乘|除以|第)[^\w]{0,2}号?[:：]?\s?)\Z",
    re.IGNORECASE,
)
# ... and units and signs behind it.
COUNTED = re.compile(
    r"\s?(?:[-+*/×÷=^%‰<>]\s?\d|[%‰°²³]|元|个|件|米|千克|公里|吨|人|次|万|亿|倍|(?:dollars?|meters?|metres?|km|kg|miles|people|units)\b)",
    re.IGNORECASE,
)


def is_quantity(text: str, start: int, end: int) -> bool:
    """Whether a number at this place is counted or computed with, or names a thing."""
    return bool(NUMBER_OF_A_THING.search(before(text, start)) or COUNTED.match(text, end))
