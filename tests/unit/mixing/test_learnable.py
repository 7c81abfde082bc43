from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.mixing.export import trainable_row
from app.domain.mixing.learnable import Learnable, left_out_in_words
from app.domain.records import Message, Role, TrainingExample


def row(id: str, asked: str, answer: str, **more: Any) -> TrainingExample:
    turns = (Message(role=Role.USER, content=asked), Message(role=Role.ASSISTANT, content=answer))
    return TrainingExample(id=id, messages=turns, **more)


def learnt(*rows: TrainingExample) -> tuple[list[TrainingExample], dict[str, int]]:
    learnable = Learnable.from_rows(rows)
    return list(learnable.rows(rows)), dict(learnable.counts)


def test_undesired_answers_and_turns_of_weight_zero_are_left_out_and_counted() -> None:
    weightless = row("w", "Who are you?", "A pirate.")
    weightless = replace(
        weightless,
        messages=(weightless.messages[0], replace(weightless.messages[1], extra={"weight": 0})),
    )
    kept, counts = learnt(
        row("a", "Capital of Peru?", "Lima"),
        row("b", "Capital of Chile?", "Lima", desirable=False),
        weightless,
    )
    assert [r.id for r in kept] == ["a"]
    assert counts == {"undesired": 1, "weight_zero": 1}
    assert left_out_in_words(counts) == "1 with an undesired answer, 1 whose answers have weight 0"


@pytest.mark.parametrize("desirable", [True, None])
def test_an_undesired_answer_to_the_very_same_prompt_makes_a_pair(desirable: bool | None) -> None:
    kept, counts = learnt(
        row("bad", "Capital of Chile?", "Lima", desirable=False),
        row("good", "Capital of Chile?", "Santiago", desirable=desirable),
        row("other", "Capital of Chile", "Santiago"),
    )
    assert [r.rejected_output for r in kept] == ["Lima", ""]
    assert counts == {"undesired": 1, "undesired_as_rejected": 1}
    assert trainable_row(kept[0])["rejected"] == [{"role": "assistant", "content": "Lima"}]


def test_a_pair_needs_two_answers_and_the_same_tools_and_a_row_keeps_its_own() -> None:
    tools = [{"name": "search"}]
    own = (Message(role=Role.ASSISTANT, content="Quito"),)
    kept, _ = learnt(
        row("bad", "Capital of Chile?", "Santiago", desirable=False),
        row("same", "Capital of Chile?", "Santiago"),
        row("tools", "Capital of Chile?", "Valparaiso", tools=tools),
        row("own", "Capital of Chile?", "Valparaiso", rejected=own),
    )
    assert [r.rejected_output for r in kept] == ["", "", "Quito"]


def test_each_undesired_answer_is_used_once() -> None:
    rows = [row(f"bad{i}", "Capital of Chile?", f"Lima {i}", desirable=False) for i in range(3)]
    kept, counts = learnt(*rows, *(row(f"good{i}", "Capital of Chile?", "Santiago") for i in range(2)))
    assert [r.rejected_output for r in kept] == ["Lima 0", "Lima 1"]
    assert counts == {"undesired": 3, "undesired_as_rejected": 2}


def test_a_conversation_is_learnt_in_its_last_answers_and_wherever_a_weight_says_so() -> None:
    call = {"tool_calls": [{"function": {"name": "search", "arguments": "{}"}}]}
    turns = (
        Message(role=Role.USER, content="Hello"),
        Message(role=Role.ASSISTANT, content="Hi", extra={"weight": 1}),
        Message(role=Role.USER, content="Capital of Chile?"),
        Message(role=Role.ASSISTANT, content="", extra=call),
        Message(role=Role.TOOL, content="Santiago"),
        Message(role=Role.ASSISTANT, content="Lima", extra={"weight": 0}),
        Message(role=Role.ASSISTANT, content="It is Santiago."),
    )
    ((kept,), counts) = learnt(TrainingExample(id="t", messages=turns))
    steps = [trainable_row(step) for step in kept.steps()]
    assert [len(step["prompt"]) for step in steps] == [1, 3, 6]
    assert [step["completion"][0]["content"] for step in steps] == ["Hi", "", "It is Santiago."]
    assert counts == {}
