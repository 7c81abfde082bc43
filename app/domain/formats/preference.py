"""Preference pairs, in three forms.

OpenAI's ``{input: {messages, tools?}, preferred_output: [turn], non_preferred_output: [turn]}`` is what is
written; ``prompt, chosen, rejected`` (TRL, UltraFeedback: texts or lists of turns, which may repeat the
prompt) is read too, and so is LLaMA-Factory's ``conversations, chosen: {from, value}, rejected: {from, value}``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.domain.formats import sharegpt
from app.domain.formats.completion import answer_turns, prompt_turns
from app.domain.formats.fields import (
    Format,
    ParsedRow,
    RowError,
    parse_turns,
    source_id_and_metadata,
    with_id_and_metadata,
    wrong_type,
)
from app.domain.formats.messages import as_turn
from app.domain.records import Message, TrainingExample

_OPENAI_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})
_TRL_KEYS = frozenset({"prompt", "chosen", "rejected"})
KEYS = _OPENAI_KEYS | _TRL_KEYS


def parse(row: dict[str, Any]) -> ParsedRow:
    if isinstance(row.get("conversations"), list) and isinstance(row.get("chosen"), dict):
        return _parse_llama_factory(row)
    return _parse_trl(row) if "chosen" in row and "preferred_output" not in row else _parse_openai(row)


def render(example: TrainingExample) -> dict[str, Any]:
    asked: dict[str, Any] = {"messages": [as_turn(m) for m in example.prompt_messages]}
    if example.tools is not None:
        asked["tools"] = example.tools
    besides = example.metadata.get("input")
    if isinstance(besides, dict):
        asked = {**besides, **asked}
    body = {
        "input": asked,
        "preferred_output": [as_turn(example.messages[-1])],
        "non_preferred_output": [as_turn(m) for m in example.rejected],
    }
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    return {"input", "preferred_output"} <= row.keys() or {"chosen", "rejected"} <= row.keys()


def _parse_openai(row: dict[str, Any]) -> ParsedRow:
    asked = row.get("input")
    if asked is None:
        raise RowError("missing_prompt", "'input' is missing; give {\"messages\": [...]}")
    if type(asked) is not dict:
        raise wrong_type("input", asked, 'an object with "messages"')
    if asked.get("messages") is None:
        raise RowError("missing_prompt", "'input.messages' is missing; give the list of turns")
    source_id, metadata = source_id_and_metadata(row, _OPENAI_KEYS)
    besides = {key: value for key, value in asked.items() if key not in ("messages", "tools")}
    if besides:
        metadata["input"] = besides
    return ParsedRow(
        messages=parse_turns(asked["messages"], "input.messages") + answer_turns(row, "preferred_output"),
        rejected=answer_turns(row, "non_preferred_output"),
        tools=asked.get("tools"),
        source_id=source_id,
        metadata=metadata,
    )


def _parse_trl(row: dict[str, Any]) -> ParsedRow:
    chosen, rejected = answer_turns(row, "chosen"), answer_turns(row, "rejected")
    # Without a prompt of its own, the prompt is what both answers begin with (TRL's "implicit prompt").
    prompt = _common_start(chosen, rejected) if row.get("prompt") is None else prompt_turns(row)
    source_id, metadata = source_id_and_metadata(row, _TRL_KEYS)
    return ParsedRow(
        messages=prompt + _after(prompt, chosen),
        rejected=_after(prompt, rejected),
        source_id=source_id,
        metadata=metadata,
    )


def _parse_llama_factory(row: dict[str, Any]) -> ParsedRow:
    asked = sharegpt.parse({key: value for key, value in row.items() if key not in ("chosen", "rejected")})
    chosen, rejected = (
        parse_turns([row.get(name)], name, role_key="from", text_key="value", roles=sharegpt.ACCEPTED)
        for name in ("chosen", "rejected")
    )
    return replace(asked, messages=asked.messages + chosen, rejected=rejected)


def _common_start(one: tuple[Message, ...], other: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns that both begin with, leaving each at least its last."""
    longest = min(len(one), len(other)) - 1
    same = next((i for i in range(longest) if one[i] != other[i]), longest)
    return one[:same]


def _after(prompt: tuple[Message, ...], answer: tuple[Message, ...]) -> tuple[Message, ...]:
    repeats = len(answer) > len(prompt) and answer[: len(prompt)] == prompt
    return answer[len(prompt) :] if repeats else answer


PREFERENCE = Format(name="preference", parse=parse, render=render, recognises=recognises)
