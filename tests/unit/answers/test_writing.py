import json

from app.domain.answer_writing import loses_reasoning, with_answer
from app.domain.records import Message, Role, TrainingExample


def row(content: str, role: Role = Role.ASSISTANT, **extra: object) -> TrainingExample:
    asked = Message(role=Role.USER, content="table for six?")
    return TrainingExample(id="a", messages=(asked, Message(role=role, content=content, extra=extra)))


def test_a_call_stays_a_call_in_the_form_of_the_row() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "book", "arguments": '{"city": "Rome"}'}}
    mended = with_answer(row("", tool_calls=[call]), '{"name": "book", "arguments": {"city": "Bern"}}')
    expected = {**call, "function": {"name": "book", "arguments": '{"city": "Bern"}'}}
    assert mended.messages[-1].extra == {"tool_calls": [expected]}
    assert mended.messages[-1].content == ""


def test_arguments_that_are_an_object_stay_one() -> None:
    mended = with_answer(
        row("", tool_calls=[{"function": {"name": "book", "arguments": {"city": "Rome"}}}]),
        '<tool_call>{"name": "book", "arguments": {"city": "Bern"}}</tool_call>',
    )
    assert mended.messages[-1].extra["tool_calls"] == [
        {"function": {"name": "book", "arguments": {"city": "Bern"}}}
    ]


def test_a_function_call_turn_holds_the_call_as_json() -> None:
    mended = with_answer(
        row('{"name": "book", "arguments": {}}', role=Role.FUNCTION_CALL),
        '{"name": "book", "arguments": {"city": "Bern"}}',
    )
    assert json.loads(mended.messages[-1].content) == {"name": "book", "arguments": {"city": "Bern"}}


def test_words_in_the_place_of_a_call_leave_no_call_behind() -> None:
    mended = with_answer(
        row("", tool_calls=[{"function": {"name": "book", "arguments": "{}"}}]), "For which city?"
    )
    assert mended.messages[-1] == Message(role=Role.ASSISTANT, content="For which city?")


def test_reasoning_that_led_to_the_wrong_answer_does_not_stay() -> None:
    wrong = row("<think>\nseven and six\n</think>\n\n14")
    assert loses_reasoning(wrong, "13")
    assert not loses_reasoning(wrong, "<think>six and seven</think>13")
    assert not loses_reasoning(row("<think>\n\n</think>\n\n14"), "13")
    assert with_answer(wrong, "13").messages[-1].content == "<think>\n\n</think>\n\n13"
    beside = with_answer(row("14", reasoning_content="seven and six"), "13")
    assert beside.messages[-1] == Message(role=Role.ASSISTANT, content="13")


def test_what_followed_from_the_old_answer_goes() -> None:
    thanks = Message(role=Role.ASSISTANT, content="bye", extra={"weight": 0})
    long = TrainingExample(
        id="a", messages=(*row("14").messages, Message(role=Role.USER, content="ok"), thanks)
    )
    assert [m.content for m in with_answer(long, "13").messages] == ["table for six?", "13"]
