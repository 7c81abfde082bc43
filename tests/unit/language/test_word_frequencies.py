from __future__ import annotations

import math

import pytest

from app.domain.language import word_frequencies


@pytest.mark.parametrize(
    ("word", "of"), [("wether", "whether"), ("inflenza", "influenza"), ("recieve", "receive")]
)
def test_what_english_hardly_knows_is_a_misspelling_of_what_it_knows_well(word: str, of: str) -> None:
    assert word_frequencies.is_misspelling(word, of)
    assert not word_frequencies.is_misspelling(of, word)


@pytest.mark.parametrize(
    ("left", "right"),
    [("whether", "weather"), ("Xyqzw", "Xyqzv"), ("menu", "men"), ("bit", "byte"), ("tehh", "the")],
)
def test_known_words_unknown_ones_and_short_ones_are_no_misspellings_of_each_other(
    left: str, right: str
) -> None:
    assert not word_frequencies.is_misspelling(left, right)
    assert not word_frequencies.is_misspelling(right, left)


def test_chinese_reads_likelier_with_its_words_whole() -> None:
    assert word_frequencies.log_likelihood("") == 0
    assert word_frequencies.log_likelihood("我的手机") - word_frequencies.log_likelihood(
        "我的手几"
    ) > math.log(20)
    # another word reads about as well
    assert abs(
        word_frequencies.log_likelihood("北京天气") - word_frequencies.log_likelihood("南京天气")
    ) < math.log(20)
    # a character that no list has counts once in 100,000, not never
    assert word_frequencies.log_likelihood("㐂") == pytest.approx(math.log(1e-5))


def test_the_word_around_a_character_is_the_most_frequent_one() -> None:
    assert word_frequencies.word_at("我买手机了", 2) == (2, 4)
    assert word_frequencies.word_at("我买手机了", 3) == (2, 4)
    assert word_frequencies.word_at("㐂㐃㐄", 1) is None
    assert word_frequencies.word_at("手", 0) is None


@pytest.mark.parametrize("character", ["㐂", "個", "불", "骉"])
def test_characters_of_names_and_other_writing_are_rare(character: str) -> None:
    assert word_frequencies.is_rare_character(character)
    assert not word_frequencies.is_rare_character("手")
