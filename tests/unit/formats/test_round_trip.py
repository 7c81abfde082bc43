"""Export and import are inverse, in every format and for every example."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from app.domain.formats import FORMATS, Format, export_row, format_named, parse_row
from app.domain.records import Message, Role, TrainingExample
from tests.unit.formats.strategies import training_examples, unhurried

every_format = pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)


def through_json(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(row))


def plain(prompt: str, answer: str, **fields: Any) -> TrainingExample:
    turns = (Message(role=Role.USER, content=prompt), Message(role=Role.ASSISTANT, content=answer))
    return TrainingExample(id="ex", messages=turns, **fields)


@every_format
@unhurried
@given(example=training_examples())
def test_an_exported_row_reads_back_as_the_same_record(format: Format, example: TrainingExample) -> None:
    row = through_json(export_row(example, format))

    again = parse_row(row, format).with_id("ex")

    assert again.record_hash == example.record_hash
    assert again == example


@every_format
@unhurried
@given(example=training_examples())
def test_a_second_export_is_the_same_row(format: Format, example: TrainingExample) -> None:
    row = export_row(example, format)
    again = parse_row(row, format).with_id("ex")
    assert export_row(again, format) == row


@every_format
def test_a_single_question_and_answer_needs_no_residual(format: Format) -> None:
    row = export_row(plain("What is 2+2?", "4", source_id="q1", metadata={"lang": "en"}), format)

    assert row["id"] == "q1"
    assert row["lang"] == "en"
    assert ("_casemend" in row) is (
        format.name in ("preference", "dpo", "kto")
    )  # nothing is rejected, nobody said it is desired


def test_a_conversation_as_prompt_and_completion_carries_its_turns_beside_it() -> None:
    completion = format_named("completion")
    assert completion is not None
    turns = (
        Message(role=Role.USER, content="Hi"),
        Message(role=Role.ASSISTANT, content="Hello!"),
        Message(role=Role.USER, content="Where is my parcel?"),
        Message(role=Role.ASSISTANT, content="On its way."),
    )
    example = TrainingExample(id="ex", messages=turns)

    row = export_row(example, completion)

    assert row["prompt"] == "user: Hi\nassistant: Hello!\nuser: Where is my parcel?"
    assert row["completion"] == "On its way."
    assert row["_casemend"].keys() == {"of", "messages"}
    assert parse_row(row, completion).messages == turns


def test_the_instruction_split_survives_a_format_without_instructions() -> None:
    messages = format_named("messages")
    assert messages is not None
    example = plain("Translate\nGuten Tag", "Good day", instruction_length=9)

    row = export_row(example, messages)

    assert parse_row(row, messages).with_id("ex").instruction == "Translate"


def test_an_edited_row_counts_for_more_than_what_stood_beside_it() -> None:
    alpaca = format_named("alpaca")
    assert alpaca is not None
    example = plain("Say hi", "Hi", rejected=(Message(role=Role.ASSISTANT, content="No."),))
    row = export_row(example, alpaca)
    assert "_casemend" in row

    row["output"] = "Hello"
    edited = parse_row(row, alpaca)

    assert edited.messages[-1].content == "Hello"
    assert edited.rejected == ()
    assert edited.metadata == {}


@pytest.mark.parametrize("beside", [None, 1, "x", [], {}, {"of": 3}, {"messages": "no digest"}])
def test_a_residual_without_its_digest_is_ignored(beside: object) -> None:
    completion = format_named("completion")
    assert completion is not None
    parsed = parse_row({"prompt": "a", "completion": "b", "_casemend": beside}, completion)
    assert [m.content for m in parsed.messages] == ["a", "b"]
    assert parsed.metadata == {}
