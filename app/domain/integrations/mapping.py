"""From a tool's record to a bad case as `POST /v1/bad-cases` takes it: which field, and which choice, is what.

A path goes through objects and lists: ``data.prompt``, ``messages[-1].content``,
``attributes["gen_ai.input.messages"]``; a leading ``$.`` may stand. Through a list without a number, every element is
looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, Field

from app.domain.section import Section

_TOKEN = re.compile(r"""(?:^|\.)([^.\[\]"']+)|\[(-?\d+)\]|\[\*?\]|\["([^"]+)"\]|\['([^']+)'\]""", re.VERBOSE)
_SHOWN_FIELDS: Final = 40
_LISTED_DEPTH: Final = 5


class CaseField(StrEnum):
    """What a record can say about a bad case. ``prompt`` is a text or a list of messages."""

    PROMPT = "prompt"
    SYSTEM = "system"
    INPUT = "input"
    MODEL_OUTPUT = "model_output"
    EXPECTED_OUTPUT = "expected_output"
    ALTERNATIVES = "alternatives"
    FAILURE_TYPE = "failure_type"
    EXTERNAL_ID = "external_id"
    MODEL = "model"
    TAGS = "tags"
    OCCURRED_AT = "occurred_at"


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _is_path(path: str) -> str:
    steps(path)
    return path


Path = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_is_path)]
Paths = Annotated[
    list[Path],
    BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]),
    Field(min_length=1, max_length=20),
]


class BadWhen(Section):
    """Only records that say so are bad cases."""

    path: Path
    values: Annotated[list[str | bool | int | float], Field(min_length=1, max_length=200)]
    """The field, or one element of it, is one of these; case does not count."""


