"""Neighbourhoods, relevance, coverage, interleaving: the measures under a verdict."""

import numpy as np
import pytest

from app.domain.diagnosis import conflict, coverage, hardness
from app.domain.diagnosis.interleaving import interleaving
from app.domain.diagnosis.lens import FEATURES, lens, usable_columns
from app.domain.diagnosis.neighborhood import TrainingSet, read_training_set
from app.domain.diagnosis.simulation import CAUSES, simulate
from app.domain.diagnosis.views import Vectors, texts_of
from app.domain.records import RootCause, TrainingExample
from tests.unit.diagnosis.builders import case, embed, example, intents, vectors_of


def _read(rows: list[TrainingExample]) -> TrainingSet:
    tasks = np.zeros(len(rows), dtype=np.int64)
    return read_training_set(texts_of(rows, []), vectors_of(rows, []), tasks, np.random.default_rng(0))


def test_near_rows_of_an_intent_set_are_expected_to_agree_and_far_ones_are_not() -> None:
    training = _read(intents())
    relevance = conflict.learn_relevance(training, np.random.default_rng(0))
    chance = relevance.of(training.sampled, np.zeros(len(training.sample), dtype=np.int64))
    assert chance[:, 0].mean() > 0.8
    assert chance[training.sampled.cosine < 0.3].mean() < 0.3


def test_relevance_is_calibrated_on_the_set_itself() -> None:
    training = _read(intents())
    relevance = conflict.learn_relevance(training, np.random.default_rng(0))
    near = training.sampled.first(12)
    chance = relevance.of(near, np.zeros(len(near), dtype=np.int64))
    assert chance.mean() == pytest.approx(near.expected.mean(), abs=0.05)


def test_where_equal_prompts_have_all_answers_nothing_is_expected_to_agree() -> None:
    training = _read([example(i, f"tell a joke {i % 4}", f"joke number {i}") for i in range(80)])
    relevance = conflict.learn_relevance(training, np.random.default_rng(0))
    assert relevance.of(training.sampled, np.zeros(len(training), dtype=np.int64)).max() < 0.5


def test_coverage_ranks_fall_with_distance() -> None:
    training = _read(intents())
    known = coverage.baselines(training)
    order = np.argsort(-training.sampled.cosine[:, 0])
    around = training.sampled.take(order)
    rows = np.zeros(len(order), dtype=np.int64)
    ranks = coverage.features(around, rows, known, rows + 25, training.label_rows)[:, 0]
    assert (np.diff(ranks) <= 1e-9).all()


def test_sides_that_mix_are_interleaved_and_sides_apart_are_not() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(0, 0.1, (12, 8)), rng.normal(0, 0.1, (12, 8))
    left[:, 0] += 1
    right[:, 1] += 1
    vectors = np.vstack([left, right]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.arange(24)[None, :]
    apart, mixed = np.arange(24) < 12, np.arange(24) % 2 == 0
    sides = np.stack([apart[None, :], mixed[None, :], np.zeros((1, 24), dtype=bool)])
    found = interleaving(sides, rows, vectors)[:, 0]
    assert found[0] < 0.15
    assert 0.7 < found[1] < 1.3
    assert found[2] == 0.0


def test_causes_are_simulated_in_equal_weight() -> None:
    training = _read(intents())
    made = simulate(lens(training, np.random.default_rng(0)), np.random.default_rng(1))
    weight = [made.weights[made.causes == CAUSES.index(c)].sum() for c in CAUSES]
    assert weight == pytest.approx([np.mean(weight)] * 3, rel=1e-6)
    assert made.features.shape == (len(made.causes), len(FEATURES))
    assert np.isfinite(made.features).all()


def test_simulated_conflicts_hold_more_contradiction_than_simulated_hard_cases() -> None:
    made = simulate(lens(_read(intents()), np.random.default_rng(0)), np.random.default_rng(1))
    column = FEATURES.index("support_share")
    support = {c: made.features[made.causes == CAUSES.index(c), column].mean() for c in CAUSES}
    assert support[RootCause.OOD] < support[RootCause.CONFLICT] < support[RootCause.HARD]


def test_a_case_without_expected_output_is_judged_without_what_needs_one() -> None:
    names = {FEATURES[i] for i in usable_columns(has_expected=False, has_output=True)}
    assert "support_share" not in names
    assert "nearest_rank" in names
    assert "model_interleaving" in names
    assert len(usable_columns(has_expected=True, has_output=True)) == len(FEATURES)


def test_demands_are_read_against_the_training_rows() -> None:
    demands = hardness.demands_of(["one", "one two", "one two three"], ["x", "x", "x"])
    found = demands.percentiles("a b c d, 5 and 6", "x = 5 + 6 = 11")
    assert found["prompt_tokens"] == {"value": 7, "more_than": 1.0}
    assert found["prompt_numbers"]["value"] == 2
    assert hardness.demands_of([], []).percentiles("a", "b")["prompt_tokens"]["more_than"] is None


def test_views_hold_the_texts_to_embed_and_their_vectors_in_the_order_of_the_rows() -> None:
    rows = [example(i, f"text {i}", "yes", instruction="Judge.") for i in range(3)]
    texts = texts_of(rows, [case("c", "Judge.\nmine", "no")])
    assert texts.example_inputs == ("text 0", "text 1", "text 2")
    assert texts.case_inputs == ("mine",)
    assert texts.case_expected == ("",)
    unique = texts.unique()
    assert sorted(unique) == sorted({"text 0", "text 1", "text 2", "yes", "mine", "no"})
    vectors = Vectors.from_lookup(texts, unique, embed(unique))
    assert vectors.example_inputs == pytest.approx(embed(texts.example_inputs))
    assert not vectors.case_expected.any()
    assert vectors.case_outputs.dtype == np.float32
