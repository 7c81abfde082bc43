"""A natural row, as any tool writes it, to the fields of a training example, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.domain.formats import json_texts, kto, names, signs
from app.domain.formats.fields import Format, ParsedRow, parse_turns
from app.domain.formats.preference import DPO, PREFERENCE
from app.domain.records import Message, TrainingExample


def read_natural(row: dict[str, Any], format: Format) -> ParsedRow:
    """The fields that the row says; raises ``RowError``."""
    is_kto = format is kto.KTO
    if "functions" in row and "tools" not in row:
        row = _with_tools(row)
    inner = kto.format_of(row) if is_kto else PREFERENCE if format is DPO else format
    row = names.canonical(row, inner.name)
    row, places = json_texts.read(row, inner.name)
    row, said = signs.split(row, inner.name, label=is_kto)
    parsed = inner.parse(row)
    if said:
        parsed = signs.applied(parsed, said)
    return replace(parsed, metadata=json_texts.with_places(parsed.metadata, places)) if places else parsed


def turns_of(turns: list[Any]) -> tuple[Message, ...]:
    """Turns by themselves, as a row's ``messages`` would be read; raises ``RowError``."""
    row, _ = json_texts.read({"messages": turns}, "messages")
    return parse_turns(row["messages"], "messages")


def write_natural(example: TrainingExample, format: Format) -> dict[str, Any]:
    """The row as another tool would write it."""
    natural = format.render(example)
    if example.desirable is not None and format is not kto.KTO:
        natural[signs.KTO_TAG] = example.desirable
    return json_texts.restore(natural, example.metadata) if example.metadata else natural


def _with_tools(row: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's older ``functions`` as ``tools``."""
    functions = row["functions"]
    if type(functions) is not list or not all(type(f) is dict and "name" in f for f in functions):
        return row
    tools = [{"type": "function", "function": function} for function in functions]
    return {**{key: value for key, value in row.items() if key != "functions"}, "tools": tools}
