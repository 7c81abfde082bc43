"""ShareGPT rows: ``conversations: [{from, value}], system?, tools?``, as LLaMA-Factory reads them."""

from __future__ import annotations

from typing import Any

from app.domain.formats.errors import RowError
from app.domain.formats.fields import (
    Format,
    ParsedRow,
    optional_text,
    parse_turns,
    source_id_and_metadata,
    with_id_and_metadata,
    with_system,
)
from app.domain.formats.messages import is_turn_list
from app.domain.records import Message, Role, TrainingExample

KEYS = frozenset({"conversations", "system", "tools"})
NAMES = {
    Role.USER: "human",
    Role.ASSISTANT: "gpt",
    Role.SYSTEM: "system",
    Role.FUNCTION_CALL: "function_call",
    Role.TOOL: "observation",
}


def parse(row: dict[str, Any]) -> ParsedRow:
    if row.get("conversations") is None:
        raise RowError("missing_prompt", "'conversations' is missing; give the list of turns")
    turns = parse_turns(row["conversations"], "conversations", role_key="from", text_key="value")
    source_id, metadata = source_id_and_metadata(row, KEYS)
    return ParsedRow(
        messages=with_system(optional_text(row, "system"), turns),
        # LLaMA-Factory's column of tools is a text in every row; without tools it is empty.
        tools=None if row.get("tools") == "" else row.get("tools"),
        source_id=source_id,
        metadata=metadata,
    )


def render(example: TrainingExample) -> dict[str, Any]:
    body: dict[str, Any] = {}
    turns = example.messages
    if turns[0].role is Role.SYSTEM and turns[0].content and not turns[0].extra:
        body["system"] = turns[0].content
        turns = turns[1:]
    body["conversations"] = [_turn(m) for m in turns]
    if example.tools is not None:
        body["tools"] = example.tools
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    return is_turn_list(row.get("conversations")) and not {"chosen", "rejected"} <= row.keys()


def _turn(message: Message) -> dict[str, Any]:
    return {"from": NAMES[message.role], "value": message.content} | {
        key: value for key, value in message.extra.items() if key not in ("from", "value")
    }


SHAREGPT = Format(name="sharegpt", parse=parse, render=render, recognises=recognises)
