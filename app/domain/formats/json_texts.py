"""Answers and inputs that are no text: a number, true, an object. They are read as their JSON text.

What they were stands in the metadata under ``_casemend``, as places in the row, so that an export gives back the
value and not its text. Likewise whether a turn that says nothing beside its calls had null or an empty text: null,
as OpenAI writes it, is the one that goes without saying.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

from app.domain.formats import names
from app.domain.formats.errors import RowError
from app.domain.formats.fields import RESIDUAL_KEY, has_calls
from app.domain.formats.storable import storable

_JSON, _NULL, _TEXT = "json", "null", "text"
_SCALAR: Final[dict[str, tuple[str, ...]]] = {
    "alpaca": ("instruction",),
    "preference": ("prompt", "instruction"),
    "completion": ("prompt",),
}
"""Keys that may hold a number or true; an object as a prompt has no plain meaning."""
_ANY: Final[dict[str, tuple[str, ...]]] = {
    "alpaca": ("input", "output", "rejected_response"),
    "sharegpt": ("rejected_response",),
    "messages": ("rejected_response",),
    "preference": ("chosen", "rejected", "preferred_output", "non_preferred_output"),
    "completion": ("completion", "rejected_response"),
}
_TURNS: Final[dict[str, tuple[str, ...]]] = {
    "alpaca": ("history", "rejected_messages", "rejected"),
    "sharegpt": ("conversations", "rejected_messages", "rejected"),
    "messages": ("messages", "rejected_messages", "rejected"),
    "preference": ("conversations", "prompt"),
    "completion": ("prompt", "rejected_messages"),
}
"""Keys that may hold turns, beside those of ``_ANY``."""

Places = dict[str, list[str]]


def read(row: dict[str, Any], format: str) -> tuple[dict[str, Any], Places]:
    """The row with texts in the places of texts, and the places that held something else; each turn under its
    usual keys."""
    places: Places = {}
    changed: dict[str, Any] = {}
    either = _ANY.get(format, ())
    for key in (*_TURNS.get(format, ()), *either):
        turns = _as_turns(row.get(key))
        if turns is not None:
            changed[key] = _read_turns(turns, key, places)
    scalar = _SCALAR.get(format, ())
    for key in (*scalar, *either):
        value = row.get(key)
        if value is None or type(value) is str or key in changed:
            continue
        if key in scalar and type(value) in (dict, list):
            continue
        changed[key] = _written(value)
        places.setdefault(_JSON, []).append(key)
    asked = row.get("input")
    if format == "preference" and type(asked) is dict:
        turns = _as_turns(asked.get("messages"))
        if turns is not None:
            changed["input"] = {**asked, "messages": _read_turns(turns, "input.messages", places)}
    elif format == "preference" and "instruction" in row and asked is not None and type(asked) is not str:
        changed["input"] = _written(asked)
        places.setdefault(_JSON, []).append("input")
    return ({**row, **changed} if changed else row), places


def restore(natural: dict[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The exported row with what stood in its places. A text that was edited since stays a text."""
    for kind, path in _noted(metadata):
        natural = _changed(natural, path.split("."), _RESTORE[kind])
    return natural


def with_places(metadata: Mapping[str, Any], places: Places) -> Mapping[str, Any]:
    return {**metadata, RESIDUAL_KEY: places} if places else metadata


def null_is_usual(turn: Mapping[str, Any]) -> bool:
    """Whether a turn without text has null as its content, as OpenAI writes one that only calls tools."""
    return has_calls(turn)


def _as_turns(value: object) -> list[Any] | None:
    """A list of turns, a single turn, or their JSON text, as a table's cell holds it; None for what is none."""
    if type(value) is str and value[:1] in ("[", "{"):
        try:
            decoded = json.loads(value)
        except (ValueError, RecursionError):
            return None
        # The JSON text of an answer is an answer, so only turns in full are taken for turns.
        value = decoded if type(decoded) is list and decoded and all(map(_is_whole_turn, decoded)) else None
    if type(value) is dict and _is_whole_turn(value):
        value = [value]
    if type(value) is list and (not value or all(type(item) is list or _is_turn(item) for item in value)):
        return value
    return None


def _is_turn(value: object) -> bool:
    return type(value) is dict and any(key in value for key in names.ROLE_KEYS)


def _is_whole_turn(value: object) -> bool:
    if type(value) is list:  # a pair of a history
        return len(value) == 2
    return (
        type(value) is dict
        and any(type(value.get(key)) is str and names.role_named(value[key]) for key in names.ROLE_KEYS)
        and (any(key in value for key in names.TEXT_KEYS) or has_calls(value))
    )


def _read_turns(turns: list[Any], key: str, places: Places) -> list[Any]:
    role_key, text_key = ("from", "value") if key == "conversations" else ("role", "content")
    return [
        _read_turn(names.canonical_turn(turn, role_key, text_key), f"{key}.{i}.{text_key}", text_key, places)
        if type(turn) is dict
        else turn
        for i, turn in enumerate(turns)
    ]


def _read_turn(turn: dict[str, Any], path: str, text_key: str, places: Places) -> dict[str, Any]:
    value = turn.get(text_key)
    usual = text_key == "content" and null_is_usual(turn)
    if type(value) is str:
        if not value and usual:
            places.setdefault(_TEXT, []).append(path)
        return turn
    if value is None:
        if text_key in turn and not usual:
            places.setdefault(_NULL, []).append(path)
        return turn
    if _is_parts(value):
        return turn if type(value) is list else {**turn, text_key: [value]}
    places.setdefault(_JSON, []).append(path)
    return {**turn, text_key: _written(value)}


def _is_parts(value: object) -> bool:
    """OpenAI's parts of a content, pictures included: they are read, or refused, as what they are."""
    if type(value) is dict:
        return value.get("type") in ("text", "input_text", "output_text") and type(value.get("text")) is str
    return type(value) is list and (not value or any(type(p) is dict and "type" in p for p in value))


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _noted(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    noted = metadata.get(RESIDUAL_KEY)
    if not isinstance(noted, dict):
        return
    for kind, paths in noted.items():
        if kind in _RESTORE and isinstance(paths, list):
            yield from ((kind, path) for path in paths if isinstance(path, str))


def _changed(holder: Any, path: list[str], change: Callable[[Any], Any]) -> Any:
    """A copy with what stands at ``path`` changed; ``holder`` itself where the row no longer has that place."""
    if not path:
        return change(holder)
    step, rest = path[0], path[1:]
    if type(holder) is dict and step in holder:
        return {**holder, step: _changed(holder[step], rest, change)}
    if type(holder) is list and step.isascii() and step.isdigit() and int(step) < len(holder):
        at = int(step)
        return [*holder[:at], _changed(holder[at], rest, change), *holder[at + 1 :]]
    return holder


def _refuse(_: str) -> NoReturn:
    raise ValueError("no JSON")


def _value_of(text: Any) -> Any:
    """The value that the text is, where reading it gives this very text again."""
    if type(text) is not str:
        return text
    try:
        value = json.loads(text, parse_constant=_refuse)
        same = _written(storable({"value": value})["value"]) == text
    except (ValueError, RecursionError, RowError):
        return text
    return value if same and type(value) is not str and value is not None else text


_RESTORE: Final[dict[str, Callable[[Any], Any]]] = {
    _JSON: _value_of,
    _NULL: lambda content: None if content == "" else content,
    _TEXT: lambda content: "" if content is None else content,
}
