from __future__ import annotations

import numpy as np
import pytest

from app.domain.near_duplicates import candidates, minhash
from app.domain.near_duplicates.candidates import BAND_ROWS, CANDIDATES_PER_ROW
from app.domain.near_duplicates.minhash import SKETCH_BINS
from app.domain.near_duplicates.nearest import Nearest
from app.domain.near_duplicates.pairwise_comparison import Comparison


def test_the_curve_is_the_one_of_the_book() -> None:
    # Mining of Massive Datasets, figure 3.8: 20 bands of 5 rows.
    assert candidates.pair_probability(0.5, 20, 5) == pytest.approx(0.470, abs=0.001)
    assert candidates.pair_probability(0.8, 20, 5) == pytest.approx(0.9996, abs=0.0001)
    assert candidates.pair_probability(0.0, 20, 5) == 0
    assert candidates.pair_probability(1.0, 20, 5) == 1
    assert list(candidates.curve().values()) == sorted(candidates.curve().values())


@pytest.mark.parametrize("share", [0.12, 0.3])
def test_pairs_meet_as_often_as_the_curve_says(share: float) -> None:
    rng = np.random.default_rng(0)
    texts = 600
    left = rng.integers(0, 1 << 16, (texts, SKETCH_BINS)).astype(np.uint16)
    same = rng.random(left.shape) < share
    right = np.where(same, left, rng.integers(0, 1 << 16, left.shape)).astype(np.uint16)
    found, _ = candidates.pairs(np.concatenate([left, right]), np.zeros(2 * texts, np.int64), lowest=0.0)
    met = len({(a, b) for a, b in found.tolist() if b == a + texts}) / texts
    assert met == pytest.approx(candidates.met_probability(share), abs=0.06)
    assert candidates.met_probability(share) < candidates.pair_probability(share, 64, BAND_ROWS)


@pytest.mark.parametrize("kind", ["versions of one template", "random"])
def test_there_are_at_most_a_few_pairs_for_each_row(kind: str) -> None:
    rng = np.random.default_rng(0)
    rows = 3000
    made = rng.integers(0, 1 << 16, (rows, SKETCH_BINS)).astype(np.uint16)
    if kind != "random":
        made = np.where(rng.random(made.shape) < 0.9, made[0], made).astype(np.uint16)
    found, alike = candidates.pairs(made, np.zeros(rows, np.int64))
    assert len(found) <= CANDIDATES_PER_ROW * rows
    assert len(found) == len(alike)
    assert len(found) > 0 or kind == "random"


@pytest.mark.parametrize(("rows", "each"), [(0, 3), (1, 3), (2, 3), (60, 1), (60, 4)])
def test_the_nearest_are_those_that_sorting_all_pairs_gives(rows: int, each: int) -> None:
    rng = np.random.default_rng(rows)
    pairs = [(a, b) for a in range(rows) for b in range(a + 1, rows)]
    order: list[int] = rng.permutation(len(pairs)).tolist()
    steps = rng.integers(0, 256, len(pairs)) / 255
    nearest = Nearest.of(rows, each)
    for start in range(0, len(order), 100):
        part = order[start : start + 100] * 2  # each is given twice
        first, second = (np.array([pairs[i][side] for i in part], dtype=np.int64) for side in (0, 1))
        nearest.take(first, second, steps[part].astype(np.float32))
    kept = [tuple(pair) for pair in nearest.pairs().tolist()]
    assert kept == sorted(set(kept))
    alike = dict(zip(pairs, steps.tolist(), strict=True))
    for row in range(rows):
        others = sorted((-value, pair) for pair, value in alike.items() if row in pair)[:each]
        assert {pair for value, pair in others if value < others[-1][0]} <= set(kept)
    assert len(kept) <= each * rows


def test_the_order_by_family_holds_every_pair_once_and_puts_those_of_a_row_together() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 40, (200, 2)) + np.repeat([[0], [50]], 100, axis=0)
    pairs = np.unique(np.sort(rows[rows[:, 0] != rows[:, 1]], axis=1), axis=0)
    order = candidates.by_family(pairs, 100)
    assert sorted(order.tolist()) == list(range(len(pairs)))
    families = pairs[order].min(axis=1) >= 50
    assert (np.diff(families.astype(int)) >= 0).all()
    assert candidates.by_family(np.empty((0, 2), np.int64), 3).tolist() == []


def test_rows_that_must_stay_apart_never_meet() -> None:
    signature = minhash.signatures(["one and the same text"] * 10)
    found, _ = candidates.pairs(signature, np.arange(10) // 5)
    assert len(found) > 0
    assert all(a // 5 == b // 5 for a, b in found.tolist())


@pytest.mark.parametrize("text", ["", "the very same text", "\ud800 x"])
def test_many_equal_rows_are_one_group_of_as_many_pairs(text: str) -> None:
    found = Comparison.of([text] * 5000, [""] * 5000, 0.8).found()
    assert len(found) == (4999 if text else 0)


def test_sketches_do_not_depend_on_how_texts_are_cut_into_parts() -> None:
    texts = [f"text number {i} 第{i}条" for i in range(40)]
    whole = minhash.read(texts)
    halves = minhash.joined(40, (minhash.read_part(texts[i : i + 7]) for i in range(0, 40, 7)))
    assert (whole.signatures == halves.signatures).all()
    assert (whole.counts == halves.counts).all()
    assert (whole.wholes == halves.wholes).all()
    assert (whole.numbers == halves.numbers).all()
    assert minhash.occurrences(whole.counts, ["text", "nowhere"]) == [40, 0]
