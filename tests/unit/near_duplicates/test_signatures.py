from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import text
from app.domain.near_duplicates import signatures
from app.domain.near_duplicates.comparison import Comparison, exact_jaccard


def test_a_misspelt_row_has_fewer_known_words() -> None:
    texts = ["please show the weather near Rome"] * 2 + ["plaese show teh weather near Rome", ""]
    compared = Comparison.of(texts, [""] * 4, 0.8)
    assert compared.known_words(np.array([0, 2, 3])).tolist() == pytest.approx([1, 4 / 6, 1])


def test_words_are_counted_over_all_texts_and_pairs_of_characters_with_their_edges() -> None:
    read = signatures.read(["cards, Cards and cards", "我的cards", "", "😀"])
    assert read.words["cards"] == 4
    assert (read.words[" 我"], read.words["我的"], read.words["的 "]) == (1, 1, 1)
    assert len(read) == 4
    assert read.texts.tolist()[2] == 0


def test_signatures_do_not_depend_on_how_texts_are_cut_into_parts() -> None:
    texts = [f"text number {i} 第{i}条" for i in range(40)]
    whole = signatures.read(texts)
    parts = signatures.joined(signatures.read_part(texts[i : i + 7]) for i in range(0, 40, 7))
    assert (whole.values == parts.values).all()
    assert (whole.texts == parts.texts).all()
    assert (whole.numbers == parts.numbers).all()
    assert whole.words == parts.words
    assert len(signatures.read([])) == 0


def test_signatures_estimate_the_jaccard_of_shingles_of_three() -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz "))
    base = rng.choice(letters, 900)
    for share in (0.0, 0.05, 0.2, 0.6):
        other = np.where(rng.random(900) < share, rng.choice(letters, 900), base)
        left, right = "".join(base), "".join(other)
        grams = [text.character_ngrams(t, 3) for t in (left, right)]
        exact = len(grams[0] & grams[1]) / len(grams[0] | grams[1])
        made = signatures.signatures([left, right])
        assert float(signatures.jaccard(made[0], made[1])) == pytest.approx(exact, abs=0.13)
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
