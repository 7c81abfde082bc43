from __future__ import annotations

import numpy as np
import pytest

from app.domain.near_duplicates import lsh, signatures
from app.domain.near_duplicates.comparison import Comparison
from app.domain.near_duplicates.lsh import CANDIDATES_PER_ROW
from app.domain.near_duplicates.signatures import PERMUTATIONS


def test_the_curve_is_the_one_of_the_book() -> None:
    # Mining of Massive Datasets, 3.4.2.
    assert lsh.met_probability(0.5) == pytest.approx(1 - (1 - 0.125) ** lsh.BANDS)
    assert lsh.met_probability(0.0) == 0
    assert lsh.met_probability(1.0) == 1
    assert list(lsh.curve().values()) == sorted(lsh.curve().values())


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_pairs_meet_as_often_as_the_curve_says(share: float) -> None:
    rng = np.random.default_rng(0)
    texts = 600
    left = rng.integers(0, 1 << 32, (texts, PERMUTATIONS)).astype(np.uint32)
    same = rng.random(left.shape) < share
    right = np.where(same, left, rng.integers(0, 1 << 32, left.shape)).astype(np.uint32)
    found, _ = lsh.candidate_pairs(np.concatenate([left, right]), np.zeros(2 * texts, np.int64))
    met = len({(a, b) for a, b in found.tolist() if b == a + texts}) / texts
    assert met == pytest.approx(lsh.met_probability(share), abs=0.06)


@pytest.mark.parametrize("kind", ["versions of one template", "random"])
def test_there_are_at_most_a_few_pairs_for_each_row(kind: str) -> None:
    rng = np.random.default_rng(0)
    rows = 1000
    made = rng.integers(0, 1 << 32, (rows, PERMUTATIONS)).astype(np.uint32)
    if kind != "random":
        made = np.where(rng.random(made.shape) < 0.9, made[0], made).astype(np.uint32)
    found, alike = lsh.candidate_pairs(made, np.zeros(rows, np.int64))
    assert len(found) <= CANDIDATES_PER_ROW * rows
    assert len(found) == len(alike)
    assert len(found) > 0 or kind == "random"
    assert found.tolist() == sorted(found.tolist())
    assert (found[:, 0] < found[:, 1]).all()


def test_a_row_keeps_the_candidates_that_are_most_alike() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 1 << 32, PERMUTATIONS).astype(np.uint32)
    other = rng.integers(0, 1 << 32, (2 * CANDIDATES_PER_ROW, PERMUTATIONS)).astype(np.uint32)
    shares = np.linspace(0.5, 0.95, len(other))
    rows = np.where(np.arange(PERMUTATIONS) < shares[:, None] * PERMUTATIONS, base, other)
    found, alike = lsh.candidate_pairs(np.vstack([base, rows]), np.zeros(len(rows) + 1, np.int64))
    assert (alike == lsh.estimated(np.vstack([base, rows]), found)).all()
    partners = {b for a, b in found.tolist() if a == 0}
    assert {*range(len(rows) - CANDIDATES_PER_ROW + 1, len(rows) + 1)} <= partners | {0}


def test_rows_that_must_stay_apart_never_meet() -> None:
    made = signatures.signatures(["one and the same text"] * 10)
    found, _ = lsh.candidate_pairs(made, np.arange(10) // 5)
    assert len(found) > 0
    assert all(a // 5 == b // 5 for a, b in found.tolist())


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_have_no_pairs(rows: int) -> None:
    made = np.zeros((rows, PERMUTATIONS), dtype=np.uint32)
    found, alike = lsh.candidate_pairs(made, np.zeros(rows, np.int64))
    assert found.shape == (0, 2)
    assert alike.shape == (0,)


@pytest.mark.parametrize("text", ["", "the very same text", "\ud800 x"])
def test_many_equal_rows_are_one_group_of_as_many_pairs(text: str) -> None:
    found = Comparison.of([text] * 5000, [""] * 5000, 0.8).found()
    assert len(found) == (4999 if text else 0)
