"""Prompt-completion rows: ``prompt, completion``, each a text or (as TRL has it) a list of turns."""

from __future__ import annotations

from typing import Any

from app.domain.formats import names
from app.domain.formats.errors import RowError
from app.domain.formats.fields import (
    Format,
    ParsedRow,
    answer_as_text,
    answer_text,
    parse_turns,
    plain_turns,
    source_id_and_metadata,
    with_id_and_metadata,
    wrong_type,
)
from app.domain.records import Message, Role, TrainingExample

KEYS = frozenset({"prompt", "completion", "tools"})


def parse(row: dict[str, Any]) -> ParsedRow:
    source_id, metadata = source_id_and_metadata(row, KEYS)
    return ParsedRow(
        messages=prompt_turns(row) + answer_turns(row, "completion"),
        tools=row.get("tools"),
        source_id=source_id,
        metadata=metadata,
    )


def render(example: TrainingExample) -> dict[str, Any]:
    answer = example.messages[example.answer_at]
    body: dict[str, Any] = {"prompt": example.prompt, "completion": answer_as_text(answer)}
    if example.tools is not None:
        body["tools"] = example.tools
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    # A prompt of turns is no Alpaca prompt, whatever its answer is called.
    return "prompt" in row and (
        "completion" in row or (type(row["prompt"]) is list and names.has(row, "completion", "completion"))
    )


def prompt_turns(row: dict[str, Any]) -> tuple[Message, ...]:
    """The turns under ``prompt``; a text is one user turn."""
    match row.get("prompt"):
        case list() as turns:
            return parse_turns(turns, "prompt")
        case str() as text if text and not text.isspace():
            return plain_turns([(Role.USER, text)])
        case None | str():
            raise RowError("missing_prompt", "'prompt' is missing or empty; give it or drop the row")
        case other:
            raise wrong_type("prompt", other, "text or a list of turns")


def answer_turns(row: dict[str, Any], key: str) -> tuple[Message, ...]:
    """The turns of the answer under ``key``; a text is one assistant turn."""
    value = row.get(key)
    if type(value) is not list:
        return plain_turns([(Role.ASSISTANT, answer_text(row, key))])
    if not value:
        raise RowError("missing_output", f"'{key}' is an empty list; give the answer or drop the row")
    return parse_turns(value, key)


COMPLETION = Format(name="completion", parse=parse, render=render, recognises=recognises)
