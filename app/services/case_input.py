"""A bad case as it is sent, whatever the door: checked field by field, made into what is stored."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from app.domain.formats import RowError, turns_of
from app.domain.records import ANSWER_ROLES, Message, Role
from app.domain.section import Whole
from app.services.bad_cases import NewBadCase, Rejected


class Body(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored in silence."""

    model_config = ConfigDict(extra="forbid", strict=True)


_YEARS = range(1900, 3000)  # PostgreSQL's and Python's calendars end elsewhere; nothing was logged outside


def _only_text(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("must be an RFC 3339 date and time, such as 2026-01-31T12:00:00Z")
    return value


def _plausible(value: datetime) -> datetime:
    if value.year not in _YEARS:
        raise ValueError(f"the year must be from {_YEARS.start} to {_YEARS.stop - 1}")
    return value


Moment = Annotated[
    AwareDatetime, Field(strict=False), BeforeValidator(_only_text), AfterValidator(_plausible)
]
Text = Annotated[str, Field(max_length=8_000_000)]


def _as_text(value: object) -> object:
    """An answer that is no text, as its JSON text: a call of a tool, a record, a number."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


AnswerText = Annotated[
    Text,
    BeforeValidator(_as_text, json_schema_input_type=str | bool | int | float | dict[str, Any] | list[Any]),
]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class Turn(Body):
    role: str
    content: str | bool | int | float | list[Any] | dict[str, Any] | None = None

    model_config = Body.model_config | {"extra": "allow"}


class Serving(Body):
    """How the request that failed was built; leave out what is not known."""

    system: Text | None = None
    prompt_text: Text | None = None
    temperature: float | None = Field(default=None, ge=0, le=100)
    top_p: float | None = Field(default=None, ge=0, le=1)
    max_tokens: Annotated[Whole, Field(ge=0, le=100_000_000)] | None = None
    stop: Text | Annotated[list[Text], Field(max_length=100)] | None = None
    finish_reason: Label | None = None


class BadCaseInput(Body):
    """``messages`` (the prompt's turns), or ``instruction`` with an optional ``input``.

    ``model_output`` may be missing, null or empty where the model said nothing or nobody wrote it down: the
    verdict then comes from the rest. An answer may be an object, a list or a number, such as the call of a tool: it
    is kept as its JSON text. An acceptable output that equals it makes the case ``rejected``.
    """

    external_id: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    messages: list[Turn] | None = Field(default=None, max_length=10_000)
    instruction: Text | None = None
    input: Text | None = None
    model_output: AnswerText | None = None
    expected_output: AnswerText | None = None
    alternatives: list[AnswerText] = Field(default_factory=list, max_length=100)
    model: Annotated[str, Field(max_length=500)] | None = None
    adapter_id: Annotated[str, Field(max_length=64)] | None = None
    request: Serving | None = None
    tags: list[Label] = Field(default_factory=list, max_length=100)
    metadata: dict[str, Any] = Field(default_factory=dict)
    occurred_at: Moment | None = None
    source: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _has_one_prompt(self) -> BadCaseInput:
        if (self.messages is None) == (self.instruction is None):
            raise ValueError("send either 'messages' or 'instruction' (with an optional 'input')")
        if self.messages is not None and self.input is not None:
            raise ValueError("'input' belongs to 'instruction'; with 'messages', put it into a turn")
        if self.expected_output is not None and not self.expected_output.strip():
            raise ValueError("'expected_output' is blank; give the expected answer or leave the field out")
        for i, alternative in enumerate(self.alternatives):
            if not alternative.strip():
                raise ValueError(f"'alternatives.{i}' is blank; give an acceptable answer or leave it out")
        return self


def to_new_case(value: object) -> NewBadCase | Rejected:
    """The case that an item describes, or why it is none."""
    external_id = value.get("external_id") if isinstance(value, dict) else None
    external_id = external_id if isinstance(external_id, str) and len(external_id) <= 500 else None
    try:
        sent = BadCaseInput.model_validate(value)
        messages, instruction_length = _prompt(sent)
    except RowError as error:
        return Rejected(code=error.code, message=error.message, external_id=external_id)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        match first["type"]:
            case "missing":
                code, message = "missing_field", "is required"
            case "model_type":
                code, message = "not_an_object", "a bad case must be a JSON object"
            case kind:
                code = "invalid" if kind == "value_error" else kind
                message = first["msg"].removeprefix("Value error, ")
        return Rejected(
            code=code,
            message=f"'{field}': {message}" if field else message,
            pointer="".join(f"/{part}" for part in first["loc"]),
            external_id=external_id,
        )
    return NewBadCase(
        messages=messages,
        instruction_length=instruction_length,
        model_output=sent.model_output or "",
        expected_output=sent.expected_output,
        alternatives=tuple(sent.alternatives),
        external_id=sent.external_id,
        model=sent.model,
        adapter_id=sent.adapter_id,
        request=_request(sent.request),
        tags=tuple(dict.fromkeys(sent.tags)),
        metadata=sent.metadata,
        occurred_at=sent.occurred_at,
        source=sent.source,
    )


def _prompt(sent: BadCaseInput) -> tuple[tuple[Message, ...], int]:
    """The prompt's turns, and how long the instruction in the first one is (0: not known)."""
    if sent.messages is None:
        instruction, task_input = sent.instruction or "", sent.input or ""
        # As an Alpaca training row would be rendered: the case is compared with such rows.
        text = f"{instruction}\n{task_input}" if instruction and task_input else instruction or task_input
        if not text.strip():
            raise RowError("missing_prompt", "'instruction' is empty; give the prompt that failed")
        return (Message(role=Role.USER, content=text),), len(instruction) if instruction and task_input else 0
    turns = turns_of([turn.model_dump(exclude_unset=True) for turn in sent.messages])
    if not any(t.role is Role.USER and t.content.strip() for t in turns):
        raise RowError("missing_prompt", "'messages' has no user turn with text; give the prompt that failed")
    if turns[-1].role in ANSWER_ROLES:
        raise RowError(
            "bad_turn_order",
            "'messages' ends with the assistant's turn; send that text as 'model_output' and end with the prompt",
        )
    return turns, 0


def _request(sent: Serving | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    given = sent.model_dump(exclude_none=True)
    if isinstance(given.get("stop"), str):
        given["stop"] = [given["stop"]]
    return given
