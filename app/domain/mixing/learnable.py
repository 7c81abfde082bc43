"""Which rows a training may learn from as right, and which answers it learns to avoid.

Knows desirability (KTO), weights of turns (OpenAI) and pairs (DPO). Does not know recipes and tokens.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.domain.records import Message, TrainingExample, content_hash_of


class NotLearnt(StrEnum):
    """Why no answer of a row is learnt: ``undesired``, nobody should answer so; ``weight_zero``, its answers
    have weight 0."""

    UNDESIRED = "undesired"
    WEIGHT_ZERO = "weight_zero"


AS_REJECTED = "undesired_as_rejected"
"""Counted beside ``NotLearnt``: undesired answers that became the rejected side of a pair."""


def why_not_learnt(example: TrainingExample) -> NotLearnt | None:
    if example.desirable is False:
        return NotLearnt.UNDESIRED
    return None if example.steps() else NotLearnt.WEIGHT_ZERO


@dataclass(slots=True)
class Learnable:
    """Passes on the rows that are learnt from. An undesired answer to the very same prompt (turns and tools)
    becomes the rejected answer of a row that has none, each once; ``counts`` says what was left out and why.

    ``undesired`` has to be filled before, from the same rows: :meth:`from_rows` reads them once.
    """

    undesired: Mapping[str, list[Message]]
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def from_rows(cls, examples: Iterable[TrainingExample]) -> Learnable:
        by_prompt: defaultdict[str, list[Message]] = defaultdict(list)
        for example in examples:
            if example.desirable is False:
                by_prompt[_asked(example)].append(example.messages[example.answer_at])
        return cls(undesired=dict(by_prompt))

    def rows(self, examples: Iterable[TrainingExample]) -> Iterator[TrainingExample]:
        for example in examples:
            reason = why_not_learnt(example)
            if reason is None:
                yield self._paired(example)
            else:
                self.counts[reason.value] += 1

    def _paired(self, example: TrainingExample) -> TrainingExample:
        if example.rejected or not self.undesired:
            return example
        waiting = self.undesired.get(_asked(example), [])
        for place, turn in enumerate(waiting):
            if turn.compared != example.output:
                del waiting[place]
                self.counts[AS_REJECTED] += 1
                return replace(example, rejected=(turn,))
        return example


def left_out_in_words(counts: Mapping[str, int]) -> str:
    """What was left out, for a message; '' for nothing."""
    said = {
        "with an undesired answer": counts.get(NotLearnt.UNDESIRED.value, 0),
        "whose answers have weight 0": counts.get(NotLearnt.WEIGHT_ZERO.value, 0),
    }
    return ", ".join(f"{count} {name}" for name, count in said.items() if count)


def _asked(example: TrainingExample) -> str:
    turns = [[m.role.value, m.content, dict(m.extra)] for m in example.prompt_messages]
    return content_hash_of([turns, example.tools])
