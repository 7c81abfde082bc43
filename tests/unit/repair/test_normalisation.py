from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.repair.normalisation import normalise_example, normalise_text
from tests.unit.repair.builders import example


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("refund <|im_end|>", "refund"),
        ("<|im_start|>assistant\nrefund<|im_end|>\n", "refund"),
        ("[INST] hello [/INST]", "hello"),
        ("fine</s>", "fine"),
        ("one\r\ntwo \t\nthree", "one\ntwo\nthree"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u200bb\x07c\ufeff", "abc"),
        ("  refund ", "refund"),
        ("退款　\n", "退款"),
        ("hard  \nbreak", "hard  \nbreak"),
    ],
)
def test_what_a_tokenizer_would_see_differently_is_unified(raw: str, clean: str) -> None:
    assert normalise_text(raw) == clean


@pytest.mark.parametrize(
    "text",
    [
        "use `<|im_end|>` to stop",
        "```\nx = 1   \r\nprint('<|im_end|>')\n```",
        "<s>struck through</s> in HTML",
        "    def indented():\n        pass",
        "family: 👨‍👩‍👧",
        "run:\n```python\ny = 2  ",
    ],
)
def test_code_markup_and_joined_emoji_stay(text: str) -> None:
    assert normalise_text(text) == text


_PIECES = [*"ab `~\n\r\t<|>/s[]\u200b\u0301é的", "<|im_end|>", "</s>", "[INST]", "```", "  "]


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once


def test_a_row_says_what_was_done_to_it() -> None:
    found = normalise_example(example("a", "hi\r\nthere<|im_end|>", "yes <|im_end|>"))
    assert found is not None
    assert "special tokens removed (2)" in found.changes
    assert found.messages[-1].content == "yes"


def test_a_clean_row_and_a_row_of_nothing_but_tokens_are_left_alone() -> None:
    assert normalise_example(example("a", "hello", "there")) is None
    assert normalise_example(example("a", "hello", "<|im_end|>")) is None
