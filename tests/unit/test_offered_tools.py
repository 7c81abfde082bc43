from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.answers import ToolCall
from app.domain.offered_tools import OfferedTools, functions_of, names_of
from app.domain.records import BadCase, Message, Role, TrainingExample

SEARCH = [{"type": "function", "function": {"name": "search"}}]
MAPS = [{"type": "function", "function": {"name": "route"}}]


def row(tools: Any, system: str | None = None) -> TrainingExample:
    turns = [Message(role=Role.USER, content="q"), Message(role=Role.ASSISTANT, content="a")]
    first = [] if system is None else [Message(role=Role.SYSTEM, content=system)]
    return TrainingExample(id="r", messages=(*first, *turns), tools=tools)


def case(expected: str = "a", system: str | None = None, **more: Any) -> BadCase:
    turns = [Message(role=Role.USER, content="q")]
    first = [] if system is None else [Message(role=Role.SYSTEM, content=system)]
    return BadCase(id="c", messages=(*first, *turns), model_output="", expected_output=expected, **more)


@pytest.mark.parametrize(
    "tools", [SEARCH, json.dumps(SEARCH), SEARCH[0], [SEARCH[0]["function"]], '{"name": "search"}']
)
def test_tools_are_read_in_every_form(tools: Any) -> None:
    assert functions_of(tools) == SEARCH
    assert names_of(tools) == {"search"}


@pytest.mark.parametrize("tools", [None, "", " ", "[]", [], {}, 3, [3], "null"])
def test_nothing_is_no_tool(tools: Any) -> None:
    assert not names_of(tools)
    assert functions_of(tools) is None


def test_a_text_that_is_not_json_is_kept_as_it_is() -> None:
    assert functions_of("search(query)") == [
        {"type": "function", "function": {"name": "", "description": "search(query)"}}
    ]


def test_a_case_is_offered_what_every_row_with_its_system_prompt_is_offered() -> None:
    offered = OfferedTools.from_rows(
        [row(SEARCH, "librarian"), row(SEARCH, "librarian"), row(MAPS, "guide"), row(None)]
    )
    assert offered.for_case(case(system="librarian")) == SEARCH
    assert offered.for_case(case(system="guide")) == MAPS
    assert offered.for_case(case()) is None


def test_where_rows_differ_a_case_is_offered_what_it_should_call() -> None:
    offered = OfferedTools.from_rows([row(SEARCH), row(MAPS), row(None)])
    assert offered.for_case(case('{"name": "route", "arguments": {}}')) == MAPS
    assert offered.for_case(case("Just text.")) is None
    assert offered.for_case(case(metadata={"tools": SEARCH})) == SEARCH


def test_rows_without_tools_offer_none() -> None:
    offered = OfferedTools.from_rows([row(None)])
    assert offered.calling is None
    assert offered.for_case(case('{"name": "route", "arguments": {}}')) is None


@pytest.mark.parametrize(
    "turn",
    [
        Message(
            role=Role.ASSISTANT,
            content="",
            extra={"tool_calls": [{"type": "function", "function": {"name": "search", "arguments": "{}"}}]},
        ),
        Message(role=Role.FUNCTION_CALL, content='{"name": "search", "arguments": {}}'),
    ],
)
def test_a_call_written_as_one_text_becomes_a_turn_as_the_rows_have_it(turn: Message) -> None:
    rows = [replace(row(SEARCH), messages=(Message(role=Role.USER, content="q"), turn))]
    offered = OfferedTools.from_rows(rows)
    made = offered.turn('{"name": "route", "arguments": {"to": "Oslo"}}')
    assert (made.role, made.answer.tool_calls) == (
        turn.role,
        (ToolCall(name="route", arguments={"to": "Oslo"}),),
    )
    assert made.extra.keys() == turn.extra.keys()
    assert offered.turn("Just text.") == Message(role=Role.ASSISTANT, content="Just text.")


def test_a_call_stays_text_where_the_rows_write_theirs_as_text() -> None:
    text = '{"name": "route", "arguments": {}}'
    assert OfferedTools.from_rows([row(SEARCH)]).turn(text) == Message(role=Role.ASSISTANT, content=text)
