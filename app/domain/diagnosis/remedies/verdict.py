"""What a remedy looks at, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.domain.records import RootCause, Symptom


class Cost(StrEnum):
    """Order of magnitude: minutes of a person, an afternoon, a training run."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A case's verdict. ``already_right``: the model output agrees with the expected output; ``labelled``: the
    answers of its task are labels."""

    cause: RootCause
    symptoms: frozenset[Symptom]
    has_expected: bool
    already_right: bool
    labelled: bool = False


class Remedy(Protocol):
    """A remedy is a module: its name, its page as docstring, and these."""

    @property
    def COST(self) -> Cost: ...

    @property
    def REASON(self) -> str: ...

    @property
    def __name__(self) -> str: ...

    def applies(self, verdict: Verdict) -> bool:
        """Whether it is recommended."""
        ...
