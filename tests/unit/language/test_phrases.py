from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.domain.language import phrases

TOPICS = (
    "absent_material",
    "answer_marks",
    "characters",
    "difficulty",
    "negation",
    "personal_data",
    "placeholders",
    "refusals",
    "requests",
    "sentence_patterns",
    "stop_words",
    "turns",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Which token ends a turn?", True),
        ("A UTF-8 file", True),
        ("a utf8 file", True),
        ("How is it encoded?", True),
        ("全角怎么转半角？", True),
        ("Wie viele Leerzeichen?", True),
        ("My parcel is late", False),
        ("untokened", False),
        ("我的包裹在哪里？", False),
    ],
)
def test_a_word_stands_by_itself_and_a_starred_one_goes_on(text: str, found: bool) -> None:
    assert (phrases.pattern("characters").search(text) is not None) is found


def test_words_are_alternatives_of_a_longer_pattern_the_longest_first() -> None:
    assert phrases.one_of("personal_data", "province") == "特别行政区|自治区|省"
    assert phrases.listed("requests", "no", "zh") == ("不", "否", "没", "错")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_list_names_a_word_once(topic: str) -> None:
    tables = tomllib.loads((Path(phrases.__file__).parent / "data" / f"{topic}.toml").read_text("utf-8"))
    for table in tables.values():
        for words in table.values():
            assert len(words) == len(set(words))
            assert all(word.strip() == word != "" for word in words)
