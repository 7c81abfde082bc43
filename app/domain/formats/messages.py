"""Chat rows: ``messages: [{role, content}], tools?``, as OpenAI, LLaMA-Factory and TRL read them.

``tool_calls``, ``name``, ``weight`` and whatever else stands in a message are kept as they are.
"""

from __future__ import annotations

from typing import Any

from app.domain.formats import names
from app.domain.formats.errors import RowError
from app.domain.formats.fields import (
    Format,
    ParsedRow,
    has_calls,
    optional_text,
    parse_turns,
    source_id_and_metadata,
    with_id_and_metadata,
    with_system,
)
from app.domain.records import Message, TrainingExample

KEYS = frozenset({"messages", "tools", "system", "rejected_messages"})


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
    if example.rejected:
        # As ms-swift reads it: the whole conversation once more, with the other answer.
        rejected = (*example.messages[:-1], *example.rejected)
        body["rejected_messages"] = [as_turn(m) for m in rejected]
    if example.tools is not None:
        body["tools"] = example.tools
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    if {"chosen", "rejected"} <= row.keys():
        return False
    return is_turn_list(row.get("messages")) or (
        not is_turn_list(row.get("conversations")) and names.has(row, "messages", "messages")
    )


def is_turn_list(value: object) -> bool:
    """A list, or its JSON text in a table's cell."""
    return isinstance(value, list) or (isinstance(value, str) and value.startswith("["))


def as_turn(message: Message) -> dict[str, Any]:
    """The turn as OpenAI writes it: without a text beside its calls, the content is null."""
    content = None if not message.content and has_calls(message.extra) else message.content
    return {"role": message.role.value, "content": content} | {
        key: value for key, value in message.extra.items() if key not in ("role", "content")
    }


MESSAGES = Format(name="messages", parse=parse, render=render, recognises=recognises)
