"""What is certainly one row written twice, and all that only looks so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.duplicates import certain_copies
from app.domain.repair.plan import RepairPolicy, plan_repair
from app.domain.repair.policy.decision import Decision
from tests.unit.repair.builders import example

ASKED = "How long may I keep the borrowed tools before I have to bring them back?"
ANSWER = "You may keep them for three weeks, and for six if nobody else waits for them."
CALL = {"function": {"name": "extend_loan", "arguments": '{"weeks": 3}'}}


def turns(*said: tuple[Role, str], **extra: Any) -> TrainingExample:
    messages = [Message(role=role, content=content) for role, content in said]
    messages[-1] = replace(messages[-1], extra=extra)
    return TrainingExample(id="ex", messages=tuple(messages))


ROW = turns((Role.USER, ASKED), (Role.ASSISTANT, ANSWER))


@pytest.mark.parametrize(
    "other",
    [
        turns((Role.USER, ASKED.upper()), (Role.ASSISTANT, f" {ANSWER}\n")),
        turns((Role.USER, ASKED.replace("?", " ??")), (Role.ASSISTANT, ANSWER.rstrip("."))),
        turns((Role.USER, ASKED.replace("tools", "toolls").replace("?", "")), (Role.ASSISTANT, ANSWER)),
    ],
)
def test_letter_case_spaces_punctuation_and_a_plain_misspelling_are_no_difference(
    other: TrainingExample,
) -> None:
    assert certain_copies.is_certain(ROW, other)
    assert certain_copies.is_certain(other, ROW)


@pytest.mark.parametrize(
    "other",
    [
        turns((Role.SYSTEM, "You are a pirate."), (Role.USER, ASKED), (Role.ASSISTANT, ANSWER)),
        turns((Role.USER, ASKED), (Role.ASSISTANT, ANSWER), tool_calls=[CALL]),
        turns(
            (Role.USER, ASKED), (Role.ASSISTANT, ANSWER), reasoning_content="Tools are lent for three weeks."
        ),
        turns((Role.USER, ASKED), (Role.ASSISTANT, f"<think>Three weeks.</think>\n{ANSWER}")),
        turns((Role.USER, ASKED), (Role.ASSISTANT, ANSWER), weight=0),
        turns((Role.USER, "Hi"), (Role.ASSISTANT, "Hello."), (Role.USER, ASKED), (Role.ASSISTANT, ANSWER)),
        replace(ROW, desirable=False),
        replace(ROW, tools=[{"name": "extend_loan"}]),
        replace(ROW, rejected=(Message(role=Role.ASSISTANT, content="No idea."),)),
        turns((Role.USER, ASKED), (Role.ASSISTANT, ANSWER.replace("three", "two"))),
        turns((Role.USER, ASKED.replace("tools", "books")), (Role.ASSISTANT, ANSWER)),
    ],
)
def test_a_row_that_teaches_anything_else_is_another_row(other: TrainingExample) -> None:
    assert not certain_copies.is_certain(ROW, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 17 + 25?", "What is 17 - 25?"),
        ("What is 3.5 kg in grams?", "What is 35 kg in grams?"),
        ("Is .5 mg too much?", "Is 5 mg too much?"),
        ("Give 5 mg every 6 hours", "Give 5 µg every 6 hours"),
        ("The fee is two percent", "The fee is ten percent"),
        ("利率是百分之二吗", "利率是百分之三吗"),
        ("每天两片", "每天三片"),
        ("取消订单", "恢复订单"),
        ("May I take prednisone with food?", "May I take prednisolone with food?"),
        ("Send it to Jon", "Send it to John"),
        ("a meeting on tuesday", "a meeting on thursday"),
        ("SELECT name FROM users WHERE age > 30", "SELECT name FROM users WHERE age < 30"),
        ("print(X)", "print(x)"),
        ("    return x + 1", "return x + 1"),
        ("Translate into French: good night", "Translate into German: good night"),
        ("Translate: the bank", "Übersetze: the bank"),
        ("https://example.org/A", "https://example.org/a"),
        ("What does the token <|end|> mean", "What does the token end mean"),
        ("is it hot", "is it not"),
        ("我们去银行", "我们去很行"),
    ],
)
def test_texts_that_may_ask_two_things_are_not_one(one: str, other: str) -> None:
    assert not certain_copies.same_question(one, other)
    assert not certain_copies.same_question(other, one)


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_order_of_two_texts_does_not_matter(one: str, other: str) -> None:
    assert certain_copies.same_question(one, one)
    assert certain_copies.same_question(one, other) == certain_copies.same_question(other, one)


def decided(examples: list[TrainingExample]) -> dict[str, Decision]:
    """The rows that a plan by the default policy drops as copies, or asks about."""
    vectors = np.eye(8, dtype=np.float32)[[0] * len(examples)]
    plan = plan_repair(examples, PlanInputs(input_vectors=vectors, output_vectors=vectors), RepairPolicy())
    return {
        i: a.decision
        for a in plan.actions
        if a.evidence["rule"] in ("near_duplicate", "exact_duplicate")
        for i in a.example_ids
    }


def test_a_certain_copy_goes_by_itself_and_a_near_one_waits_for_a_person() -> None:
    rows = [
        example("first", ASKED, ANSWER),
        example("shouted", f"{ASKED.upper()}!", ANSWER),
        example("reworded", ASKED.replace("bring", "take"), ANSWER),
    ]
    found = decided(rows)
    assert found.pop("shouted", found.pop("first", None)) is Decision.APPROVED
    assert set(found.values()) <= {Decision.PROPOSED}


def test_rows_that_differ_beside_the_answer_are_not_even_asked_about() -> None:
    rows = [
        ROW,
        turns((Role.USER, ASKED), (Role.ASSISTANT, f"<think>Who waits?</think>\n{ANSWER}")),
        turns((Role.USER, ASKED), (Role.ASSISTANT, ANSWER), reasoning_content="Three, or six."),
        turns((Role.SYSTEM, "Answer as a pirate."), (Role.USER, ASKED), (Role.ASSISTANT, ANSWER)),
        turns((Role.USER, "Hi"), (Role.ASSISTANT, "Hello."), (Role.USER, ASKED), (Role.ASSISTANT, ANSWER)),
        replace(ROW, desirable=False),
        replace(ROW, tools=[{"name": "extend_loan"}]),
        turns((Role.USER, ASKED), (Role.ASSISTANT, ""), tool_calls=[CALL]),
    ]
    assert decided([replace(row, id=f"ex_{i}") for i, row in enumerate(rows)]) == {}


def test_calls_are_compared_whole() -> None:
    def calling(example_id: str, arguments: str) -> TrainingExample:
        function = {"name": "extend_loan", "arguments": arguments}
        row = turns((Role.USER, ASKED), (Role.ASSISTANT, ""), tool_calls=[{"function": function}])
        return replace(row, id=example_id)

    assert decided([calling("a", '{"weeks": 3}'), calling("b", '{"weeks": 6}')]) == {}
    assert decided([calling("a", '{"weeks": 3}'), calling("b", '{ "weeks":3 }')]) == {"b": Decision.APPROVED}
