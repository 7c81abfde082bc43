"""What a detector says: which symptom, the proof in one sentence, and the training row it points to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.domain.records import Symptom

_QUOTED_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomFinding:
    """``detail`` is one sentence that a person can check; ``example_id`` the row that the proof names."""

    symptom: Symptom
    detail: str
    example_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; ``example_id`` only where there is one."""
        named = {} if self.example_id is None else {"example_id": self.example_id}
        return {"symptom": self.symptom.value, "detail": self.detail, **named}


def quoted(said: str, limit: int = _QUOTED_CHARACTERS) -> str:
    """A text as a quotation on one line, cut in the middle where it is long. Storable: no lone surrogate."""
    line = " ".join(said[: 4 * limit].split() if len(said) <= 4 * limit else _ends(said, limit).split())
    if len(line) > limit:
        line = f"{line[: limit - limit // 3]}…{line[-(limit // 3) :]}"
    return f"'{line.encode('utf-8', 'replace').decode()}'"


def _ends(said: str, limit: int) -> str:
    return f"{said[: 2 * limit]} {said[-2 * limit :]}"


def listed(items: list[str] | tuple[str, ...], shown: int = 5) -> str:
    """'a, b and 3 more'."""
    head = ", ".join(items[:shown])
    rest = len(items) - shown
    return f"{head} and {rest} more" if rest > 0 else head
