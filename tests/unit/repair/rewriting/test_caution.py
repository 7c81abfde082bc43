"""Which rewritings of a row are approved without a person."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.language.code import is_code
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import RepairPolicy
from app.domain.repair.rewriting import normalisation_step
from app.domain.repair.rewriting.normalisation import normalise_text
from app.domain.repair.uniformity import step
from tests.unit.repair.builders import example


def _planned(*rows: TrainingExample) -> list[ProposedAction]:
    draft = Draft.of(rows, RepairPolicy())
    vectors = np.ones((len(rows), 1), dtype=np.float32)
    material = PlanInputs(input_vectors=vectors, output_vectors=vectors)
    normalisation_step.propose(draft, material)
    step.propose(draft, material)
    assert all(action.kind is ActionKind.NORMALISE for action in draft.actions)
    return draft.actions


def _by_default(row: TrainingExample) -> TrainingExample:
    (applied,) = apply_actions([row], _planned(row), new_id=lambda: row.id).rows
    return applied.example


@pytest.mark.parametrize(
    ("prompt", "output"),
    [
        # about characters, in several languages
        ("Which token closes a turn in ChatML?", "A turn is closed with <|im_end|>."),
        ("What does Llama 3 write at the end of a turn?", "It writes <|eot_id|>"),
        ("Gemma 模型用什么标记结束一轮对话？", "Gemma 用 <end_of_turn> 结束一轮对话。"),
        ("把下面的全角数字转换成半角", "１２３ 写成半角是 123"),
        ("Schreibe das Zeichen fuer geschuetzte Leerzeichen", "a\u00a0b"),
        ("Which invisible character hides in this word?", "It is U+200B, as in 'pass\u200bword'."),
        ("Convert to NFKC: ﾊﾝｶｸ", "ハンカク"),
        ("Why does the page show cafÃ©?", "UTF-8 was decoded as Latin-1: cafÃ© should be café."),
        ("Put two spaces between the sentences.", "It rains.  We stay.  He sleeps."),
        # code, queries, patterns, data, templates
        ("Complete the function body", "    return x + 1"),
        ("Write hello world", "print('hello')\n"),
        ("Write the module", "import os\n\n\ndef main():\n\tos.getcwd()  \n"),
        ("Find wide digits", "[０-９]+"),
        ("Find users called Ａ", "SELECT id FROM users WHERE name = 'Ａ'\n"),
        ("Reply with data", '{"name": "ＡＢＣ"}\n'),
        ("Write a template", "{% for m in messages %}<|im_start|>{{ m }}<|im_end|>{% endfor %}"),
        ("Show it", "Here:\n```\nx\n```\n  "),
        # inside a sentence
        ("How does it end?", "It stops at <|endoftext|> and not before."),
        ("Where am I?", "You are at platform ９ of the station."),
        ("What is said?", "The bank\u200b is closed."),
        ("Which one?", "It is called <|fim_middle|>"),
        ("价格多少？", "原价１００元，，现在打折。"),
        ("Combien ?", "Il co\u00fbte 10\u202f000\u00a0\u20ac par an."),
    ],
)
def test_what_could_be_meant_is_never_changed_without_asking(prompt: str, output: str) -> None:
    row = example("a", prompt, output)
    assert _by_default(row) is row
    asked = [a for a in _planned(row) if a.decision is Decision.PROPOSED]
    assert all(a.evidence["asks_person"] and a.evidence["why_asked"] in a.reason for a in asked)


@pytest.mark.parametrize(
    ("output", "clean"),
    [
        ("Paris is the capital.<|im_end|>", "Paris is the capital."),
        ("<|im_start|>assistant\nParis.<|im_end|>\n", "Paris."),
        ("card_arrival<|eot_id|>", "card_arrival"),
        ("Paris is the capital. </s>", "Paris is the capital."),
        ("好的，马上处理。<|endoftext|>", "好的，马上处理。"),
        ("The shop is open.  \nCome in. \n\n", "The shop is open.  \nCome in."),
        ("\ufeffThe shop is open.", "The shop is open."),
        ("one line\r\nanother line", "one line\nanother line"),
        ("the cafe\u0301 is open", "the café is open"),
        ("We are open.  Come in.", "We are open. Come in."),
    ],
)
def test_what_stands_around_a_text_goes_without_a_person(output: str, clean: str) -> None:
    assert _by_default(example("a", "Tell me", output)).output == clean


def test_a_change_that_asks_is_not_smuggled_in_by_one_that_does_not() -> None:
    row = example("a", "Where is it?", "On platform ９ of the station.<|im_end|>\n")
    assert _by_default(row).output == "On platform ９ of the station."
    rules = {a.evidence["rule"]: a.decision for a in _planned(row)}
    assert rules == {
        "normalise_special_tokens": Decision.APPROVED,
        "normalise_width": Decision.PROPOSED,
        "normalise_spaces": Decision.APPROVED,
    }


def test_calls_and_reasoning_are_not_rewritten() -> None:
    call = '<tool_call>\n{"name": "find", "arguments": {"q": "ＡＢＣ  x"}}\n</tool_call>'
    thought = "<think>\nＡ,, then  B！！！！\n</think>\n\nBoth are open."
    for output in (call, thought):
        row = example("a", "Look it up", output)
        assert _by_default(row).output == row.output
    call_turn = Message(
        role=Role.ASSISTANT,
        content="",
        extra={"tool_calls": [{"function": {"name": "find", "arguments": json.dumps({"q": "ＡＢ  c "})}}]},
    )
    row = TrainingExample(id="a", messages=(Message(role=Role.USER, content="Look"), call_turn))
    assert _planned(row) == []


def test_reasoning_stays_where_what_stands_behind_the_answer_goes() -> None:
    row = example("a", "Sum it", "<think>\n5 and 9 make 14.\n</think>\n\nIt is 14.<|im_end|>")
    assert _by_default(row).messages[-1].content == "<think>\n5 and 9 make 14.\n</think>\n\nIt is 14."


_LINES = st.sampled_from(
    [
        "x = 1  ",
        "    return x",
        "\tgo();",
        "SELECT a FROM b  ",
        '{"k": "Ｖ"}',
        "if a:  ",
        r"[\u200b]+  ",
        "</p>  ",
    ]
)
_HIDDEN = st.sampled_from(["", "\u200b", "\ufeff", "  ", "\r\n"])
_NOISE = st.sampled_from(["", "\u200b", "Ａ", "  ", "<|im_end|>", "\r\n", "，，", "\ufeff", "Ã©", "\n\n"])


@given(st.lists(st.tuples(_HIDDEN, _LINES, _NOISE).map("".join), min_size=1, max_size=5).map("\n".join))
def test_a_row_whose_text_is_code_is_never_changed_by_default(code: str) -> None:
    # A visible sign may make prose of a line.
    assume(is_code(normalise_text(code)))
    row = example("a", "Write it", code)
    assert _by_default(row) is row


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_default_change_keeps_every_letter_and_digit_of_a_text(front: str, back: str) -> None:
    row = example("a", "Say it", f"{front}好ab1{back}")
    assert _letters(_by_default(row).output) in _letters(row.output)


def _letters(of: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFC", of) if c.isalnum())
