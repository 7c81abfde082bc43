"""Nearest rows: exact ones are the nearest, and an index finds nearly all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy import ndarray

from app.domain.vectors import search
from app.domain.vectors.search import Index
from tests.effort import examples


def unit(rows: ndarray) -> ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0).astype(np.float32)


def clustered(rows: int, dimensions: int = 32, topics: int = 60, seed: int = 0) -> ndarray:
    centres = np.random.default_rng(7).normal(size=(topics, dimensions))
    rng = np.random.default_rng(seed)
    return unit(centres[rng.integers(topics, size=rows)] + 0.5 * rng.normal(size=(rows, dimensions)))


def by_hand(queries: ndarray, corpus: ndarray, k: int) -> ndarray:
    near = queries.astype(np.float64) @ corpus.astype(np.float64).T
    return -np.sort(-near, axis=1)[:, :k]


def recall(found: ndarray, needed: ndarray) -> float:
    return float((found >= needed[:, : found.shape[1]] - 1e-6).mean())


@settings(max_examples=examples(60))
@given(
    rows=st.integers(0, 60),
    queries=st.integers(0, 30),
    k=st.integers(1, 12),
    half=st.booleans(),
    seed=st.integers(0, 99),
)
def test_exact_search_finds_the_largest_inner_products(
    rows: int, queries: int, k: int, half: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    corpus = unit(rng.normal(size=(rows, 8))).astype(np.float16 if half else np.float32)
    asked = unit(rng.normal(size=(queries, 8)))
    found = search.nearest(asked, corpus, k)
    held = min(k, rows)
    np.testing.assert_allclose(found.similarities[:, :held], by_hand(asked, corpus, k)[:, :held], atol=1e-5)
    assert (found.indices[:, held:] == -1).all()
    assert (found.similarities[:, held:] == -1).all()
    assert found.present[:, :held].all()
    each = np.take_along_axis(asked @ corpus.astype(np.float32).T, found.indices[:, :held], axis=1)
    np.testing.assert_allclose(found.similarities[:, :held], each, atol=1e-5)


@settings(max_examples=examples(30))
@given(rows=st.integers(2, 300), seed=st.integers(0, 99), copies=st.integers(1, 40), k=st.integers(1, 30))
def test_an_index_over_any_rows_gives_distinct_rows_with_their_similarities(
    rows: int, seed: int, copies: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    corpus = np.repeat(unit(rng.normal(size=(rows, 8))), copies, axis=0)
    asked = unit(rng.normal(size=(9, 8)))
    index = Index.build(corpus, exact_rows=1, seed=seed)
    found = index.search(asked, k)
    held = min(k, len(corpus))
    assert found.present[:, :held].all()
    assert all(len(set(row[:held].tolist())) == held for row in found.indices)
    each = np.take_along_axis(asked @ corpus.T, found.indices[:, :held], axis=1)
    np.testing.assert_allclose(found.similarities[:, :held], each, atol=1e-5)
    assert (np.diff(found.similarities[:, :held], axis=1) <= 1e-6).all()


def test_an_index_finds_nearly_all_neighbours_of_new_rows() -> None:
    corpus, asked = clustered(20_000), clustered(300, seed=1)
    index = Index.build(corpus, exact_rows=1000)
    assert index.probes <= len(index.centroids) / 2
    assert index.recall >= search.RECALL
    found = index.search(asked, search.ASKED_NEIGHBORS)
    assert recall(found.similarities, by_hand(asked, corpus, search.ASKED_NEIGHBORS)) >= 0.99


def test_half_precision_rows_find_the_neighbours_of_single_precision_ones() -> None:
    corpus, asked = clustered(5_000), clustered(50, seed=3)
    found = Index.build(corpus.astype(np.float16), exact_rows=1000).search(asked, 24)
    np.testing.assert_allclose(found.similarities[:, 0], by_hand(asked, corpus, 1)[:, 0], atol=2e-3)


def test_one_corpus_gives_one_index_and_it_survives_being_written_down() -> None:
    corpus, asked = clustered(5_000), clustered(70, seed=3)
    one, other = Index.build(corpus, exact_rows=1000), Index.build(corpus, exact_rows=1000)
    assert one.to_bytes() == other.to_bytes()
    read = Index.from_bytes(one.to_bytes(), corpus)
    np.testing.assert_array_equal(read.search(asked, 24).indices, one.search(asked, 24).indices)
    assert len(one.to_bytes()) < corpus.nbytes / 4
    with pytest.raises(ValueError, match="built over 5000 rows"):
        Index.from_bytes(one.to_bytes(), corpus[:-1])


def test_a_small_corpus_written_down_is_still_exact() -> None:
    corpus, asked = clustered(300), clustered(20, seed=3)
    read = Index.from_bytes(Index.build(corpus).to_bytes(), corpus)
    np.testing.assert_array_equal(read.search(asked, 5).indices, search.exact(asked, corpus, 5).indices)


def test_rows_that_are_all_equal_are_all_neighbours() -> None:
    corpus = np.repeat(unit(np.ones((1, 16))), 3000, axis=0)
    found = Index.build(corpus, exact_rows=100).search(corpus[:5], 24)
    assert found.present.all()
    np.testing.assert_allclose(found.similarities, 1.0, atol=1e-6)


def test_leaving_a_row_out_leaves_only_that_row_out() -> None:
    corpus = clustered(2_000)
    rows = np.arange(0, 2_000, 7)
    plain = search.nearest_others(corpus, 10, rows)
    near = corpus[rows] @ corpus.T
    near[np.arange(len(rows)), rows] = -2
    np.testing.assert_allclose(plain.similarities, -np.sort(-near, axis=1)[:, :10], atol=1e-5)
    listed = search.nearest_others(corpus, 10, rows, index=Index.build(corpus, exact_rows=100))
    assert (listed.indices != rows[:, None]).all()
    assert recall(listed.similarities, plain.similarities) >= 0.98


def test_many_queries_of_many_rows_go_through_an_index_and_few_do_not() -> None:
    assert search._is_cheap(10**6, 10**4)
    assert search._is_cheap(5000, 10**6)
    assert not search._is_cheap(10**5, 10**6)
