from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import text_diff

_TEXTS = st.text(alphabet="ab 退货，30.\n", max_size=40)


def _applied(old: list[str], new: list[str], changes: list[text_diff.Change]) -> list[str]:
    made, at = list[str](), 0
    for change in changes:
        made += old[at : change.start] + new[change.new_start : change.new_end]
        at = change.end
    return made + old[at:]


@given(_TEXTS, _TEXTS)
def test_changes_make_the_new_text_of_the_old_one(before: str, after: str) -> None:
    old, new = text_diff.words(before), text_diff.words(after)
    found = text_diff.changes(old, new)
    assert _applied(old, new, found) == new
    assert all(a.end < b.start and a.new_end < b.new_start for a, b in pairwise(found))
    joined = text_diff.joined(found, old, new, over=lambda between: len(between) < 3)
    assert _applied(old, new, joined) == new


@given(_TEXTS)
def test_both_ways_to_cut_a_text_lose_nothing(of: str) -> None:
    assert "".join(text_diff.words(of)) == "".join(text_diff.pieces(of)) == of


def test_what_is_attached_to_a_word_is_cut_off_or_not() -> None:
    assert text_diff.words("a.b@c 三天") == ["a", ".", "b", "@", "c", " ", "三", "天"]
    assert text_diff.pieces("a.b@c 三天") == ["a.b@c", " ", "三", "天"]


def test_changes_with_a_gap_between_them_become_one_without_what_both_share_at_the_ends() -> None:
    old, new = text_diff.words("it costs 5 EUR today"), text_diff.words("it is free today")
    joined = text_diff.joined(text_diff.changes(old, new), old, new, over=lambda between: between == [" "])
    assert ["".join(old[c.start : c.end]) for c in joined] == ["costs 5 EUR"]
    assert ["".join(new[c.new_start : c.new_end]) for c in joined] == ["is free"]
