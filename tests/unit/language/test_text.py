"""Texts as the diagnosis compares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instructions import known_instructions
from app.domain.language import text
from tests.unit.diagnosis.builders import example


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Refund.", "refund"),
        ("  A\tB \n", "a b"),
        ("ＡＢＣ１２", "abc12"),
        ("“好的。”", "好的"),
        ("#### 42", "42"),
    ],
)
def test_texts_that_differ_in_dress_only_are_normalised_to_the_same(left: str, right: str) -> None:
    assert text.normalised(left) == right


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(said: str) -> None:
    once = text.normalised(said)
    assert text.normalised(once) == once


def test_chinese_tokens_are_characters_and_english_tokens_are_words() -> None:
    assert text.tokens("请订 two tickets, don't wait 3.5 h") == (
        *("请", "订", "two", "tickets", "don't", "wait", "3.5", "h"),
    )


def test_numbers_are_compared_by_value_as_written() -> None:
    assert text.numbers("1,200.0 of -3 and 5-2") == ("1200", "-3", "5", "2")


@pytest.mark.parametrize(
    ("said", "denies"),
    [
        ("能不能去", ()),
        ("可不可以帮我查", ()),
        ("有没有票", ()),
        ("是否可以", ()),
        ("非常好，特别快", ()),
        ("他不去", ("不",)),
        ("不能不去", ("不", "不")),
        ("I don't, and never did", ("n't", "never")),
        ("nothing is not notable", ("not",)),
    ],
)
def test_what_asks_or_only_holds_the_character_is_no_negation(said: str, denies: tuple[str, ...]) -> None:
    assert text.negating_words(said) == denies
    assert text.negations(said) == len(denies)


def test_the_known_instruction_in_front_is_cut_off() -> None:
    rows = [example(i, f"text {i}", "x", instruction="Name the intent.") for i in range(3)]
    known = known_instructions(rows)
    assert known == {"Name the intent."}
    assert text.focus("Name the intent.\nwhere is my parcel", known) == "where is my parcel"
    assert text.instruction_of("Name the intent.\nwhere is my parcel", known) == "Name the intent."


def test_a_prompt_that_is_nothing_but_the_instruction_stays_whole() -> None:
    known = frozenset({"Name the intent."})
    assert text.focus("Name the intent.", known) == "Name the intent."
    assert text.focus("Name the intent.\n  ", known) == "Name the intent.\n  "
    assert text.focus("Name the intent. Where?", known) == "Name the intent. Where?"


def test_the_longest_of_several_instructions_is_cut_off() -> None:
    known = frozenset({"Translate.", "Translate.\nInto French."})
    assert text.focus("Translate.\nInto French.\nhello", known) == "hello"


def test_a_first_line_that_many_prompts_share_is_an_instruction_though_the_format_does_not_say_so() -> None:
    rows = [example(i, f"Classify this:\nitem {i}", "x") for i in range(20)]
    assert "Classify this:" in known_instructions(rows)


def test_one_rows_own_wording_is_not_an_instruction() -> None:
    rows = [example(i, f"text {i}", "x", instruction=f"Do thing {i}.") for i in range(3)]
    assert known_instructions(rows) == frozenset()


@given(st.text(max_size=80), st.sets(st.text(max_size=10), max_size=4))
def test_focus_never_loses_the_whole_prompt(prompt: str, known: set[str]) -> None:
    rest = text.focus(prompt, frozenset(known))
    assert rest in prompt
    assert bool(rest.strip()) == bool(prompt.strip())


def test_scripts_are_told_by_their_characters() -> None:
    assert text.script_shares("你好").cjk == 1.0
    assert text.script_shares("hello").latin == 1.0
    assert text.script_shares("42 !").letters == 0
    assert text.is_chinese("帮我查 iPhone 的价格")
    assert not text.is_chinese("what does 好 mean in English")


def test_a_long_text_is_clipped_to_head_and_tail() -> None:
    clipped = text.clip("a" * 5000 + "b" * 5000, 100)
    assert len(clipped) == 101
    assert clipped.startswith("aaa")
    assert clipped.endswith("bbb")


@given(st.text(max_size=30), st.integers(1, 6))
def test_character_ngrams_have_their_length(said: str, n: int) -> None:
    plain = text.normalised(said)
    assert all(len(g) == n or g == plain for g in text.character_ngrams(said, n))
