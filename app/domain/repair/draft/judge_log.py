"""How a language model is asked about disputes, and what became of that; what it is asked stands elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from app.domain.records import Message

JUDGED_DISPUTES: Final = 200

AskJudge = Callable[[tuple[Message, ...]], str | None]
"""Sends messages to a language model; None where it gave no answer, or may not be asked any more."""


class Discarded(StrEnum):
    """Why an answer was thrown away."""

    NOT_JSON = "not_json"
    WRONG_FIELDS = "wrong_fields"
    UNKNOWN_ANSWER = "unknown_answer"
    QUOTE_NOT_SHOWN = "quote_not_shown"
    QUOTE_TELLS_NOTHING_APART = "quote_tells_nothing_apart"


@dataclass(slots=True, kw_only=True)
class JudgeLog:
    """Of one plan. ``asked`` disputes, of which ``answered`` got an answer that holds to the form; ``undecided`` of
    these names no right side. ``left``: disputes beyond the number that a plan asks about."""

    asked: int = 0
    answered: int = 0
    undecided: int = 0
    left: int = 0
    discarded: Counter[Discarded] = field(default_factory=Counter)

    def may_ask(self) -> bool:
        """Counts the question: a dispute is asked about, or left."""
        if self.asked >= JUDGED_DISPUTES:
            self.left += 1
            return False
        self.asked += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        most = JUDGED_DISPUTES
        return {
            "asked": self.asked,
            "answered": self.answered,
            "undecided": self.undecided,
            "discarded": {reason.value: n for reason, n in sorted(self.discarded.items())},
            "notes": [f"{self.left} disputes were not judged: a plan asks about {most} at most"]
            if self.left
            else [],
        }
