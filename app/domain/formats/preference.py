"""Preference pairs, in four forms.

OpenAI's ``{input: {messages, tools?}, preferred_output: [turn], non_preferred_output: [turn]}`` is what is
written; ``prompt, chosen, rejected`` (TRL, UltraFeedback: texts or lists of turns, which may repeat the
prompt) is read too, and so are LLaMA-Factory's ``conversations, chosen: {from, value}, rejected: {from, value}``
and ``instruction, input, chosen, rejected``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.domain.formats import alpaca, names, sharegpt
from app.domain.formats.completion import answer_turns, prompt_turns
from app.domain.formats.errors import RowError
from app.domain.formats.fields import (
    Format,
    ParsedRow,
    after_prompt,
    optional_text,
    parse_turns,
    source_id_and_metadata,
    with_id_and_metadata,
    with_system,
    wrong_type,
)
from app.domain.formats.messages import as_turn
from app.domain.records import Message, TrainingExample

_OPENAI_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})
_TRL_KEYS = frozenset({"prompt", "chosen", "rejected", "system", "tools"})
_ANSWERS = ("chosen", "rejected")
KEYS = _OPENAI_KEYS | _TRL_KEYS


def parse(row: dict[str, Any]) -> ParsedRow:
    if "chosen" in row and "preferred_output" not in row:
        if isinstance(row.get("conversations"), list):
            return _parse_beside(row)
        return _parse_alpaca(row) if "instruction" in row else _parse_trl(row)
    return _parse_openai(row)


def render(example: TrainingExample) -> dict[str, Any]:
    asked: dict[str, Any] = {"messages": [as_turn(m) for m in example.prompt_messages]}
    if example.tools is not None:
        asked["tools"] = example.tools
    besides = example.metadata.get("input")
    if isinstance(besides, dict):
        asked = {**besides, **asked}
    body = {
        "input": asked,
        "preferred_output": [as_turn(example.messages[example.answer_at])],
        "non_preferred_output": [as_turn(m) for m in example.rejected],
    }
    return with_id_and_metadata(body, example, KEYS)


def recognises(row: dict[str, Any]) -> bool:
    if {"input", "preferred_output"} <= row.keys():
        return True
    return names.has(row, "preference", "chosen") and names.has(row, "preference", "rejected")


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
        messages=with_system(optional_text(row, "system"), prompt + after_prompt(prompt, chosen)),
        rejected=after_prompt(prompt, rejected),
        tools=row.get("tools"),
        source_id=source_id,
        metadata=metadata,
    )


def _parse_alpaca(row: dict[str, Any]) -> ParsedRow:
    rejected = answer_turns(row, "rejected")
    pair = {key: value for key, value in row.items() if key not in _ANSWERS}
    answer = answer_turns(row, "chosen")
    asked = alpaca.parse({**pair, "output": "-"})
    return replace(asked, messages=asked.messages[:-1] + answer, rejected=rejected)


def _parse_beside(row: dict[str, Any]) -> ParsedRow:
    """LLaMA-Factory's pairs: the conversation ends with the question."""
    asked = sharegpt.parse({key: value for key, value in row.items() if key not in _ANSWERS})
    chosen, rejected = (answer_turns(row, key) for key in _ANSWERS)
    return replace(asked, messages=asked.messages + chosen, rejected=rejected)


def _common_start(one: tuple[Message, ...], other: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns that both begin with, leaving each at least its last."""
    longest = min(len(one), len(other)) - 1
    same = next((i for i in range(longest) if one[i] != other[i]), longest)
    return one[:same]


def render_for_trl(example: TrainingExample) -> dict[str, Any]:
    """The pair as TRL's DPO trainer reads it, all of it as turns."""
    body: dict[str, Any] = {
        "prompt": [as_turn(m) for m in example.prompt_messages],
        "chosen": [as_turn(example.messages[example.answer_at])],
        "rejected": [as_turn(m) for m in example.rejected],
    }
    if example.tools is not None:
        body["tools"] = example.tools
    return with_id_and_metadata(body, example, KEYS)


PREFERENCE = Format(name="preference", parse=parse, render=render, recognises=recognises)
# The same pairs, written in TRL's form; a row of either form is recognised as ``preference``.
DPO = Format(name="dpo", parse=parse, render=render_for_trl, recognises=lambda _: False)
