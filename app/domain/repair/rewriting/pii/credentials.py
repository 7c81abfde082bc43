"""Keys and tokens: the prefixes by which their issuers mark them, private keys, and values behind a name for one.

Also inside code: a key that stands there opens as much as anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.match import Detector, PiiMatch

_MARKED = re.compile(
    r"(?a)(?<![\w-])(?:"
    r"sk-(?:proj-|ant-(?:api\d\d-)?|svcacct-)?[A-Za-z0-9_-]{20,200}"  # OpenAI, Anthropic
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,100}"  # Stripe
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"
    r"|glpat-[A-Za-z0-9_-]{20,64}|xox[abprs]-[A-Za-z0-9-]{10,250}|hf_[A-Za-z0-9]{30,40}|npm_[A-Za-z0-9]{36}"
    r"|AIza[A-Za-z0-9_-]{35}|LTAI[A-Za-z0-9]{12,24}|AKID[A-Za-z0-9]{32}"  # Google, Alibaba, Tencent
    r"|eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}"  # JWT
    r")(?![\w-])"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]{20,10000}?"
    r"-----END (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
)
_NAMED = re.compile(
    r"(?:api[_-]?key|secret(?:[_-]?(?:access)?[_-]?key)?|access[_-]?token|auth[_-]?token|bearer|passw(?:or)?d|密码|密钥|口令)"
    r"[\"']?\s*(?:[:：=]|是|is)?\s*[\"'“]?(?P<value>[A-Za-z0-9!@#$%^&*_+/=.~-]{8,200})",
    re.IGNORECASE,
)
# What stands in documentation: Amazon's keys, the token of jwt.io; keys of a sandbox open nothing.
DOCUMENTED = re.compile(
    r"EXAMPLE|eyJzdWIiOiIxMjM0NTY3ODkwIi|^[srp]k_test_|X{6}|x{6}|0{12}|1234567890abcdef|abcdef1234567890"
)
_PLACEHOLDER = re.compile(
    r"example|your|xxx|\*\*\*|\.\.\.|placeholder|changeme|token|secret|password|key", re.IGNORECASE
)


def _find(text: str) -> Iterator[PiiMatch]:
    for pattern, score in ((_PRIVATE_KEY, 0.98), (_MARKED, 0.95)):
        for match in pattern.finditer(text):
            if not DOCUMENTED.search(match.group()) and _is_random(match.group()):
                yield PiiMatch(
                    kind=PiiKind.CREDENTIAL, start=match.start(), end=match.end(), score=score, certain=True
                )
    for match in _NAMED.finditer(text):
        value = match["value"].rstrip(".,;!")
        if len(value) >= 8 and _is_random(value) and not _PLACEHOLDER.search(value):
            start = match.start("value")
            yield PiiMatch(kind=PiiKind.CREDENTIAL, start=start, end=start + len(value), score=0.7)


def _is_random(value: str) -> bool:
    """Letters and digits mixed, and few of them repeated: no word, no call of a function, no row of x."""
    letters = sum(c.isalpha() for c in value)
    digits = sum(c.isdigit() for c in value)
    mixed = digits >= 2 or (letters >= 20 and not value.isupper() and not value.islower())
    return letters >= 3 and mixed and len(set(value)) >= 6


DETECTOR = Detector(
    kind=PiiKind.CREDENTIAL,
    trigger=re.compile(
        r"[sr]k[-_]|pk_|A[KS]IA|A[RI][OD]A|gh[pousr]_|github_pat|glpat|xox|hf_|npm_|AIza|LTAI|AKID|eyJ|PRIVATE KEY|"
        r"(?i:api[_-]?key|secret|token|bearer|passw|密码|密钥|口令)"
    ),
    find=_find,
)
