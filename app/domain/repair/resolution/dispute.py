"""A dispute between training rows, and what a rule makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.records import TrainingExample

# How sure a rule is that the policy names (the newest row, the most trusted source): that it was chosen makes it
# confident, but dates and sources are right about documents, not about single rows.
RULE_SCORE: Final = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Rows that ask the same and contradict each other.

    ``sides``: rows of one side agree, largest side first; ``question`` is what they ask, ``answers[i]`` what
    side i says. ``examples[row]`` is the row.
    """

    question: str
    sides: tuple[tuple[int, ...], ...]
    examples: list[TrainingExample]

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(row for side in self.sides for row in side)

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(self.examples[side[0]].output for side in self.sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Side ``keep`` is right with probability ``score`` 0..1, ``because`` (a clause that a person reads).
    ``ask``: a person decides, whatever the policy. ``quote``: what a judge decided by. ``judged_words``: the rule has
    judged that rows which ask in other words ask the same; else only the very same words do without a person."""

    keep: int
    score: float
    because: str
    ask: bool = False
    quote: str = ""
    judged_words: bool = False
