"""Internet addresses of somebody: private, reserved and documentation ranges are nobody's (RFC 1918, 5737, 3849)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch, before

_V4 = re.compile(r"(?a)(?<![\w.\-/])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
_V6 = re.compile(r"(?a)(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])")
_VERSION = re.compile(
    rf"(?:\b(?:{phrases.one_of('personal_data', 'version', 'en')})"
    rf"|{phrases.one_of('personal_data', 'version', 'zh')})\W{{0,3}}\Z",
    re.IGNORECASE,
)


def _find(text: str) -> Iterator[PiiMatch]:
    for pattern in (_V4, _V6):
        for match in pattern.finditer(text):
            front = before(text, match.start(), 40)
            if _VERSION.search(front) or not _is_global(match.group()):
                continue
            named = phrases.pattern("personal_data", "ip").search(front) is not None
            # 1.2.3.4 may be the number of a section or of a version.
            small = pattern is _V4 and all(int(octet) < 30 for octet in match.group().split("."))
            if named or not small:
                yield PiiMatch(
                    kind=PiiKind.IP, start=match.start(), end=match.end(), score=0.9 if named else 0.75
                )


def _is_global(shown: str) -> bool:
    try:
        return ipaddress.ip_address(shown).is_global
    except ValueError:
        return False


DETECTOR = Detector(
    kind=PiiKind.IP,
    trigger=re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d|[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:"),
    find=_find,
)
