"""What a format cannot say travels beside the row, under ``_casemend``.

An exported row is what another tool would write. Where reading it back would not give the same example (a
conversation as prompt and completion, a rejected answer as Alpaca), the fields that would differ are added
under one key, with the digest of the natural row: once somebody edits that row, the digest no longer fits,
and what they wrote counts. In a table, where a column has one type, the same stands there as JSON in a text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.formats.errors import RowError
from app.domain.formats.fields import RESIDUAL_KEY, Format, ParsedRow, json_type, parse_turns
from app.domain.formats.reading import read_natural
from app.domain.formats.storable import storable
from app.domain.records import Message, TrainingExample, content_hash_of

_FIELDS = ("messages", "rejected", "tools", "desirable", "instruction_length", "source_id", "metadata")


# What stands there when the natural row is not a valid one; rows of older exports say nothing of desirability.
_EVERY_FIELD = frozenset(_FIELDS) - {"desirable"}


def residual(
    example: TrainingExample, natural: dict[str, Any], read_back: ParsedRow | None
) -> dict[str, Any]:
    """The value of ``_casemend`` for ``natural``; empty when ``read_back`` says all that ``example`` says.

    ``read_back`` is None where the natural row is not a valid one (an SFT row as a preference pair).
    """
    missing = {
        name: _written(getattr(example, name))
        for name in _FIELDS
        if read_back is None or getattr(example, name) != getattr(read_back, name)
    }
    return {"of": content_hash_of(natural), **missing} if missing else {}


def split_row(row: dict[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The natural row, and what stands beside it; empty when there is none or the row was edited since."""
    if RESIDUAL_KEY not in row:
        return row, {}
    natural = {key: value for key, value in row.items() if key != RESIDUAL_KEY}
    beside = row[RESIDUAL_KEY]
    if isinstance(beside, str):
        beside = _decoded(beside)
    if not isinstance(beside, dict) or beside.get("of") != content_hash_of(natural):
        return natural, {}
    return natural, {name: beside[name] for name in _FIELDS if name in beside}


def as_text(beside: Mapping[str, Any]) -> str:
    """What stands beside a row as one text, '' for nothing: a column of a table has one type in all rows."""
    return json.dumps(beside, ensure_ascii=False) if beside else ""


def _decoded(beside: str) -> object:
    """The text of ``as_text`` read back; what is none of ours counts as nothing."""
    try:
        value = json.loads(beside) if beside else None
        return storable(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError, RowError):
        return None


def parse_with_residual(natural: dict[str, Any], beside: Mapping[str, Any], format: Format) -> ParsedRow:
    """The example that ``natural`` and ``beside`` say together."""
    fields = {name: _read(name, value) for name, value in beside.items()}
    try:
        parsed = read_natural(natural, format)
    except RowError:
        if fields.keys() >= _EVERY_FIELD:
            return ParsedRow(**fields)
        raise
    return replace(parsed, **fields)


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [
            {"role": m.role.value, "content": m.content, **({"extra": dict(m.extra)} if m.extra else {})}
            for m in value
        ]
    return dict(value) if isinstance(value, Mapping) else value


def _read(name: str, value: Any) -> Any:
    match name:
        case "messages" | "rejected":
            return tuple(_read_turn(m) for m in parse_turns(value, f"{RESIDUAL_KEY}.{name}"))
        case "instruction_length" if type(value) is int and value >= 0:
            return value
        case "desirable" if value is None or type(value) is bool:
            return value
        case "source_id" if value is None or type(value) is str:
            return value
        case "metadata" if type(value) is dict:
            return value
        case "tools":
            return value
        case _:
            raise RowError(
                "wrong_type",
                f"'{RESIDUAL_KEY}.{name}' is {json_type(value)}; remove '{RESIDUAL_KEY}'",
            )


def _read_turn(message: Message) -> Message:
    extra = message.extra.get("extra", {})
    if not isinstance(extra, dict):
        raise RowError(
            "wrong_type", f"a turn's 'extra' in '{RESIDUAL_KEY}' is not an object; remove '{RESIDUAL_KEY}'"
        )
    return Message(role=message.role, content=message.content, extra=extra)
