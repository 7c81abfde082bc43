"""The map keeps neighbours together, gives the same picture twice, and survives data that is hardly any."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from app.domain.diagnosis.clusters import projection
from app.domain.diagnosis.clusters.projection import MAP_SCALE, Projection, project


def topics(
    rows: int, groups: int, *, seed: int = 0, spread: float = 0.12, dimensions: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around random centres, and the group of each."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((groups, dimensions))
    group = rng.integers(0, groups, rows)
    vectors = centres[group] / np.linalg.norm(centres[group], axis=1, keepdims=True)
    vectors = vectors + spread * rng.standard_normal((rows, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), group


def purity(places: np.ndarray, group: np.ndarray, k: int = 5) -> float:
    """The share of each place's ``k`` nearest places that belong to its own group."""
    distance = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((group[np.argsort(distance, axis=1)[:, :k]] == group[:, None]).mean())


@pytest.fixture(scope="module")
def drawn() -> Projection:
    """The map of ``topics(1_000, 40)`` and of cases about the same topics, ``topics(60, 40)``."""
    return project(topics(1_000, 40)[0], topics(60, 40)[0], rng=np.random.default_rng(3))


def test_neighbours_stay_neighbours_better_than_along_the_principal_components(drawn: Projection) -> None:
    (vectors, group), made = topics(1_000, 40), drawn
    components = vectors @ np.linalg.eigh(vectors.T @ vectors)[1][:, -2:]
    kept = trustworthiness(vectors, made.examples, n_neighbors=10)
    assert kept > 0.9
    assert kept > trustworthiness(vectors, components, n_neighbors=10) + 0.1
    assert purity(made.examples, group) > 0.95


def test_rows_that_are_not_landmarks_join_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "LANDMARKS", 400)
    vectors, group = topics(2_000, 20)
    made = project(vectors, vectors[:50], rng=np.random.default_rng(0))
    assert trustworthiness(vectors, made.examples, n_neighbors=10) > 0.85
    assert purity(made.examples, group) > 0.95
    # A case that equals a row lies at its row.
    apart = np.linalg.norm(made.cases - made.examples[:50], axis=1)
    assert np.median(apart) < 0.05


def test_cases_that_nothing_covers_make_an_island_of_their_own(drawn: Projection) -> None:
    vectors, _ = topics(1_000, 40)
    strange, _ = topics(30, 1, seed=2)
    made = project(vectors, strange, rng=np.random.default_rng(0), known=drawn.examples)
    everything = np.concatenate([made.examples, made.cases])
    nearest = np.argsort(((made.cases[:, None] - everything[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
    assert (nearest >= len(vectors)).mean() > 0.9


def test_the_same_seed_gives_the_same_map(drawn: Projection) -> None:
    second = project(topics(1_000, 40)[0], topics(60, 40)[0], rng=np.random.default_rng(3))
    assert np.array_equal(drawn.examples, second.examples)
    assert np.array_equal(drawn.cases, second.cases)


@pytest.mark.parametrize("rows", [0, 1, 2, 13, 14, 40])
@pytest.mark.parametrize("cases", [0, 1, 30])
@pytest.mark.parametrize("alike", [True, False])
def test_places_are_finite_and_on_the_map_however_little_there_is(rows: int, cases: int, alike: bool) -> None:
    rng = np.random.default_rng(rows)
    vectors = rng.standard_normal((rows + cases, 8)).astype(np.float32)
    if alike:
        vectors[:] = 0.5
    made = project(vectors[:rows], vectors[rows:], rng=rng)
    assert made.examples.shape == (rows, 2)
    assert made.cases.shape == (cases, 2)
    everything = np.concatenate([made.examples, made.cases])
    assert everything.dtype == np.float32
    assert np.isfinite(everything).all()
    assert ((everything >= 0) & (everything <= 1)).all()


def test_rows_without_any_known_word_have_a_place_too() -> None:
    vectors, _ = topics(300, 5)
    vectors[:40] = 0.0
    made = project(vectors, vectors[:5], rng=np.random.default_rng(0))
    assert np.isfinite(made.examples).all()


def test_rows_that_have_their_places_keep_them_and_the_cases_lie_as_before(drawn: Projection) -> None:
    (vectors, _), (cases, _), first = topics(1_000, 40), topics(60, 40), drawn
    again = project(vectors, cases, rng=np.random.default_rng(3), known=first.examples)
    assert np.array_equal(again.examples, first.examples)
    assert np.array_equal(again.cases, first.cases)
    others = project(vectors, cases[:20], rng=np.random.default_rng(9), known=first.examples)
    assert np.array_equal(others.examples, first.examples)


def test_places_of_another_set_are_not_taken() -> None:
    vectors, _ = topics(300, 5)
    made = project(
        vectors, vectors[:0], rng=np.random.default_rng(0), known=np.full((299, 2), 0.5, np.float32)
    )
    assert len(np.unique(made.examples, axis=0)) > 250


def test_a_case_lies_among_the_rows_of_its_topic(drawn: Projection) -> None:
    (_, group), (_, group_of_case), made = topics(1_000, 40), topics(60, 40), drawn
    distance = ((made.cases[:, None] - made.examples[None]) ** 2).sum(axis=2)
    assert (group[np.argsort(distance, axis=1)[:, :5]] == group_of_case[:, None]).mean() > 0.9


def test_the_places_are_on_the_grid_that_maps_are_kept_on(drawn: Projection) -> None:
    for places in (drawn.examples, drawn.cases):
        kept = np.round(places * MAP_SCALE).astype(np.uint16)
        assert np.array_equal((kept / MAP_SCALE).astype(np.float32), places)
