"""What a version holds, in numbers."""

from __future__ import annotations

import pytest

from app.domain.records import Message, Role, TrainingExample
from app.services.versions.statistics import RunningStatistics, estimated_tokens, script_of


def example(prompt: str, output: str, *, system: str = "", turns: int = 1) -> TrainingExample:
    messages = [Message(role=Role.SYSTEM, content=system)] if system else []
    for _ in range(turns):
        messages += [Message(role=Role.USER, content=prompt), Message(role=Role.ASSISTANT, content=output)]
    return TrainingExample(id="ex", messages=tuple(messages))


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Where is my order?", "latin"),
        ("Où est ma commande ?", "latin"),
        ("我的订单在哪里？", "cjk"),
        ("我的 iPhone 订单在哪里", "cjk"),
        ("注文はどこですか", "cjk"),
        ("Где мой заказ?", "other"),
        ("12345 !?", "other"),
        ("", "other"),
    ],
)
def test_the_script_is_that_which_carries_the_text(text: str, script: str) -> None:
    assert script_of(text) == script


def test_tokens_are_estimated_by_script() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("abcdefgh") == 2
    assert estimated_tokens("你好吗") == 3
    assert estimated_tokens("你好 abc") == 3


def test_counts_and_shares_add_up() -> None:
    statistics = RunningStatistics()
    for row in (
        example("Where?", "Here."),
        example("在哪里？", "Here."),
        example("Where?", "There.", system="Be kind."),
        example("Where?", "There!", turns=2),
    ):
        statistics.add(row)
    shown = statistics.as_dict(formats={"messages": 4})
    assert shown["rows"] == 4
    assert shown["scripts"] == {"cjk": 0.25, "latin": 0.75}
    assert shown["distinct_outputs"] == 3
    assert shown["rows_with"] == {"history": 1, "rejected": 0, "system": 1}
    assert shown["output_tokens_estimated"]["max"] == 2.0
    assert shown["formats"] == {"messages": 4}


def test_a_version_without_rows_has_no_lengths() -> None:
    shown = RunningStatistics().as_dict()
    assert shown["rows"] == 0
    assert shown["prompt_tokens_estimated"] == {}
