from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.near_duplicates.diff_runs import Runs

_WORDS = st.lists(st.sampled_from(["show", "my", "order", "don't", "天", "气", "+", "no"]), max_size=12)


@given(st.lists(st.tuples(_WORDS, _WORDS), max_size=5))
def test_the_left_text_becomes_the_right_one_where_its_runs_are_replaced(
    pairs: list[tuple[list[str], list[str]]],
) -> None:
    runs = Runs.of([(" ".join(left), " ".join(right)) for left, right in pairs])
    for pair, (left, right) in enumerate(pairs):
        made, at = list[str](), 0
        for run in range(int(runs.begins[pair]), int(runs.begins[pair + 1])):
            i, j, _, _ = runs.places[run]
            ours, theirs = runs.sides(run, pair)
            assert ours == tuple(runs.tokens[pair][0][i:j])
            assert (runs.left[run], runs.right[run]) == ("".join(ours), "".join(theirs))
            made += [*left[at:i], *theirs]
            at = j
        # What is cut into other pieces is no difference.
        assert "".join([*made, *left[at:]]) == "".join(right)


def test_words_in_other_pieces_are_no_run() -> None:
    runs = Runs.of([("open the data base now", "open the database now"), ("a b", "a c")])
    assert runs.begins.tolist() == [0, 0, 1]
    assert runs.owners().tolist() == [1]
    assert runs.around(0, 1) == (("a", " "), ("a", " "))


@pytest.mark.parametrize(
    ("left", "right", "concentrated"),
    [
        (
            "please show me the restaurant in the street",
            "please show me the pharmacist in the street",
            [True],
        ),
        (
            "please show me the restaurant in the street",
            "please show me the restuarant in the street",
            [False],
        ),
        ("aaaa bbbb", "cccc dddd", [False]),
    ],
)
def test_edits_that_all_lie_in_one_word_are_concentrated(
    left: str, right: str, concentrated: list[bool]
) -> None:
    runs = Runs.of([(left, right)])
    assert runs.concentrated().tolist() == concentrated
    assert runs.cjk().tolist() == [False] * len(concentrated)


def test_no_pairs_have_no_runs() -> None:
    runs = Runs.of([("", ""), ("?", "!")])
    assert runs.begins.tolist() == [0, 0, 0]
    assert not runs.concentrated().size
    assert not Runs.of([]).sizes.size
