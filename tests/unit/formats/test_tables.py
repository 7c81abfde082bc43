"""Tables for Parquet and LLaMA-Factory: one schema in all rows, and nothing of a record lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.formats import MESSAGES, delimited, detect_format, format_named, parse_row
from app.domain.formats.tables import (
    CSV_COLUMNS,
    LlamaFactoryFile,
    csv_cells,
    dataset_info,
    llama_factory_row,
    parquet_row,
)
from app.domain.records import Message, Role, TrainingExample
from tests.unit.formats.strategies import said, training_examples, unhurried

ASKING, ANSWERING = ("human", "observation"), ("gpt", "function_call")


def example(*turns: tuple[Role, str], rejected: str | None = None, **fields: Any) -> TrainingExample:
    worse = () if rejected is None else (Message(role=Role.ASSISTANT, content=rejected),)
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return TrainingExample(id="ex", messages=messages, rejected=worse, **fields)


@st.composite
def conversations(draw: st.DrawFn) -> TrainingExample:
    """What LLaMA-Factory can be trained on: turns by turns, with or without system prompt and rejected answer."""
    turns = [(Role.SYSTEM, draw(said))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        turns += [(Role.USER, draw(said)), (Role.ASSISTANT, draw(said))]
    return example(
        *turns,
        rejected=draw(st.none() | said),
        tools=draw(st.none() | st.just([{"name": "search"}])),
        source_id=draw(st.none() | said),
    )


@unhurried
@given(training_examples())
def test_a_row_of_a_parquet_file_reads_back_as_the_same_record(example: TrainingExample) -> None:
    row = json.loads(json.dumps(parquet_row(example)))
    assert all(isinstance(row.get(name, ""), str) for name in ("id", "tools", "metadata", "_casemend"))
    assert isinstance(row.get("kto_tag", True), bool)
    assert all(set(turn) == {"role", "content"} for turn in (*row["messages"], *row.get("rejected", ())))
    again = parse_row(row, MESSAGES).with_id("ex")
    assert again == example
    assert again.record_hash == example.record_hash


@unhurried
@given(training_examples())
def test_a_row_of_a_csv_file_reads_back_as_the_same_record(example: TrainingExample) -> None:
    text = delimited.written([CSV_COLUMNS, csv_cells(example)])
    (line,) = delimited.iter_table([text], delimiter=",", max_row_bytes=1_000_000)
    again = parse_row(line.value, MESSAGES).with_id("ex")
    assert again == example
    assert again.record_hash == example.record_hash


@unhurried
@given(training_examples() | conversations())
def test_a_row_for_llama_factory_reads_back_as_the_same_record_and_obeys_its_rules(
    example: TrainingExample,
) -> None:
    file, row = llama_factory_row(example)
    if file is LlamaFactoryFile.LEFT_OUT:
        return
    assert example.teaches or file is LlamaFactoryFile.KTO
    row = json.loads(json.dumps(row))
    sides = [turn["from"] in ANSWERING for turn in row["conversations"]]
    assert sides == [i % 2 == 1 for i in range(len(sides))]
    assert all(set(turn) == {"from", "value"} for turn in row["conversations"])
    assert all(isinstance(row[name], str) for name in ("system", "tools", "_casemend"))
    if file is LlamaFactoryFile.PREFERENCE:
        assert not sides[-1]
        assert row["chosen"]["from"] in ANSWERING
        assert row["rejected"]["from"] in ANSWERING
        format = format_named("preference")
    else:
        assert sides[-1]
        assert (file is LlamaFactoryFile.KTO) == isinstance(row.get("kto_tag"), bool)
        format = format_named("kto" if file is LlamaFactoryFile.KTO else "sharegpt")
    assert format is not None
    assert detect_format([row]) is format
    assert parse_row(row, format).with_id("ex").record_hash == example.record_hash


@unhurried
@given(conversations())
def test_no_row_that_llama_factory_can_read_is_left_out(example: TrainingExample) -> None:
    file, row = llama_factory_row(example)
    assert file is (LlamaFactoryFile.PREFERENCE if example.rejected else LlamaFactoryFile.SFT)
    assert row["system"] == (example.system or "")


def test_a_plain_row_needs_nothing_beside_it() -> None:
    plain = example((Role.SYSTEM, "Be kind."), (Role.USER, "Hi"), (Role.ASSISTANT, "Hello!"))
    assert llama_factory_row(plain) == (
        LlamaFactoryFile.SFT,
        {
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}],
            "system": "Be kind.",
            "tools": "",
            "_casemend": "",
        },
    )
    assert set(parquet_row(plain)) == {"messages"}


def test_calls_and_answers_of_tools_are_written_as_llama_factory_does() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"q": "x"}'}}
    row = TrainingExample(
        id="ex",
        messages=(
            Message(role=Role.USER, content="Find x and y"),
            Message(role=Role.ASSISTANT, content="", extra={"tool_calls": [call, call]}),
            Message(role=Role.TOOL, content="one"),
            Message(role=Role.TOOL, content="two"),
            Message(role=Role.ASSISTANT, content="Both found."),
        ),
    )
    file, written = llama_factory_row(row)
    assert file is LlamaFactoryFile.SFT
    assert [t["from"] for t in written["conversations"]] == ["human", "function_call", "observation", "gpt"]
    assert json.loads(written["conversations"][1]["value"]) == [call["function"]] * 2
    assert written["conversations"][2]["value"] == "one\n</tool_response>\n<tool_response>\ntwo"


@pytest.mark.parametrize(
    "turns",
    [
        [(Role.USER, "a"), (Role.USER, "b"), (Role.ASSISTANT, "c")],
        [(Role.ASSISTANT, "a"), (Role.USER, "b"), (Role.ASSISTANT, "c")],
        [(Role.USER, "a"), (Role.SYSTEM, "b"), (Role.USER, "b"), (Role.ASSISTANT, "c")],
    ],
)
def test_turns_that_do_not_alternate_are_left_out(turns: list[tuple[Role, str]]) -> None:
    assert llama_factory_row(example(*turns)) == (LlamaFactoryFile.LEFT_OUT, {})


def test_the_description_names_every_file_and_what_its_columns_are() -> None:
    info = dataset_info(
        {LlamaFactoryFile.SFT: ("v", "v.jsonl"), LlamaFactoryFile.PREFERENCE: ("v_p", "v_p.jsonl")}
    )
    assert info["v"]["file_name"] == "v.jsonl"
    assert info["v"]["columns"] == {"messages": "conversations", "system": "system", "tools": "tools"}
    assert "ranking" not in info["v"]
    assert info["v_p"]["ranking"] is True
    assert info["v_p"]["columns"]["rejected"] == "rejected"


@pytest.mark.parametrize("beside", ["", "{", "[1]", '"x"', '{"of": "\\u0000"}', "[" * 5000])
def test_a_text_that_is_no_residual_is_ignored(beside: str) -> None:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    assert parse_row({**row, "_casemend": beside}, MESSAGES) == parse_row(row, MESSAGES)
