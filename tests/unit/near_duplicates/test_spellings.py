from __future__ import annotations

import pytest

from app.domain.near_duplicates import spellings


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("do", "o", True),
        ("please", "plese", True),
        ("the", "he", True),
        ("to", "t", True),
        ("that", "hat", False),
        ("then", "ten", False),
        ("hello", "hell", False),
        ("menu", "men", False),
        ("do", "do", False),
        ("is", "in", False),
    ],
)
def test_a_word_that_may_come_and_go_lost_a_letter(left: str, right: str, expected: bool) -> None:
    assert spellings.lost_a_letter(left, right) is expected
    assert spellings.lost_a_letter(right, left) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("python", "pytho样n", True),
        ("zoom", "选oom", True),
        ("我", "你", False),
        ("app", "应用", False),
        ("a-b", "a样b", False),
    ],
)
def test_a_character_of_another_script_in_a_word_is_seen_on_either_side(
    left: str, right: str, expected: bool
) -> None:
    assert spellings.is_mixed(left, right) is expected
    assert spellings.is_mixed(right, left) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("card", "cards", True), ("walk", "walked", True), ("cart", "card", False), ("a", "as", False)],
)
def test_an_ending_leaves_a_word_what_it_is(left: str, right: str, expected: bool) -> None:
    assert spellings.is_inflected(left, right) is expected
    assert spellings.is_inflected(right, left) is expected
