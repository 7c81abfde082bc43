"""Rows as a trainer reads them: TRL's conversational prompt and completion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.mixing.curriculum import Curriculum
from app.domain.mixing.mixture import Mixture
from app.domain.records import TrainingExample


def trainable_row(example: TrainingExample, weight: float = 1.0) -> dict[str, Any]:
    """One row as messages: ``prompt``, ``completion``; ``rejected``, ``tools`` and ``weight`` where set."""
    row: dict[str, Any] = {
        "prompt": [message.as_dict() for message in example.prompt_messages],
        "completion": [example.messages[example.answer_at].as_dict()],
    }
    if example.rejected:
        row["rejected"] = [message.as_dict() for message in example.rejected]
    if example.tools is not None:
        row["tools"] = example.tools
    if weight != 1.0:
        row["weight"] = weight
    return row


def trainable_rows(mixture: Mixture, examples: Mapping[str, TrainingExample]) -> Iterator[dict[str, Any]]:
    """A mixture's rows in training order, a row that is seen n times written n times.

    In a shuffled mixture the repeats stand evenly apart (a row seen twice comes again half the set
    later); in a curriculum they stay where the row's difficulty puts them.
    """
    size = len(mixture.rows)
    spread = mixture.recipe.order is Curriculum.SHUFFLED
    places = [
        ((position + turn * size / row.repeat) % size if spread else position, position, turn)
        for position, row in enumerate(mixture.rows)
        for turn in range(row.repeat)
    ]
    for _, position, _ in sorted(places):
        row = mixture.rows[position]
        for step in examples[row.example_id].steps():
            yield trainable_row(step, row.weight)
