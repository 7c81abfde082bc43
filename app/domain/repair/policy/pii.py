"""What a repair does about personal data."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_serializer

from app.domain.section import Section


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


class PiiPolicy(Section):
    """What is certain is taken out without a person (``mode``)."""

    mode: PiiMode = PiiMode.REDACT
    uncertain: Uncertain = Uncertain.KEEP_OUT
    """What becomes of a row while nobody has said whether what it holds is personal data."""
    kinds: Annotated[frozenset[PiiKind], Field(min_length=1)] = frozenset(PiiKind)

    @field_serializer("kinds")
    def _sorted(self, kinds: frozenset[PiiKind]) -> list[str]:
        return sorted(kind.value for kind in kinds)
