"""E-mail addresses (the common part of RFC 5322). Those of reserved domains and of offices (RFC 2142: support@,
billing@, noreply@) are nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch

_EMAIL = re.compile(
    r"(?a)(?<![A-Za-z0-9._%+/@-])[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}(?P<tld>[A-Za-z]{2,18})(?![A-Za-z0-9@]|-\w)"
)
# RFC 2606 and 6761: nobody's. Our own surrogates are among them.
_RESERVED = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.(?:com|net|org)|example|test|invalid|localhost)\Z", re.IGNORECASE
)
# "logo@2x.png" and its like are files.
_FILES = frozenset(
    (
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "pdf",
        "js",
        "ts",
        "css",
        "html",
        "py",
        "java",
        "txt",
        "json",
        "xml",
    )
)


def _find(text: str) -> Iterator[PiiMatch]:
    for match in _EMAIL.finditer(text):
        if match["tld"].lower() in _FILES or _RESERVED.search(match.group()) or _is_office(match.group()):
            continue
        yield PiiMatch(kind=PiiKind.EMAIL, start=match.start(), end=match.end(), score=0.97, certain=True)


def _is_office(address: str) -> bool:
    return address.partition("@")[0].casefold().replace("-", "") in phrases.listed(
        "personal_data", "mailboxes"
    )


DETECTOR = Detector(kind=PiiKind.EMAIL, trigger=re.compile(r"[A-Za-z0-9_+-]@[A-Za-z0-9]"), find=_find)
