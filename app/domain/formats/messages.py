"""Chat rows: ``messages: [{role, content}], tools?``, as OpenAI, LLaMA-Factory and TRL read them.

``tool_calls``, ``name``, ``weight`` and whatever else stands in a message are kept as they are.
"""

from __future__ import annotations

from typing import Any

from app.domain.formats.fields import (
    Format,
    ParsedRow,
    RowError,
    optional_text,
    parse_turns,
    source_id_and_metadata,
    with_id_and_metadata,
    with_system,
)
from app.domain.records import Message, TrainingExample

KEYS = frozenset({"messages", "tools", "system"})


def parse(row: dict[str, Any]) -> ParsedRow:
    if row.get("messages") is None:
        raise RowError("missing_prompt", "'messages' is missing; give the list of turns")
    source_id, metadata = source_id_and_metadata(row, KEYS)
    return ParsedRow(
        messages=with_system(optional_text(row, "system"), parse_turns(row["messages"], "messages")),
        tools=row.get("tools"),
        source_id=source_id,
        metadata=metadata,
    )


def render(example: TrainingExample) -> dict[str, Any]:
    body: dict[str, Any] = {"messages": [as_turn(m) for m in example.messages]}
    if example.tools is not None:
        body["tools"] = example.tools
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    return isinstance(row.get("messages"), list) and not {"chosen", "rejected"} <= row.keys()


def as_turn(message: Message) -> dict[str, Any]:
    return {"role": message.role.value, "content": message.content} | {
        key: value for key, value in message.extra.items() if key not in ("role", "content")
    }


MESSAGES = Format(name="messages", parse=parse, render=render, recognises=recognises)
