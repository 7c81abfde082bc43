"""What a remedy looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable
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
    """A case's verdict. ``already_right``: the model output certainly equals the expected output; ``labelled``: the
    answers of its task are labels; ``answer_is_label``: its expected answer is a word or two that other rows have.
    ``nearest``: cosine of the nearest row, -1..1, None without rows; ``taught``: a row asks the same and answers as
    expected."""

    cause: RootCause
    symptoms: frozenset[Symptom]
    has_expected: bool
    already_right: bool
    labelled: bool = False
    answer_is_label: bool = False
    nearest: float | None = None
    taught: bool = False


class Remedy(Protocol):
    """A remedy is a module: its name, its page as docstring, and these."""

    @property
    def COST(self) -> Cost: ...

    @property
    def REASON(self) -> str | Callable[[Verdict], str]: ...

    @property
    def __name__(self) -> str: ...

    def applies(self, verdict: Verdict) -> bool:
        """Whether it is recommended."""
        ...
