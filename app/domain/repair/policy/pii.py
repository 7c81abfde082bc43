"""What a repair does about personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.repair.policy.fields import check_fields, choice, names


class PiiKind(StrEnum):
    CREDENTIAL = "credential"
    EMAIL = "email"
    IBAN = "iban"
    ID_CARD = "id_card"
    BANK_CARD = "bank_card"
    SSN = "ssn"
    PHONE = "phone"
    IP = "ip"
    ADDRESS = "address"
    NAME = "name"


class PiiMode(StrEnum):
    """``redact``: the kind in brackets stands in its place. ``replace``: an invented value of the same shape, the
    same for the same value in all rows. ``off``: nothing is looked for."""

    REDACT = "redact"
    REPLACE = "replace"
    OFF = "off"


class Uncertain(StrEnum):
    """What becomes of a row while nobody has said whether what it holds is personal data. ``keep_out``: it is not
    trained on. ``stop``: nothing is, the cycle waits for the answer. ``keep``: it is trained on as it is."""

    KEEP_OUT = "keep_out"
    STOP = "stop"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiPolicy:
    """What is certain is taken out (``mode``) without a person; ``uncertain`` says what becomes of the rest."""

    mode: PiiMode = PiiMode.REDACT
    uncertain: Uncertain = Uncertain.KEEP_OUT
    kinds: frozenset[PiiKind] = frozenset(PiiKind)

    @classmethod
    def from_dict(cls, raw: object) -> PiiPolicy:
        """Validate the section from outside; a ValueError says what is wrong and how to fix it."""
        if not isinstance(raw, Mapping):
            raise ValueError(f'policy.pii is {raw!r}; give {{"mode": "redact"}}, "replace" or "off"')
        check_fields(raw, cls.__dataclass_fields__, "policy.pii")
        kinds = raw.get("kinds", list(PiiKind))
        if not isinstance(kinds, list | tuple) or not kinds:
            raise ValueError(f"policy.pii.kinds is {kinds!r}; give a list of {names(PiiKind)}")
        return cls(
            mode=choice(PiiMode, raw.get("mode", PiiMode.REDACT), "pii.mode"),
            uncertain=choice(Uncertain, raw.get("uncertain", Uncertain.KEEP_OUT), "pii.uncertain"),
            kinds=frozenset(choice(PiiKind, kind, "pii.kinds") for kind in kinds),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "mode": self.mode.value,
            "uncertain": self.uncertain.value,
            "kinds": sorted(kind.value for kind in self.kinds),
        }
