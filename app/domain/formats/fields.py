"""What every training-data format shares: the parsed row, its errors, and the rules for turns.

Knows what makes a row trainable. Does not know any one format's keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.answers.answer import REASONING_KEYS, structured_calls
from app.domain.formats import names
from app.domain.formats.errors import RowError
from app.domain.records import ANSWER_ROLES, Message, Role, TrainingExample

# Where an export writes what the format has no words for; see ``residual``.
RESIDUAL_KEY = "_casemend"
TEXT_PARTS = ("text", "input_text", "output_text")
"""OpenAI's types of a part that is text, in its older and in its newer API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRow:
    """A training example that has no id yet."""

    messages: tuple[Message, ...]
    rejected: tuple[Message, ...] = ()
    tools: Any = None
    desirable: bool | None = None
    instruction_length: int = 0
    source_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def with_id(self, example_id: str) -> TrainingExample:
        return TrainingExample(
            id=example_id,
            messages=self.messages,
            rejected=self.rejected,
            tools=self.tools,
            desirable=self.desirable,
            instruction_length=self.instruction_length,
            source_id=self.source_id,
            metadata=self.metadata,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a training row as a JSON object.

    ``render`` gives the natural row, as another tool would write it; what that row cannot say is the
    business of ``residual``. ``recognises`` looks at keys and types only.
    """

    name: str
    parse: Callable[[dict[str, Any]], ParsedRow]
    render: Callable[[TrainingExample], dict[str, Any]]
    recognises: Callable[[dict[str, Any]], bool]


_JSON_NAMES = {
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true/false",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def json_type(value: object) -> str:
    """The JSON type of a decoded value, in words for an error message."""
    return _JSON_NAMES.get(type(value), type(value).__name__)


def wrong_type(name: str, value: object, wanted: str) -> RowError:
    return RowError("wrong_type", f"'{name}' is {json_type(value)}; it must be {wanted}")


def optional_text(row: Mapping[str, Any], key: str) -> str:
    """The text under ``key``; absent and null read as empty."""
    value = row.get(key)
    if value is None:
        return ""
    if type(value) is not str:
        raise wrong_type(key, value, "text")
    return value


def answer_text(row: Mapping[str, Any], key: str) -> str:
    """The answer under ``key``, which must be there and must not be blank."""
    value = row.get(key)
    if value is None:
        raise RowError("missing_output", f"'{key}' is missing; give the expected answer or drop the row")
    if type(value) is not str:
        raise wrong_type(key, value, "text")
    if not value or value.isspace():
        raise RowError("empty_output", f"'{key}' is empty; give the expected answer or drop the row")
    return value


def source_id_and_metadata(
    row: Mapping[str, Any], known: Collection[str]
) -> tuple[str | None, dict[str, Any]]:
    """The row's own id, and every key that the format does not know, unchanged.

    An id that is a number becomes text in ``source_id``; the number itself stays in the metadata, so that
    an export writes it as it came.
    """
    metadata = {key: value for key, value in row.items() if key not in known and key != "id"}
    if "id" not in row:
        return None, metadata
    value = row["id"]
    if type(value) is str:
        return value, metadata
    if value is not None and type(value) not in (int, float):
        raise wrong_type("id", value, "text or a number")
    metadata["id"] = value
    return (None if value is None else str(value)), metadata


def with_id_and_metadata(
    body: dict[str, Any], example: TrainingExample, known: Collection[str]
) -> dict[str, Any]:
    """``body`` with the id in front and the metadata behind. Metadata never overwrites a format's key."""
    row: dict[str, Any] = {}
    if "id" in example.metadata and _is_written_form_of(example.metadata["id"], example.source_id):
        row["id"] = example.metadata["id"]
    elif example.source_id is not None:
        row["id"] = example.source_id
    row |= body
    for key, value in example.metadata.items():
        if key not in known and key not in ("id", RESIDUAL_KEY):
            row[key] = value
    return row


def _is_written_form_of(value: object, source_id: str | None) -> bool:
    return value is source_id if value is None else type(value) in (int, float) and str(value) == source_id


def parse_turns(
    value: object,
    name: str,
    *,
    role_key: str = "role",
    text_key: str = "content",
) -> tuple[Message, ...]:
    """A list of turns as messages; keys beside role and text go to ``Message.extra``."""
    if type(value) is not list:
        raise wrong_type(name, value, "a list of turns")
    return tuple(_parse_turn(turn, f"{name}[{i}]", role_key, text_key) for i, turn in enumerate(value))


def _parse_turn(turn: object, name: str, role_key: str, text_key: str) -> Message:
    if type(turn) is not dict:
        raise wrong_type(name, turn, f"an object with '{role_key}' and '{text_key}'")
    role_name = turn.get(role_key)
    known = ", ".join(role.value for role in Role)
    if type(role_name) is not str:
        if role_key not in turn:
            raise RowError("unknown_role", f"'{name}.{role_key}' is missing; use one of {known}")
        raise wrong_type(f"{name}.{role_key}", role_name, f"one of {known}")
    role = names.role_named(role_name)
    if role is None:
        raise RowError("unknown_role", f"'{name}.{role_key}' is '{role_name[:40]}'; use one of {known}")
    content = _turn_text(turn.get(text_key), f"{name}.{text_key}")
    extra = {key: item for key, item in turn.items() if key not in (role_key, text_key)}
    return Message(role=role, content=content, extra=extra)


def _turn_text(value: object, name: str) -> str:
    """Text, or OpenAI's list of text parts joined; null (a turn that only calls tools) is empty."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is not list:
        raise wrong_type(name, value, "text")
    parts = []
    for i, part in enumerate(value):
        if type(part) is not dict or part.get("type") not in TEXT_PARTS or type(part.get("text")) is not str:
            raise RowError("wrong_type", f"'{name}[{i}]' is not a text part; only text can be trained on")
        parts.append(part["text"])
    return "".join(parts)


def after_prompt(prompt: Sequence[Message], answer: tuple[Message, ...]) -> tuple[Message, ...]:
    """The answer alone, where its turns repeat the prompt in front of it."""
    repeats = len(answer) > len(prompt) and answer[: len(prompt)] == tuple(prompt)
    return answer[len(prompt) :] if repeats else answer


def plain_turns(text_by_role: Sequence[tuple[Role, str]]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=text) for role, text in text_by_role)


def with_system(system: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return (Message(role=Role.SYSTEM, content=system), *messages) if system else messages


def is_answer(message: Message) -> bool:
    """A turn that a model can be trained to say: not blank, or a tool call."""
    if message.role not in ANSWER_ROLES:
        return False
    return bool(message.content.strip()) or has_calls(message.extra)


def has_calls(turn: Mapping[str, Any]) -> bool:
    return bool(turn.get("tool_calls")) or isinstance(turn.get("function_call"), dict)


def answer_as_text(message: Message) -> str:
    """All that the model has to produce as one text, for formats that know nothing else: the reasoning in its block,
    what is said, then each call as JSON."""
    if not message.extra:
        return message.content
    calls = [call.as_text() for call in structured_calls(message.extra)]
    beside = next((message.extra[k] for k in REASONING_KEYS if isinstance(message.extra.get(k), str)), None)
    block = [f"<think>\n{beside}\n</think>\n"] if beside else []
    return "\n".join([*block, *([message.content] if message.content.strip() else []), *calls])


def check_trainable(row: ParsedRow) -> ParsedRow:
    """The row, when it ends with an answer to a prompt; else a ``RowError`` that says what is missing."""
    if not row.messages:
        raise RowError("missing_prompt", "the row has no turns; give a prompt and an answer, or drop it")
    last = row.messages[-1]
    if last.role not in ANSWER_ROLES:
        raise RowError(
            "bad_turn_order",
            f"the last turn is '{last.role.value}'; end with the assistant's answer or drop the row",
        )
    if not is_answer(last):
        raise RowError(
            "empty_output", "the last turn's content is empty; give the expected answer or drop the row"
        )
    asked = [m for m in row.messages[:-1] if m.role is Role.USER]
    if not asked:
        raise RowError("missing_prompt", "no user turn stands before the answer; give the prompt")
    if all(not m.content.strip() and not m.extra for m in asked):
        raise RowError("missing_prompt", "the prompt is empty; give it or drop the row")
    if row.rejected and not is_answer(row.rejected[-1]):
        raise RowError(
            "empty_output", "the rejected answer is empty; give the worse answer or use another format"
        )
    return row
