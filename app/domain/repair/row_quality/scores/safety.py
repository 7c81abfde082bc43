"""Secrets that an output gives away: keys and passwords in the forms that services issue them in.

What it sees: private keys, access keys of well-known forms, tokens, a password or key written beside its value.
What it cannot see: harmful advice, bias, toxic wording, secrets without a form. Where nothing is seen the
component is left out: that is no proof of safety. Personal data is a step of its own.
"""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii import find_pii
from app.domain.repair.rewriting.pii.credentials import DOCUMENTED
from app.domain.repair.row_quality.defects.statistics import JudgedRows

_SECRET = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b"
    r"|\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\b[a-z][a-z0-9+.-]*://[^\s:/@]+:[^\s:/@]{3,}@"
)


def holds_secret(said: str) -> bool:
    """Whether a text gives a key away; not the ones that documentation shows."""
    if any(not DOCUMENTED.search(match.group()) for match in _SECRET.finditer(said)):
        return True
    return any(match.certain for match in find_pii(said, frozenset({PiiKind.CREDENTIAL})))


def score(rows: JudgedRows) -> Float64[ndarray, " n"]:
    return np.array([0.0 if holds_secret(output) else np.nan for output in rows.outputs], dtype=np.float64)