class FieldMapping(Section):
    """Which field of the tool is which field of a bad case. What is left out is as the tool has it by default."""

    title: ClassVar[str] = "mapping"
    fields: dict[CaseField, Paths] = Field(default_factory=dict)
    """Of several paths, the first that holds something is taken."""
    bad_when: BadWhen | None = None
    """Null: every record is a bad case (a model output that equals the expected one is refused all the same)."""
    values: dict[CaseField, dict[str, str]] = Field(default_factory=dict)
    """The tool's words for a field, and ours; what is not listed stays as it is."""
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    """Put on every case."""

    def over(self, default: FieldMapping) -> FieldMapping:
        """This mapping where it says something, ``default`` for the rest."""
        return FieldMapping(
            fields={**default.fields, **self.fields},
            bad_when=self.bad_when if "bad_when" in self.model_fields_set else default.bad_when,
            values={**default.values, **self.values},
            tags=[*default.tags, *self.tags],
        )

    def paths(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Every field of the mapping with its paths."""
        for case_field, paths in self.fields.items():
            yield f"fields.{case_field.value}", paths
        if self.bad_when is not None:
            yield "bad_when.path", [self.bad_when.path]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownField:
    """A part of a mapping (``where``) whose paths no record has."""

    where: str
    paths: tuple[str, ...]


def steps(path: str) -> list[str | int | None]:
    """A path as keys, numbers, and None for every element. Raises ValueError where it is none."""
    text = path.removeprefix("$.").removeprefix("$")
    found: list[str | int | None] = []
    end = 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None or match.end() == end:
            raise ValueError(f"{path!r} is no path at character {end + 1}; write data.prompt or data[0]")
        key = match[1] or match[3] or match[4]
        found.append(key if key is not None else int(match[2]) if match[2] is not None else None)
        end = match.end()
    if not found:
        raise ValueError(f"{path!r} names no field")
    return found


_MISSING: Final = object()


def find(record: object, path: str) -> Any:
    """What stands at ``path``; None where nothing does."""
    value = _walk(record, steps(path))
    return None if value is _MISSING else value


def has(record: object, path: str) -> bool:
    return _walk(record, steps(path)) is not _MISSING


def _walk(value: object, path: Sequence[str | int | None]) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        if isinstance(step, int):
            return _walk(value[step], rest) if -len(value) <= step < len(value) else _MISSING
        inner = path if isinstance(step, str) else rest
        found = [item for element in value if (item := _walk(element, inner)) is not _MISSING]
        return found or _MISSING
    if isinstance(value, Mapping) and isinstance(step, str) and step in value:
        return _walk(value[step], rest)
    return _MISSING


def fields_of(record: object, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """Every path of a record, objects and what is in them, as a mapping would write it."""
    if not isinstance(record, Mapping) or depth >= _LISTED_DEPTH:
        return
    for key, value in record.items():
        written = key if re.fullmatch(r"[^.\[\]\"'\s]+", key) else f'["{key}"]'
        path = f"{prefix}.{written}" if prefix and not written.startswith("[") else prefix + written
        yield path
        yield from fields_of(value, path, depth + 1)


def unknown_fields(
    mapping: FieldMapping, records: Sequence[Mapping[str, Any]], known: frozenset[str]
) -> list[UnknownField]:
    """What a mapping names and neither a record nor the tool itself knows."""
    return [
        UnknownField(where=where, paths=tuple(paths))
        for where, paths in mapping.paths()
        if not any(path.removeprefix("$.") in known or has(r, path) for path in paths for r in records)
    ]


def described(
    unknown: Sequence[UnknownField], records: Sequence[Mapping[str, Any]], known: frozenset[str]
) -> str:
    """One sentence: what is not there, and what is."""
    there = sorted({path for record in records[:50] for path in fields_of(record)} | known)
    shown = ", ".join(there[:_SHOWN_FIELDS]) + (" ..." if len(there) > _SHOWN_FIELDS else "")
    missing = "; ".join(f"{u.where} names {' or '.join(u.paths)}" for u in unknown)
    return f"the mapping names no field that is there: {missing}. There are: {shown or 'none'}"


def is_bad(record: Mapping[str, Any], rule: BadWhen | None) -> bool:
    if rule is None:
        return True
    value = find(record, rule.path)
    said = {_word(v) for v in (value if isinstance(value, list) else [value])}
    return not said.isdisjoint(_word(v) for v in rule.values)


def _word(value: object) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).strip().casefold()


def to_case(record: Mapping[str, Any], mapping: FieldMapping) -> dict[str, Any]:
    """The record as a body of `POST /v1/bad-cases`; what it does not say is left out."""
    found = {field: _found(record, mapping, field) for field in mapping.fields}
    said = {field: value for field, value in found.items() if not _is_blank(value)}
    case: dict[str, Any] = {}
    _put_prompt(case, said)
    for field in (CaseField.MODEL_OUTPUT, CaseField.EXPECTED_OUTPUT):
        if field in said:
            case[field.value] = answer_of(said[field])
    if CaseField.ALTERNATIVES in said:
        listed = said[CaseField.ALTERNATIVES]
        case["alternatives"] = [answer_of(a) for a in (listed if isinstance(listed, list) else [listed])]
    for field in (CaseField.EXTERNAL_ID, CaseField.MODEL, CaseField.OCCURRED_AT):
        if field in said:
            case[field.value] = _text(said[field])
    tags = [*mapping.tags, *_texts(said.get(CaseField.FAILURE_TYPE)), *_texts(said.get(CaseField.TAGS))]
    if tags:
        case["tags"] = list(dict.fromkeys(tag[:200] for tag in tags))
    return case


def _found(record: Mapping[str, Any], mapping: FieldMapping, field: CaseField) -> Any:
    for path in mapping.fields[field]:
        value = find(record, path)
        if not _is_blank(value):
            return _renamed(value, mapping.values.get(field, {}))
    return None


def _renamed(value: Any, words: Mapping[str, str]) -> Any:
    if not words:
        return value
    if isinstance(value, list):
        return [_renamed(item, words) for item in value]
    by_word = {_word(theirs): ours for theirs, ours in words.items()}
    return by_word.get(_word(value), value) if isinstance(value, str | bool | int | float) else value


def _is_blank(value: object) -> bool:
    return value is None or (
        isinstance(value, str | list | dict) and not (value.strip() if isinstance(value, str) else value)
    )


def _put_prompt(case: dict[str, Any], said: Mapping[CaseField, Any]) -> None:
    prompt = said.get(CaseField.PROMPT)
    if prompt is None:
        return
    messages = messages_of(prompt)
    system = said.get(CaseField.SYSTEM)
    if messages is None and system is None:
        case["instruction"] = _text(prompt)
        if CaseField.INPUT in said:
            case["input"] = _text(said[CaseField.INPUT])
        return
    if messages is None:
        text = "\n".join(_text(said[f]) for f in (CaseField.PROMPT, CaseField.INPUT) if f in said)
        messages = [{"role": "user", "content": text}]
    if system is not None and not any(m.get("role") == "system" for m in messages):
        messages = [{"role": "system", "content": answer_of(system)}, *messages]
    case["messages"] = messages


def messages_of(value: object) -> list[dict[str, Any]] | None:
    """The turns of a prompt, written as OpenAI's messages (also as a JSON text); None where it is a text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if isinstance(value, list) and value and all(isinstance(m, Mapping) and "role" in m for m in value):
        return [dict(m) for m in value]
    return None


def answer_of(value: object) -> Any:
    """An answer as `POST /v1/bad-cases` reads it: a text; the calls of tools as they are; the text of a message.

    A message whose text and calls both count is written as text and tagged calls.
    """
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str | Mapping):
        return answer_of(value[0])
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return "\n".join(value)
    if isinstance(value, Mapping) and isinstance(value.get("choices"), list) and value["choices"]:
        first = value["choices"][0]
        return answer_of(first.get("message", first)) if isinstance(first, Mapping) else answer_of(first)
    if isinstance(value, Mapping) and ("role" in value or "tool_calls" in value or set(value) == {"content"}):
        return _message_answer(value)
    return value


def _message_answer(message: Mapping[str, Any]) -> Any:
    content = message.get("content")
    text = content if isinstance(content, str) else "" if content is None else _parts_text(content)
    calls = message.get("tool_calls") or ([message["function_call"]] if message.get("function_call") else [])
    if not calls:
        return text
    if not text.strip():
        return {"tool_calls": calls}
    functions = [c.get("function", c) if isinstance(c, Mapping) else c for c in calls]
    tagged = [f"<tool_call>{json.dumps(f, ensure_ascii=False)}</tool_call>" for f in functions]
    return "\n".join([text, *tagged])


def _parts_text(content: object) -> str:
    if isinstance(content, list):
        texts = [p.get("text") if isinstance(p, Mapping) else p for p in content]
        if all(isinstance(t, str) for t in texts):
            return "\n".join(str(t) for t in texts)
    return json.dumps(content, ensure_ascii=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    return [_text(v) for v in value if not _is_blank(v)] if isinstance(value, list) else [_text(value)]
