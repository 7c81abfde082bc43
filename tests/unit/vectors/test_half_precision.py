"""Vectors that are kept as float16 read like the float32 rows they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy import ndarray

from app.domain.vectors import half_precision, search
from app.domain.vectors.half_precision import UnitRows, unit
from app.domain.vectors.search import Index
from tests.effort import examples


def rows_of(count: int, texts: int, seed: int = 0) -> tuple[UnitRows, ndarray]:
    """``count`` rows over ``texts`` kept vectors, some of them empty; and the same as one wide array."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(texts, 8)).astype(np.float16)
    places = rng.integers(-1, texts, size=count).astype(np.int32)
    wide = np.where(places[:, None] >= 0, np.vstack([unit(table), np.zeros(8)])[places], 0).astype(np.float32)
    return UnitRows(table=table, places=places), wide


@settings(max_examples=examples(60))
@given(count=st.integers(0, 30), texts=st.integers(0, 9), seed=st.integers(0, 99))
def test_any_choice_of_rows_is_the_same_to_the_bit(count: int, texts: int, seed: int) -> None:
    kept, wide = rows_of(count, texts, seed)
    rng = np.random.default_rng(seed)
    square = rng.integers(count, size=(3, 4)) if count else np.zeros((0, 4), dtype=np.int64)
    choices = [slice(None), slice(2, 20, 3), rng.random(count) < 0.5, square]
    if count:
        choices.append(int(rng.integers(count)))
    assert (len(kept), kept.shape) == (len(wide), wide.shape)
    for chosen in choices:
        np.testing.assert_array_equal(kept[chosen], wide[chosen])
    np.testing.assert_array_equal(kept.taken(square.ravel())[:], wide[square.ravel()])


def test_a_small_table_is_widened_once_and_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, _ = rows_of(30, 9)
    once = UnitRows(table=half_precision.widened_once(kept.table), places=kept.places)
    assert (once.table.dtype, kept.table.dtype) == (np.float32, np.float16)
    np.testing.assert_array_equal(once[:], kept[:])
    monkeypatch.setattr(half_precision, "BLOCK_ROWS", 8)
    assert half_precision.widened_once(kept.table) is kept.table


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_sums_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(half_precision, "BLOCK_ROWS", block)
    kept, wide = rows_of(50, 20)
    classes = np.random.default_rng(1).integers(4, size=50)
    centres = np.stack([wide[classes == c].mean(axis=0) for c in range(4)])
    centred = wide - centres[classes]
    for vectors in (kept, wide):
        np.testing.assert_array_equal(half_precision.filled(vectors), np.flatnonzero(wide.any(axis=1)))
        np.testing.assert_allclose(half_precision.mean(vectors), wide.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(
            half_precision.scatter(vectors, centres, classes), centred.T @ centred, atol=1e-5
        )
        sums = half_precision.class_sums(vectors, classes, 5)
        np.testing.assert_allclose(sums[:4], centres * np.bincount(classes)[:, None], atol=1e-5)
        assert not sums[4].any()
        without = half_precision.class_sums(vectors, classes, 5, centres[0])
        np.testing.assert_allclose(without[0], 0.0, atol=1e-5)


def test_no_rows_have_no_sums() -> None:
    kept, _ = rows_of(0, 0)
    assert not half_precision.mean(kept).any()
    assert not half_precision.scatter(kept, half_precision.mean(kept)[None]).any()
    assert half_precision.class_sums(kept, np.empty(0, dtype=np.int64), 2).shape == (2, 8)
    assert half_precision.filled(kept).shape == (0,)


def test_kept_rows_are_searched_as_wide_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BLOCK_ROWS", 64)
    kept, wide = rows_of(300, 300)
    asked = wide[:40]
    for exact_rows in (1000, 100):
        narrow, broad = (Index.build(c, exact_rows=exact_rows).search(asked, 5) for c in (kept, wide))
        np.testing.assert_allclose(narrow.similarities, broad.similarities, atol=1e-6)
    near, broad = search.nearest(asked, kept, 5), search.nearest(asked, wide, 5)
    np.testing.assert_allclose(near.similarities, broad.similarities, atol=1e-6)
