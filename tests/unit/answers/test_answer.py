import json

import pytest

from app.domain.answers import read_message, read_text
from app.domain.records import BadCase, Message, Role, TrainingExample

CALL = {"name": "book_table", "arguments": {"city": "Bern", "guests": 6}}
CANONICAL = '{"name": "book_table", "arguments": {"city": "Bern", "guests": 6}}'


@pytest.mark.parametrize(
    "extra",
    [
        {
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {**CALL, "arguments": json.dumps(CALL["arguments"])},
                }
            ]
        },
        {"tool_calls": [{"function": {"name": "book_table", "arguments": {"guests": 6, "city": "Bern"}}}]},
        {"tool_calls": [CALL]},
        {"function_call": {"name": "book_table", "arguments": '{"guests":6,"city":"Bern"}'}},
    ],
)
def test_every_way_to_write_a_call_is_the_same_answer(extra: dict) -> None:
    assert read_message("assistant", "", extra).compared == CANONICAL


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(CALL),
        json.dumps([CALL]),
        json.dumps({"tool_calls": [{"type": "function", "function": CALL}]}),
        f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
        f"<think>\n\n</think>\n\n<tool_call>{json.dumps(CALL)}</tool_call>",
    ],
)
def test_a_call_written_as_text_is_a_call(written: str) -> None:
    assert read_text(written).compared == CANONICAL


def test_an_extracted_record_is_no_call() -> None:
    for written in (
        '{"name": "Bob", "age": 5}',
        '[{"name": "Bob"}]',
        '{"name": "x", "arguments": {}, "why": 1}',
    ):
        assert read_text(written).tool_calls == ()
        assert read_text(written).compared == written


def test_words_around_a_call_belong_to_the_answer() -> None:
    answer = read_text(f"One moment.\n<tool_call>{json.dumps(CALL)}</tool_call>")
    assert answer.text == "One moment."
    assert answer.compared == f"One moment.\n{CANONICAL}"


def test_arguments_that_are_no_json_are_kept_as_they_came() -> None:
    (call,) = read_message(
        "assistant", "", {"tool_calls": [{"function": {"name": "f", "arguments": "{'a': 1"}}]}
    ).tool_calls
    assert (call.well_formed, call.arguments) == (False, "{'a': 1")


@pytest.mark.parametrize(
    ("written", "reasoning", "closed", "text"),
    [
        ("<think>\nsix and six\n</think>\n\n12", "six and six", True, "12"),
        ("<think>\n\n</think>\n\n12", "", True, "12"),
        ("six and six\n</think>\n\n12", "six and six", True, "12"),
        ("<think>six and", "six and", False, ""),
        ("write <think> before it thinks", None, True, "write <think> before it thinks"),
        ("12", None, True, "12"),
    ],
)
def test_reasoning_is_told_from_the_answer(
    written: str, reasoning: str | None, closed: bool, text: str
) -> None:
    answer = read_text(written)
    assert (answer.reasoning, answer.reasoning_closed, answer.text) == (reasoning, closed, text)


def test_reasoning_beside_the_text_is_reasoning() -> None:
    answer = read_message("assistant", "12", {"reasoning_content": "six and six"})
    assert (answer.compared, answer.reasoning) == ("12", "six and six")


def turns(*given: tuple[Role, str, dict]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=content, extra=extra) for role, content, extra in given)


def test_a_turn_of_weight_zero_is_not_the_answer() -> None:
    row = TrainingExample(
        id="a",
        messages=turns(
            (Role.USER, "hi", {}),
            (Role.ASSISTANT, "hello", {"weight": 1}),
            (Role.USER, "more", {}),
            (Role.ASSISTANT, "bad", {"weight": 0}),
        ),
    )
    assert (row.prompt, row.output, row.teaches) == ("hi", "hello", True)
    assert [(s.prompt, s.output) for s in row.steps()] == [("hi", "hello")]


def test_every_call_on_the_way_to_the_last_answer_is_learnt() -> None:
    row = TrainingExample(
        id="a",
        messages=turns(
            (Role.USER, "weather in Bern?", {}),
            (
                Role.ASSISTANT,
                "",
                {"tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "Bern"}'}}]},
            ),
            (Role.TOOL, "rain", {}),
            (Role.ASSISTANT, "It rains.", {}),
        ),
    )
    call = '{"name": "weather", "arguments": {"city": "Bern"}}'
    assert [(s.prompt, s.output) for s in row.steps()] == [
        ("weather in Bern?", call),
        (f"user: weather in Bern?\nassistant: {call}\ntool: rain", "It rains."),
    ]


def test_an_undesired_answer_teaches_nothing() -> None:
    row = TrainingExample(
        id="a", messages=turns((Role.USER, "hours?", {}), (Role.ASSISTANT, "go away", {})), desirable=False
    )
    assert not row.teaches
    assert row.steps() == ()
    assert row.content()["desirable"] is False


def test_a_case_compares_answers_without_their_reasoning() -> None:
    case = BadCase(
        id="c",
        messages=turns((Role.USER, "6 + 6?", {})),
        model_output="<think>\n\n</think>\n\n13",
        expected_output="<think>six and six</think>12",
    )
    assert (case.said, case.wanted, case.acceptable_outputs) == ("13", "12", ("12",))
