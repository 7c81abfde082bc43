from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.domain.language import phrases

TOPICS = ("characters", "placeholders")


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


@pytest.mark.parametrize("topic", TOPICS)
def test_every_list_names_a_word_once(topic: str) -> None:
    tables = tomllib.loads((Path(phrases.__file__).parent / "data" / f"{topic}.toml").read_text("utf-8"))
    for table in tables.values():
        for words in table.values():
            assert len(words) == len(set(words))
            assert all(word.strip() == word != "" for word in words)
