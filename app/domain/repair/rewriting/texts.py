"""The turns of a row replaced, its instruction kept where it still stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.rewriting.normalisation import normalise_text

# Percent of equal characters (Indel) from which a line is the instruction, rewritten.
_SAME_INSTRUCTION = 80


def with_turns(
    example: TrainingExample, messages: tuple[Message, ...], rejected: tuple[Message, ...]
) -> TrainingExample:
    """The same for other turns."""
    changed = replace(example, messages=messages, rejected=rejected)
    if example.instruction is not None and changed.instruction != example.instruction:
        return replace(changed, instruction_length=_instruction_length(example.instruction, messages))
    return changed


def _instruction_length(instruction: str, messages: Sequence[Message]) -> int:
    """Where the instruction ends in the first user turn, 0 where it is no longer in front."""
    first = next((m.content for m in messages if m.role is Role.USER), "")
    clean = normalise_text(instruction)
    if first.startswith(f"{clean}\n"):
        return len(clean)
    # Rewritten in another way: its lines are still the first ones.
    lines = instruction.count("\n") + 1
    head = "\n".join(first.split("\n")[:lines])
    return len(head) if head != first and fuzz.ratio(head, instruction) >= _SAME_INSTRUCTION else 0
