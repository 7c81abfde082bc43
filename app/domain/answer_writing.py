"""Another answer in a row's place, in the structure that the row has: a call stays a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.answers.answer import REASONING_KEYS, Answer, ToolCall, read_text
from app.domain.records import Message, Role, TrainingExample

_CALL_KEYS = ("tool_calls", "function_call")


def with_answer(example: TrainingExample, answer: str) -> TrainingExample:
    """The row answering ``answer``. Turns behind its old answer go: they followed from it."""
    at = example.answer_at
    return replace(example, messages=(*example.messages[:at], answer_turn(example.messages[at], answer)))


def content_with_answer(content: Mapping[str, Any], answer: str) -> dict[str, Any]:
    """The same of a row's ``content()``."""
    return with_answer(TrainingExample.from_content(content), answer).content()


def loses_reasoning(example: TrainingExample, answer: str) -> bool:
    """Whether ``answer`` brings no steps where the row has some: those led to another answer and would have to go."""
    return bool(example.answer.reasoning) and not read_text(answer).reasoning


def answer_turn(turn: Message, answer: str) -> Message:
    """``turn`` saying ``answer``. Reasoning that led elsewhere goes; an empty block stands where a block stood."""
    new, old = read_text(answer), turn.answer
    extra = {key: value for key, value in turn.extra.items() if key not in (*_CALL_KEYS, *REASONING_KEYS)}
    structured = any(key in turn.extra for key in _CALL_KEYS)
    if new.tool_calls and (structured or turn.role is Role.FUNCTION_CALL):
        extra |= _reasoning_beside(turn, new)
        if turn.role is Role.FUNCTION_CALL:
            return replace(turn, content=_function_call_text(new), extra=extra)
        return replace(turn, content=new.text, extra=extra | _calls_like(turn.extra, new.tool_calls))
    role = Role.ASSISTANT if turn.role is Role.FUNCTION_CALL else turn.role
    beside = _reasoning_beside(turn, new)
    if beside:
        return replace(turn, role=role, content=_without_block(answer, new), extra=extra | beside)
    if old.reasoning is not None and new.reasoning is None and turn.content.lstrip().startswith("<think>"):
        answer = f"<think>\n\n</think>\n\n{answer}"
    return replace(turn, role=role, content=answer, extra=extra)


def _reasoning_beside(turn: Message, new: Answer) -> dict[str, str]:
    key = next((key for key in REASONING_KEYS if key in turn.extra), None)
    return {} if key is None or new.reasoning is None else {key: new.reasoning}


def _without_block(answer: str, new: Answer) -> str:
    return new.text if new.reasoning is not None else answer


def _calls_like(extra: Mapping[str, Any], calls: tuple[ToolCall, ...]) -> dict[str, Any]:
    """``calls`` under the key and in the form in which ``extra`` has its own."""
    if "tool_calls" not in extra:
        return {"function_call": {"name": calls[0].name, "arguments": _as_text(calls[0].arguments)}}
    old = [call for call in extra["tool_calls"] or () if isinstance(call, dict)]
    made: list[dict[str, Any]] = []
    for number, call in enumerate(calls):
        like: dict[str, Any] = old[number] if number < len(old) else old[0] if old else {"function": {}}
        own = like.get("function", like)
        as_object = isinstance(own, dict) and isinstance(own.get("arguments"), dict | list)
        function = {"name": call.name, "arguments": call.arguments if as_object else _as_text(call.arguments)}
        identity = {key: like[key] for key in ("id", "type") if key in like}
        if number >= len(old) and "id" in identity:
            identity["id"] = f"{identity['id']}-{number}"
        made.append({**identity, "function": function} if "function" in like else {**identity, **function})
    return {"tool_calls": made}


def _function_call_text(new: Answer) -> str:
    calls = [{"name": call.name, "arguments": call.arguments} for call in new.tool_calls]
    return json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)


def _as_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
