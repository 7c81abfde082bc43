"""What each format makes of a row, and what it says about a bad one."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.formats import Format, ParsedRow, RowError, export_row, format_named, parse_row
from app.domain.records import Message, Role

ANSWER = {"role": "assistant", "content": "a"}


def named(name: str) -> Format:
    found = format_named(name)
    assert found is not None
    return found


def parsed(row: dict[str, Any], name: str) -> ParsedRow:
    return parse_row(row, named(name))


def turns(row: ParsedRow) -> list[tuple[str, str]]:
    return [(m.role.value, m.content) for m in row.messages]


def test_an_alpaca_prompt_is_instruction_newline_input() -> None:
    row = parsed({"instruction": "Add.", "input": "1+1", "output": "2"}, "alpaca")

    assert turns(row) == [("user", "Add.\n1+1"), ("assistant", "2")]
    assert row.with_id("x").instruction == "Add."


def test_an_alpaca_row_without_input_is_the_instruction_alone() -> None:
    row = parsed({"instruction": "Say hi.", "input": "", "output": "Hi"}, "alpaca")

    assert turns(row) == [("user", "Say hi."), ("assistant", "Hi")]
    assert row.instruction_length == 0


def test_alpaca_system_and_history_become_turns_and_come_back() -> None:
    source = {
        "instruction": "And in French?",
        "input": "",
        "output": "Bonjour",
        "system": "You translate.",
        "history": [["Hello in German?", "Hallo"]],
    }
    row = parsed(source, "alpaca")

    assert turns(row) == [
        ("system", "You translate."),
        ("user", "Hello in German?"),
        ("assistant", "Hallo"),
        ("user", "And in French?"),
        ("assistant", "Bonjour"),
    ]
    assert export_row(row.with_id("x"), named("alpaca")) == source


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("alpaca", {"id": "a", "instruction": "i", "input": "x\ny", "output": "o", "lang": "zh"}),
        ("alpaca", {"id": 7, "instruction": "i\nj", "input": "x", "output": "o", "metadata": {"a": [1, 2]}}),
        ("alpaca", {"id": None, "instruction": "i", "input": "", "output": "o"}),
        (
            "sharegpt",
            {
                "id": "s",
                "system": "be brief",
                "conversations": [
                    {"from": "human", "value": "weather?"},
                    {"from": "function_call", "value": '{"name": "weather"}'},
                    {"from": "observation", "value": "rain", "weight": 0},
                    {"from": "gpt", "value": "It rains."},
                ],
                "tools": '[{"name": "weather"}]',
                "split": "train",
            },
        ),
        (
            "messages",
            {
                "messages": [
                    {"role": "system", "content": ""},
                    {"role": "user", "content": "weather?", "name": "ann"},
                    {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "type": "function"}]},
                    {"role": "tool", "content": "rain", "tool_call_id": "c1"},
                    {"role": "assistant", "content": "It rains."},
                ],
                "tools": [{"type": "function"}],
                "parallel_tool_calls": False,
            },
        ),
        (
            "preference",
            {
                "input": {"messages": [{"role": "user", "content": "q"}], "parallel_tool_calls": True},
                "preferred_output": [{"role": "assistant", "content": "good"}],
                "non_preferred_output": [{"role": "assistant", "content": "bad"}],
                "score": 0.5,
            },
        ),
        ("completion", {"id": "c", "prompt": "q", "completion": "a", "metadata": {"k": None}, "n": 1.0}),
    ],
)
def test_a_row_comes_back_as_it_was_written(name: str, source: dict[str, Any]) -> None:
    example = parsed(source, name).with_id("x")
    exported = export_row(example, named(name))
    assert exported == source
    assert [type(v) for v in exported.values()] == [type(exported[k]) for k in exported]


def test_an_assistant_turn_that_only_calls_tools_is_an_answer() -> None:
    row = parsed(
        {
            "messages": [
                {"role": "user", "content": "weather?"},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
            ]
        },
        "messages",
    )
    assert row.messages[-1] == Message(role=Role.ASSISTANT, content="", extra={"tool_calls": [{"id": "c1"}]})


def test_text_parts_are_joined() -> None:
    content = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    row = parsed(
        {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "hi"}]},
        "messages",
    )
    assert turns(row)[0] == ("user", "Hello")


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "good", "rejected": "bad"},
        {
            "prompt": [{"role": "user", "content": "q"}],
            "chosen": [{"role": "assistant", "content": "good"}],
            "rejected": [{"role": "assistant", "content": "bad"}],
        },
        {  # UltraFeedback: a text prompt, repeated in both lists
            "prompt": "q",
            "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}],
            "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad"}],
        },
        {  # TRL's implicit prompt
            "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}],
            "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad"}],
        },
    ],
)
def test_every_way_to_write_a_preference_pair_says_the_same(row: dict[str, Any]) -> None:
    pair = parsed(row, "preference")

    assert turns(pair) == [("user", "q"), ("assistant", "good")]
    assert [m.content for m in pair.rejected] == ["bad"]
    assert pair.metadata == {}


@pytest.mark.parametrize(
    ("name", "row", "code", "says"),
    [
        ("alpaca", [], "not_an_object", "a list"),
        ("alpaca", "text", "not_an_object", "text"),
        ("alpaca", None, "not_an_object", "null"),
        ("alpaca", {}, "empty_row", "empty"),
        ("alpaca", {"instruction": "i"}, "missing_output", "'output'"),
        ("alpaca", {"instruction": "i", "output": " \n"}, "empty_output", "'output'"),
        ("alpaca", {"instruction": "i", "output": None}, "missing_output", "'output'"),
        ("alpaca", {"question": "q", "query": "q", "answer": "a"}, "ambiguous_keys", "to 'instruction'"),
        ("alpaca", {"question": "q", "passage": "c", "answer": "a"}, "ambiguous_keys", "to 'input'"),
        ("alpaca", {"instruction": "i", "question": "q", "answer": "a"}, "ambiguous_keys", "to 'input'"),
        ("kto", {"prompt": "q", "completion": "a", "label": "no"}, "wrong_type", "true or false"),
        (
            "messages",
            {"messages": [{"role": "user", "content": "q"}, ANSWER], "kto_tag": 0},
            "wrong_type",
            "'kto_tag'",
        ),
        ("alpaca", {"instruction": "", "output": "o"}, "missing_prompt", "'instruction'"),
        ("alpaca", {"instruction": ["i"], "output": "o"}, "wrong_type", "'instruction' is a list"),
        ("alpaca", {"instruction": "i", "output": "o", "history": [["q"]]}, "wrong_type", "'history[0]'"),
        ("alpaca", {"instruction": "i", "output": "o", "id": {}}, "wrong_type", "'id'"),
        ("alpaca", {"instruction": "i\0", "output": "o"}, "nul_character", "'instruction'"),
        ("alpaca", {"instruction": "i", "output": "o", "m": {"k\0": 1}}, "nul_character", "'m.k\\x00'"),
        ("alpaca", {"instruction": "i", "output": "\ud800"}, "lone_surrogate", "'output'"),
        ("alpaca", {"instruction": "i", "output": "o", "m": [1, float("inf")]}, "not_finite", "'m[1]'"),
        ("sharegpt", {"x": 1}, "missing_prompt", "'conversations'"),
        ("sharegpt", {"conversations": {}}, "wrong_type", "'conversations' is an object"),
        ("sharegpt", {"conversations": []}, "missing_prompt", "no turns"),
        ("sharegpt", {"conversations": [{"from": "narrator", "value": ""}]}, "unknown_role", "'narrator'"),
        ("sharegpt", {"conversations": [{"value": ""}]}, "unknown_role", "'conversations[0].from'"),
        ("sharegpt", {"conversations": [{"from": "gpt", "value": "a"}]}, "missing_prompt", "user turn"),
        ("messages", {"messages": [{"role": "user", "content": "q"}]}, "bad_turn_order", "'user'"),
        (
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "image"}]}, ANSWER]},
            "wrong_type",
            "[0].content",
        ),
        ("messages", {"messages": [{"role": 1, "content": "q"}]}, "wrong_type", "'messages[0].role'"),
        ("messages", {"messages": ["q", "a"]}, "wrong_type", "'messages[0]' is text"),
        (
            "messages",
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]},
            "empty_output",
            "answer",
        ),
        (
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, ANSWER]},
            "wrong_type",
            "only text",
        ),
        ("preference", {"input": {"messages": []}}, "missing_output", "'preferred_output'"),
        ("preference", {"input": "q", "preferred_output": []}, "wrong_type", "'input' is text"),
        ("preference", {"prompt": "q", "chosen": "a"}, "missing_output", "'rejected'"),
        ("preference", {"prompt": "q", "chosen": "a", "rejected": ""}, "empty_output", "'rejected'"),
        ("completion", {"prompt": "q"}, "missing_output", "'completion'"),
        ("completion", {"prompt": {"q": 1}, "completion": "a"}, "wrong_type", "'prompt' is an object"),
        ("completion", {"completion": "a"}, "missing_prompt", "'prompt'"),
    ],
)
def test_a_bad_row_is_told_its_field_and_its_mend(name: str, row: object, code: str, says: str) -> None:
    with pytest.raises(RowError) as caught:
        parse_row(row, named(name))

    assert caught.value.code == code
    assert says in caught.value.message
    caught.value.message.encode()  # the message itself can be stored
    assert "\0" not in caught.value.message


def test_a_deeply_nested_field_is_refused_by_name() -> None:
    deep: Any = 1
    for _ in range(90):
        deep = [deep]
    with pytest.raises(RowError, match="'deep") as caught:
        parsed({"prompt": "q", "completion": "a", "deep": deep}, "completion")
    assert caught.value.code == "too_deep"


def test_numbers_are_kept_as_the_database_will_give_them_back() -> None:
    row = parsed({"prompt": "q", "completion": "a", "m": [1e16, -0.0, 0.5, 1.0, 3]}, "completion")
    assert repr(row.metadata["m"]) == "[10000000000000000, 0.0, 0.5, 1.0, 3]"


def test_a_megabyte_in_one_field_is_fine() -> None:
    row = parsed({"prompt": "长" * 1_000_000, "completion": "a"}, "completion")
    assert len(row.messages[0].content) == 1_000_000
