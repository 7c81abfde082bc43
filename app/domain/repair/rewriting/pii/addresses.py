"""Postal addresses down to the door, Chinese and Western. A street alone is a place, and places are nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch, before

_HAN = "[\u4e00-\u9fff]"
_DOOR = r"(?:\d{1,5}(?:[-－]\d{1,4})?号?(?:院|楼|大院)?|[A-Za-z]座)"


def _one_of(table: str) -> str:
    return phrases.one_of("personal_data", table)


_INSIDE = (
    rf"(?:[,，\s]?(?:{_HAN}{{2,10}}(?:{_one_of('estate')}))?"
    rf"(?:[A-Za-z]?\d{{1,4}}[-－]?(?:{_one_of('inside')})[-－]?){{0,4}}(?:\d{{3,4}}(?!\d))?)"
)
_CHINESE = re.compile(
    rf"(?:(?P<region>{_HAN}{{2,8}}?(?:{_one_of('province')}))?(?P<city>{_HAN}{{1,6}}?(?:{_one_of('city')}))?"
    rf"(?P<district>{_HAN}{{1,6}}?(?:{_one_of('district')}))?)"
    rf"{_HAN}{{1,9}}?(?:{_one_of('road')})(?P<door>{_DOOR})(?P<inside>{_INSIDE})(?: ?\d{{6}}(?!\d))?"
)
# Words in front of a region that a greedy reading would take along.
_LEAD = re.compile(
    r"\A(?:.*?(?:地址|住址)(?:[是为:：]|改为|改成)?"
    r"|(?:我|他|她|您|你|我们|客户)?(?:们)?(?:家)?(?:现在?)?(?:住在?|位于|搬到了?|寄到|寄往|送到)"
    r"|(?:请|麻烦)?(?:把|将)?\w{0,4}?(?:寄到|寄往|送到|发到|寄给)|在|到|是)"
)

_UNIT = r"(?:[,\s]+(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Rm|#)\.?\s?#?\w{1,6})"
_TOWN = r"(?:[,\s]+(?:[A-Z][A-Za-z'.-]+ ?){1,4},\s?(?:[A-Z]{2}|[A-Z][a-z]+)\s+\d{5}(?:-\d{4})?)"
_NAMED = (
    rf"\d{{1,6}}[A-Za-z]?\s(?:[NSEW]\.?\s)?(?:[A-Z0-9][A-Za-z0-9'.-]*\s){{1,4}}(?:{_one_of('street')})\b\.?"
)
_WESTERN = re.compile(
    rf"(?<![\w$€£.,#-])(?:(?P<street>{_NAMED})(?P<unit>{_UNIT})?(?P<town>{_TOWN})?"
    rf"|\d{{1,6}}\s(?:[A-Z][A-Za-z'.-]+\s?){{1,4}}(?P<unit2>{_UNIT})?(?P<town2>{_TOWN})"
    r"|(?:PSC|Unit|US[A-Z]{1,3})\s[\w ]{1,30},?(?:\s(?:Box)\s\d{1,6})?\s(?P<military>(?:APO|FPO|DPO) A[AEP] \d{5}))"
)
_WESTERN_CONTEXT = re.compile(
    r"(?:address(?: is| to)?|lives? at|living at|reside[sd]? at|moved to"
    r"|(?:ship|shipped|deliver|delivered|mail) (?:it )?to)\W{0,3}\Z",
    re.IGNORECASE,
)


def _chinese(text: str) -> Iterator[PiiMatch]:
    for match in _CHINESE.finditer(text):
        start = match.start()
        lead = _LEAD.match(match.group())
        if lead and lead.end() < len(match.group()) - 4:
            start += lead.end()
        placed = sum(bool(match[part]) for part in ("region", "city", "district"))
        inside = bool(match["inside"].strip())
        named = phrases.pattern("personal_data", "address").search(text[max(0, match.start() - 12) : start])
        door = match["door"].endswith(("号", "院", "楼", "座"))
        if not (door or inside) or placed + inside + bool(named) < 1 or "示例" in match.group():
            continue
        if not (placed or named):
            continue
        score = 0.85 if placed + inside + bool(named) >= 2 else 0.65
        yield PiiMatch(kind=PiiKind.ADDRESS, start=start, end=match.end(), score=score)


def _western(text: str) -> Iterator[PiiMatch]:
    for match in _WESTERN.finditer(text):
        town = match["town"] or match["town2"] or match["military"]
        named = _WESTERN_CONTEXT.search(before(text, match.start(), 32))
        if not (town or match["unit"] or named) or "Example" in match.group():
            continue
        score = 0.9 if town and (match["street"] or match["unit2"] or match["military"] or named) else 0.7
        yield PiiMatch(kind=PiiKind.ADDRESS, start=match.start(), end=match.end(), score=score)


def _find(text: str) -> Iterator[PiiMatch]:
    yield from _chinese(text)
    yield from _western(text)


DETECTOR = Detector(
    kind=PiiKind.ADDRESS,
    trigger=re.compile(
        rf"(?:{_one_of('road')})(?:\d|[A-Za-z]座)|\d[A-Za-z]?\s(?:[A-Z0-9][\w'.-]*[,\s]+){{1,8}}(?:{_one_of('street')}|[A-Z]{{2}}\s\d{{5}})"
        r"|[AFD]PO A[AEP] \d"
    ),
    find=_find,
)
