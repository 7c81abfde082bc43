"""Names of persons, only where a form's field or the sentence says that it is one: "联系人：张伟", "my name is
Jane Roe". A name in a story is no personal data, and nothing in a text tells the two apart otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch

_FIELDS_ZH = phrases.one_of("personal_data", "name", "zh")
_FIELDS = phrases.one_of("personal_data", "name", "en")
_SURNAMES = phrases.one_of("personal_data", "surname")
_CHINESE = re.compile(
    rf"(?:{_FIELDS_ZH})\s*[:：]?\s*(?P<name>(?:{_SURNAMES})[\u4e00-\u9fff]{{1,2}})"
    r"(?=[\s,，。；;、！!）)]|\Z|电话|手机|的)"
)
_WESTERN = re.compile(
    r"(?:\b[Mm]y (?:full )?name is"
    rf"|\b(?:{_FIELDS})\s?:)\s"
    r"(?P<name>(?:(?:Mr|Mrs|Ms|Dr)\.? )?[A-Z][a-z'’-]+(?: [A-Z]\.)?(?: [A-Z][a-zA-Z'’-]+){1,2})\b"
)


def _find(text: str) -> Iterator[PiiMatch]:
    for pattern, score in ((_CHINESE, 0.75), (_WESTERN, 0.75)):
        for match in pattern.finditer(text):
            if not match["name"].endswith("Doe"):
                yield PiiMatch(
                    kind=PiiKind.NAME, start=match.start("name"), end=match.end("name"), score=score
                )


DETECTOR = Detector(
    kind=PiiKind.NAME,
    trigger=re.compile(f"{_FIELDS_ZH}|name is|{_FIELDS}"),
    find=_find,
)
