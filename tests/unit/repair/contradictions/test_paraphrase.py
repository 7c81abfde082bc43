"""Same meaning is learnt from repeated outputs, and guessed from the pairs where there are none."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.estimators import quantile_bins
from app.domain.repair.contradictions import paraphrase
from tests.effort import examples


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _topics(rng: np.random.Generator, topics: int, rows: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    of = np.repeat(np.arange(topics), rows)
    vectors = _unit(rng.normal(size=(topics, 32))[of] + 0.4 * rng.normal(size=(len(of), 32)))
    return [f"question about topic{t} number{i}" for i, t in enumerate(of)], vectors, of


def test_two_embedders_side_by_side_give_the_mean_of_their_cosines() -> None:
    rng = np.random.default_rng(0)
    first, second = _unit(rng.normal(size=(6, 8))), _unit(rng.normal(size=(6, 5)))

    joined = paraphrase.side_by_side({"a": first, "b": second})

    np.testing.assert_allclose(joined @ joined.T, (first @ first.T + second @ second.T) / 2, atol=1e-6)


def test_the_lowest_cosine_is_the_less_sure_embedders() -> None:
    first = _unit(np.array([[1.0, 0.0], [1.0, 0.0]]))
    second = _unit(np.array([[1.0, 0.0], [0.0, 1.0]]))
    views = paraphrase.look(["a", "b"], {"a": first, "b": second})

    made = paraphrase.columns(views, np.array([0]), np.array([1]))[0]

    np.testing.assert_allclose(made[:2], [0.5, 0.0], atol=1e-6)


def test_same_meaning_is_learnt_from_outputs_in_spite_of_wrong_ones() -> None:
    rng = np.random.default_rng(1)
    texts, vectors, topics = _topics(rng, 60, 6)
    outputs = topics.copy()
    noisy = rng.choice(len(outputs), 36, replace=False)
    outputs[noisy] = rng.integers(0, 60, 36)
    views = paraphrase.look(texts, {"made": vectors})

    model = paraphrase.learn(views, outputs, np.random.default_rng(0))

    assert model is not None
    left, right = paraphrase.near_pairs(views.neighbors)
    chance = model.of(paraphrase.columns(views, left, right))
    assert ((chance > 0.5) == (topics[left] == topics[right])).mean() > 0.97


def test_nothing_is_learnt_where_no_output_repeats() -> None:
    texts, vectors, topics = _topics(np.random.default_rng(2), 30, 3)
    views = paraphrase.look(texts, {"made": vectors})

    assert paraphrase.learn(views, np.arange(len(topics)), np.random.default_rng(0)) is None


def test_every_near_pair_is_listed_once() -> None:
    texts, vectors, _ = _topics(np.random.default_rng(3), 10, 4)
    views = paraphrase.look(texts, {"made": vectors})

    left, right = paraphrase.near_pairs(views.neighbors)

    assert (left < right).all()
    assert len(set(zip(left.tolist(), right.tolist(), strict=True))) == len(left)


def test_without_outputs_the_two_humps_of_closeness_are_told_apart() -> None:
    rng = np.random.default_rng(4)
    count = 400
    base = _unit(rng.normal(size=(count, 32)))
    same = rng.random(count) < 0.5
    other = _unit(base + np.where(same, 0.05, 0.25)[:, None] * rng.normal(size=(count, 32)))
    texts = [f"words{i} here" for i in range(count)] * 2
    views = paraphrase.look(texts, {"made": np.vstack([base, other])})

    chance = paraphrase.without_outputs(
        views, np.arange(count), np.arange(count) + count, np.random.default_rng(0)
    )

    assert ((chance > 0.5) == same).mean() > 0.95


def test_a_telling_difference_lowers_the_chance() -> None:
    vectors = _unit(
        np.array([[1.0, 0.1, 0], [1.0, 0, 0.1], [1.0, 0.1, 0], [1.0, 0, 0.1], [0, 1, 0], [0, 0, 1]])
    )
    texts = ["freeze my card", "freeze this card", "freeze my card", "unfreeze this card", "hello", "bye"]
    views = paraphrase.look(texts, {"made": vectors})

    chance = paraphrase.without_outputs(
        views, np.array([0, 2, 4]), np.array([1, 3, 5]), np.random.default_rng(0)
    )

    assert chance[0] > chance[1] > chance[2]


@settings(max_examples=examples(25))
@given(rows=st.integers(1, 40), seed=st.integers(0, 1000))
def test_bins_keep_the_order_of_values(rows: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(rows, 2)).astype(np.float32)

    binned = quantile_bins.bins(values).of(values)

    for column in range(2):
        order = np.argsort(values[:, column], kind="stable")
        assert (np.diff(binned[order, column]) >= 0).all()
