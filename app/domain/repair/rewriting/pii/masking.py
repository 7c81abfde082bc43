"""How a value is shown where it may not be told: enough to find it again in its row, no more."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import assert_never

from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii import find_pii


def masked(kind: PiiKind, value: str) -> str:
    """138****1234, j***@g***, 张*: at most a few characters of the value."""
    match kind:
        case PiiKind.EMAIL:
            local, _, domain = value.partition("@")
            return f"{local[:1]}***@{domain[:1]}***"
        case PiiKind.PHONE:
            digits = "".join(c for c in value if c.isdigit())
            return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else f"***{digits[-2:]}"
        case PiiKind.ID_CARD | PiiKind.BANK_CARD | PiiKind.IBAN:
            return f"{value[:4]}****{value[-2:]}"
        case PiiKind.ADDRESS:
            return f"{value[:2]}***"
        case PiiKind.NAME | PiiKind.SSN | PiiKind.IP:
            return f"{value[:1]}***"
        case PiiKind.CREDENTIAL:
            return f"{value[:3]}***"
        case _:
            assert_never(kind)


def with_masks(text: str, kinds: AbstractSet[PiiKind]) -> str:
    """A text as reports show it: every value that a repair would take out in its masked form."""
    for match in reversed(find_pii(text, kinds)):
        shown = masked(match.kind, text[match.start : match.end])
        text = f"{text[: match.start]}{shown}{text[match.end :]}"
    return text
