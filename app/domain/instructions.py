"""Task instructions of a training set: what stands before the part of a prompt that varies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from app.domain.language.text import INSTRUCTION_MIN_ROWS
from app.domain.records import TrainingExample

_INSTRUCTION_MIN_SHARE: Final = 0.02
"""Share of the prompts that must begin with the same first line before it counts as an instruction."""


def known_instructions(examples: Sequence[TrainingExample]) -> frozenset[str]:
    """Task instructions that stand before the part of a prompt that varies.

    What the rows' format says is one, where at least two rows carry it; and every first line that a
    large share of the prompts of two and more lines begin with.
    """
    declared = Counter(
        e.instruction for e in examples if e.instruction and len(e.instruction) < len(e.prompt)
    )
    first_lines = Counter(line for line in map(_first_line, (e.prompt for e in examples)) if line)
    enough = max(INSTRUCTION_MIN_ROWS, int(_INSTRUCTION_MIN_SHARE * len(examples)))
    return frozenset(
        [text for text, rows in declared.items() if rows >= INSTRUCTION_MIN_ROWS]
        + [line for line, rows in first_lines.items() if rows >= enough]
    )


def _first_line(prompt: str) -> str:
    head, newline, rest = prompt.partition("\n")
    return head if newline and rest.strip() else ""
