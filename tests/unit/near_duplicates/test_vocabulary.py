from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import text
from app.domain.near_duplicates import buckets, minhash, vocabulary
from app.domain.near_duplicates.buckets import Characters
from app.domain.near_duplicates.pairwise_comparison import exact_jaccard

_SET = [
    f"{ask} the {what} near {where}"
    for ask in ("please show", "kindly find")
    for what in ("weather", "restaurant", "pharmacy")
    for where in ("Rome", "Oslo", "Paris")
] + [f"请{ask}{what}" for ask in ("查一下", "告诉我") for what in ("天气预报", "火车时刻", "酒店价格")]


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        ("please show the weather near Rome", "please show the pharmacy near Rome", True),
        ("please show the weather near Rome", "please show the wether near Rome", False),
        ("please show the weather near Rome", "show weather near Rome", False),
        ("please show the weather near Rome", "plaese shwo teh wether naer Rmoe", False),
        ("请查一下天气预报", "请查一下酒店价格", True),
        ("请查一下天气预报", "请查一下天汽预报", False),
        ("", "please show the weather", False),
    ],
)
def test_words_that_the_set_knows_tell_two_rows_apart(left: str, right: str, *, told: bool) -> None:
    read = minhash.read([*_SET, left, right])
    n = len(_SET)
    assert vocabulary.other_words(read, np.array([[n, n + 1], [n, n]])).told.tolist() == [told, False]


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        # The same words, two of them in each other's place.
        ("please show the weather near Rome", "please weather the show near Rome", 2),
        # Behind a word that was put in the places are counted from the end.
        ("please show the weather near Rome", "please find now the pharmacy near Oslo", 2),
        ("please show the weather near Rome", "please show the pharmacy near Rome", 1),
        # Nothing stands in another word's place: one moved, one was left out, one is a slip.
        ("please show the weather near Rome", "show the weather near Rome please", 0),
        ("please show the weather near Rome", "show weather near Rome", 0),
        ("please show the weather near Rome", "please shoow the weather naer Rome", 0),
        ("请查一下天气预报", "请查一下酒店价格", 0),
        ("", "please show the weather", 0),
    ],
)
def test_words_in_the_place_of_others_tell_two_rows_apart(left: str, right: str, words: int) -> None:
    read = minhash.read([*_SET, left, right, *["now", "now"]])
    rows = np.array([len(_SET), len(_SET) + 1])
    spaced = vocabulary.spaced_words(read, rows)
    told = vocabulary.replaced_words(read, np.array([rows, rows[::-1]]), np.array([spaced, spaced[::-1]]))
    assert told.words.tolist() == [words, words]
    assert told.told.tolist() == [words > 1] * 2


def test_texts_too_long_to_be_kept_in_words_tell_nothing() -> None:
    read = minhash.read(["x y " * 20_000, "x z " * 20_000, ""])
    assert not vocabulary.other_words(read, np.array([[0, 1], [0, 2]])).told.any()
    assert vocabulary.known_share(read, np.array([0, 2])).tolist() == [1, 1]


def test_a_garbled_row_has_fewer_known_words() -> None:
    read = minhash.read([*_SET, _SET[0], "plaese show teh weather near Rome", ""])
    n = len(_SET)
    assert vocabulary.known_share(read, np.array([0, n + 1, n + 2])).tolist() == pytest.approx([1, 4 / 6, 1])


def test_a_word_has_one_number_wherever_it_stands() -> None:
    found, lengths = buckets.words(Characters.of(["cards, Cards and cards", "我的cards", "", "😀"]))
    assert lengths.tolist() == [4, 4, 0, 0]
    cards = buckets.named(["cards"])[0]
    assert (found == cards).tolist() == [True, False, False, True, True, False, False, False]
    assert buckets.named(["我的", "cards", " 我"]).tolist() == [found[6], cards, found[5]]
    # A function word is marked as one, and so is a pair with such a character.
    assert [bool(w & buckets.FUNCTION) for w in buckets.named(["the", "cards", "我的"])] == [
        True,
        False,
        True,
    ]


def test_signatures_estimate_the_jaccard_of_shingles_of_three() -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz "))
    base = rng.choice(letters, 900)
    for share in (0.0, 0.05, 0.2, 0.6):
        other = np.where(rng.random(900) < share, rng.choice(letters, 900), base)
        left, right = "".join(base), "".join(other)
        grams = [text.character_ngrams(t, 3) for t in (left, right)]
        exact = len(grams[0] & grams[1]) / len(grams[0] | grams[1])
        made = minhash.signatures([left, right])
        assert float(minhash.jaccard(made[0], made[1])) == pytest.approx(exact, abs=0.13)
    assert exact_jaccard("", "") == 0


@given(st.text(alphabet="-1,2.a 0_x中３\n", max_size=30))
def test_numbers_are_the_ones_of_a_plain_search(of: str) -> None:
    plain = unicodedata.normalize("NFKC", of)
    found = re.findall(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?|\d+(?:\.\d+)?", plain)
    assert len(text.numbers(of)) == len(found)
    assert [n.replace(",", "") for n in found if "." not in n] == [
        n for n, f in zip(text.numbers(of), found, strict=True) if "." not in f
    ]


@given(st.text(alphabet="aB .!\t\n\x1c\u00a0é中", max_size=20))
def test_normalising_is_idempotent_and_leaves_single_spaces(of: str) -> None:
    plain = text.normalised(of)
    assert text.normalised(plain) == plain
    assert plain == " ".join(plain.split())
