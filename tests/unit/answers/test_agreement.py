"""Neighbours, near-duplicates and agreement of outputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.answers import agreement
from tests.effort import examples
from tests.unit.diagnosis.builders import embed


def _unit(rows: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(rows, 16)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_the_nearest_rows_come_first_with_their_cosines() -> None:
    corpus, queries = _unit(50), _unit(7, seed=1)
    found = agreement.nearest(queries, corpus, 5)
    exact = queries @ corpus.T
    assert (found.indices == np.argsort(-exact, axis=1)[:, :5]).all()
    assert found.similarities == pytest.approx(-np.sort(-exact, axis=1)[:, :5], abs=1e-5)


def test_a_small_corpus_leaves_the_rest_of_the_neighbours_empty() -> None:
    found = agreement.nearest(_unit(2), _unit(3, seed=1), 5)
    assert found.present.sum(axis=1).tolist() == [3, 3]
    assert (found.similarities[:, 3:] == -1).all()


def test_no_corpus_and_no_queries_are_no_errors() -> None:
    assert not agreement.nearest(_unit(2), np.zeros((0, 16), np.float32), 3).present.any()
    assert agreement.nearest(np.zeros((0, 16), np.float32), _unit(2), 3).indices.shape == (0, 3)


@given(st.integers(1, 12), st.integers(1, 14))
def test_a_row_is_never_its_own_neighbour(rows: int, k: int) -> None:
    corpus = np.tile(_unit(1), (rows, 1))
    found = agreement.nearest_others(corpus, k)
    assert (found.indices != np.arange(rows)[:, None]).all()
    assert (found.present.sum(axis=1) == min(k, rows - 1)).all()


def test_near_copies_are_found_and_different_texts_are_not() -> None:
    texts = [
        "how do I get a refund for the order that I returned last week",
        "how do I get a refund for the order that I returned last week?",
        "how do I get a refund for an order that I returned last week please",
        "the weather in Lisbon is mild in the spring",
        "",
        "",
    ]
    found = agreement.near_duplicates(texts, 0.6)
    assert [0, 1] in found.pairs.tolist()
    assert all(max(pair) <= 2 for pair in found.pairs.tolist())
    assert (found.jaccards >= 0.6).all()


def test_chinese_near_copies_are_found() -> None:
    found = agreement.near_duplicates(
        ["请帮我查一下我的快递到哪里了", "请帮我查一下我的快递到哪里了呢", "今天天气很好"], 0.7
    )
    assert found.pairs.tolist() == [[0, 1]]


def test_a_thousand_copies_cost_pairs_in_proportion_not_squared() -> None:
    found = agreement.near_duplicates(["the very same text again"] * 1000, 0.8)
    assert len(found.pairs) < 3000
    assert set(found.pairs[:, 1].tolist()) == set(range(1, 1000))


@settings(max_examples=examples(20))
@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_estimated_jaccard_is_symmetric_and_one_for_equals(left: str, right: str) -> None:
    made = agreement.signatures([left, right])
    assert agreement.jaccard(made[0], made[1]) == agreement.jaccard(made[1], made[0])
    if left.strip() and made[0].any():
        assert agreement.jaccard(made[0], made[0]) == 1.0


def _agree(left: str, right: str, labels: tuple[str, ...] = (), cut: float = 0.7) -> bool:
    known = agreement.labels_of([*labels, *labels])
    a = agreement.commitments([left], embed([left]), known)
    b = agreement.commitments([right], embed([right]), known)
    at = np.zeros(1, dtype=np.int64)
    return bool(agreement.outputs_agree(a, at, b, at, same_meaning_cosine=cut)[0])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Refund", "refund."),
        ("It is 3 + 4.\nFinal answer: 7", "Adding up gives seven.\n#### 7"),
        ("算式：3+4\n答案：7", "先算 3 加 4\n答案：7"),
        ("You can get your money back in 14 days", "You can get back your money in 14 days"),
    ],
)
def test_outputs_that_say_the_same_agree(left: str, right: str) -> None:
    assert _agree(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("refund", "refund status"),
        ("It is 3 + 4.\nFinal answer: 7", "It is 3 + 4.\nFinal answer: 8"),
        ("You can get your money back in 14 days", "You can get your money back in 30 days"),
        ("You can get your money back in 14 days", "You can not get your money back in 14 days"),
        ("我们可以在十四天内给您办理退款的", "我们不可以在十四天内给您办理退款的"),
        ("", ""),
    ],
)
def test_outputs_that_contradict_each_other_do_not_agree(left: str, right: str) -> None:
    assert not _agree(left, right)


def test_labels_agree_only_when_equal_however_near_they_are() -> None:
    labels = ("ask for a refund of the order", "ask for the refund of an order")
    assert not _agree(*labels, labels=labels, cut=0.1)


def test_an_output_that_repeats_is_a_label() -> None:
    assert len(agreement.labels_of(["a", "A.", "b", "", ""])) == 1


@given(st.text(max_size=20), st.text(max_size=20))
def test_agreement_is_symmetric(left: str, right: str) -> None:
    assert _agree(left, right) == _agree(right, left)


def test_the_cut_for_the_same_meaning_lies_above_what_unrelated_outputs_reach() -> None:
    cut = agreement.meaning_cut(_unit(400), np.random.default_rng(0))
    assert 0.5 < cut < 1.0
    assert agreement.meaning_cut(np.zeros((0, 16), np.float32), np.random.default_rng(0)) == 0.8
