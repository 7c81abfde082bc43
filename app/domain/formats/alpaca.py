"""Alpaca rows: ``instruction, input, output, system?, history? [[question, answer]]`` (Taori et al. 2023).

The prompt is the instruction, a newline and the input; earlier turns stand in ``history``.
"""

from __future__ import annotations

from typing import Any

from app.domain.formats import names
from app.domain.formats.errors import RowError
from app.domain.formats.fields import (
    Format,
    ParsedRow,
    answer_as_text,
    answer_text,
    optional_text,
    source_id_and_metadata,
    with_id_and_metadata,
    wrong_type,
)
from app.domain.records import Message, Role, TrainingExample, render_prompt

KEYS = frozenset({"instruction", "input", "output", "system", "history"})


def parse(row: dict[str, Any]) -> ParsedRow:
    instruction = optional_text(row, "instruction")
    task_input = optional_text(row, "input")
    prompt = f"{instruction}\n{task_input}" if instruction and task_input else instruction or task_input
    if not prompt or prompt.isspace():
        raise RowError("missing_prompt", "'instruction' is missing or empty; give the prompt or drop the row")
    output = answer_text(row, "output")
    messages = [Message(role=Role.USER, content=prompt), Message(role=Role.ASSISTANT, content=output)]
    history = row.get("history")
    if history:
        messages = _history_turns(history) + messages
    system = optional_text(row, "system")
    if system:
        messages.insert(0, Message(role=Role.SYSTEM, content=system))
    # The split is that of the first user turn; with a history, the instruction stands in the last one.
    split = len(instruction) if instruction and task_input and not history else 0
    source_id, metadata = source_id_and_metadata(row, KEYS)
    return ParsedRow(
        messages=tuple(messages), instruction_length=split, source_id=source_id, metadata=metadata
    )


def render(example: TrainingExample) -> dict[str, Any]:
    turns = [m for m in example.prompt_messages if m.role is not Role.SYSTEM]
    history, prompt = _as_history(turns)
    instruction, task_input = _split(prompt, 0 if history else example.instruction_length)
    answer = answer_as_text(example.messages[example.answer_at])
    body: dict[str, Any] = {"instruction": instruction, "input": task_input, "output": answer}
    if example.system:
        body["system"] = example.system
    if history:
        body["history"] = history
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    if {"prompt", "completion"} <= row.keys() or any(key in row for key in ("chosen", "preferred_output")):
        return False
    if "instruction" in row:
        return True
    asked = names.has(row, "alpaca", "instruction") or names.has(row, "alpaca", "input")
    return asked and names.has(row, "alpaca", "output") and type(row.get("prompt")) is not list


def _history_turns(history: object) -> list[Message]:
    if type(history) is not list:
        raise wrong_type("history", history, "a list of [question, answer] pairs")
    turns: list[Message] = []
    for i, pair in enumerate(history):
        match pair:
            case [str() as question, str() as answer]:
                turns.append(Message(role=Role.USER, content=question))
                turns.append(Message(role=Role.ASSISTANT, content=answer))
            case _:
                raise RowError("wrong_type", f"'history[{i}]' must be a pair of texts: [question, answer]")
    return turns


def _as_history(turns: list[Message]) -> tuple[list[list[str]], str]:
    """Earlier turns as pairs and the last prompt; turns that do not alternate become one labelled prompt."""
    expected = [Role.USER if i % 2 == 0 else Role.ASSISTANT for i in range(len(turns))]
    if len(turns) % 2 == 1 and [m.role for m in turns] == expected:
        pairs = [[turns[i].content, turns[i + 1].content] for i in range(0, len(turns) - 1, 2)]
        return pairs, turns[-1].content
    return [], render_prompt(turns)


def _split(prompt: str, instruction_length: int) -> tuple[str, str]:
    task_input = prompt[instruction_length + 1 :]
    if 0 < instruction_length < len(prompt) and prompt[instruction_length] == "\n" and task_input:
        return prompt[:instruction_length], task_input
    return prompt, ""


ALPACA = Format(name="alpaca", parse=parse, render=render, recognises=recognises)
