"""Neighbourhoods, relevance, coverage: the measures under a verdict."""

from functools import cache

import numpy as np
import pytest

from app.domain.diagnosis.evidence import difficulty
from app.domain.diagnosis.features import conflict, coverage
from app.domain.diagnosis.features.extractor import FEATURES, Reference, fit_reference, usable_columns
from app.domain.diagnosis.features.neighbors import TrainingSet, part_of, read_training_set
from app.domain.diagnosis.simulation.simulated_cases import CAUSES, Simulation, simulate
from app.domain.diagnosis.views import Vectors, texts_of
from app.domain.estimators import ridge_leave_one_out
from app.domain.evidence import Demand
from app.domain.records import RootCause, TrainingExample
from tests.unit.diagnosis.builders import case, embed, example, intents, vectors_of


def _read(rows: list[TrainingExample]) -> TrainingSet:
    tasks = np.zeros(len(rows), dtype=np.int64)
    return read_training_set(texts_of(rows, []), vectors_of(rows, []), tasks, np.random.default_rng(0))


def _refer(rows: list[TrainingExample]) -> Reference:
    training = _read(rows)
    return fit_reference(training, conflict.learn_relevance(training, np.random.default_rng(0)))


@cache
def reference_of_intents() -> Reference:
    return _refer(intents())


@cache
def simulated_intents() -> Simulation:
    return simulate(reference_of_intents(), np.random.default_rng(1))


def test_near_rows_of_an_intent_set_are_expected_to_agree_and_far_ones_are_not() -> None:
    training = _read(intents())
    relevance = conflict.learn_relevance(training, np.random.default_rng(0))
    chance = relevance.of(training.sampled, np.zeros(len(training.sample), dtype=np.int64))
    assert chance[:, 0].mean() > 0.8
    assert chance[training.sampled.cosine < 0.3].mean() < 0.3


def test_relevance_is_calibrated_on_the_set_itself() -> None:
    training = _read(intents())
    relevance = conflict.learn_relevance(training, np.random.default_rng(0))
    near = training.sampled.first(24)
    own = training.outputs.take(training.sample)
    on = conflict.own_sides(near, training.outputs, own, training.same_meaning_cosine)
    chance = relevance.of(near, np.zeros(len(near), dtype=np.int64))[:, :12]
    assert chance.mean() == pytest.approx(on.expected[:, :12].mean(), abs=0.05)


def test_where_equal_prompts_have_all_answers_nothing_is_expected_to_agree() -> None:
    training = _read([example(i, f"tell a joke {i % 4}", f"joke number {i}") for i in range(80)])
    relevance = conflict.learn_relevance(training, np.random.default_rng(0))
    assert relevance.of(training.sampled, np.zeros(len(training), dtype=np.int64)).max() < 0.5


def test_coverage_ranks_fall_as_the_measures_do() -> None:
    known = coverage.baselines(np.random.default_rng(0).normal(size=(200, 3)), np.zeros(200, dtype=int), 1)
    falling = np.repeat(np.linspace(4, -9, 50)[:, None], 3, axis=1)
    ranks = known[0].ranks(falling)
    assert (np.diff(ranks, axis=0) <= 1e-9).all()
    assert ranks[0, 0] > 4
    assert ranks[-1, 0] == -10.0


def test_a_training_row_measured_with_itself_left_out_is_no_better_covered_than_a_new_prompt() -> None:
    rows = intents(rows_each=40)
    kept, new = rows[::2], rows[1::2]
    known = _refer(kept)
    texts, vectors = texts_of(kept, []), vectors_of(kept, [])
    assert len(texts.example_inputs) == len(vectors.example_inputs)
    asked = embed([e.prompt for e in new])
    cloud = known.clouds[0]
    own, _ = cloud.distances(vectors.example_inputs, known.labels.of)
    others, _ = cloud.distances(asked)
    assert np.median(own, axis=0) == pytest.approx(np.median(others, axis=0), rel=0.25)


def test_causes_are_simulated_in_equal_weight() -> None:
    made = simulated_intents()
    weight = [made.weights[made.causes == CAUSES.index(c)].sum() for c in CAUSES]
    assert weight == pytest.approx([np.mean(weight)] * 3, rel=1e-6)
    assert made.features.shape == (len(made.causes), len(FEATURES))
    assert np.isfinite(made.features).all()


def test_simulated_conflicts_hold_more_contradiction_than_simulated_hard_cases() -> None:
    made = simulated_intents()
    column = FEATURES.index("support_share")
    support = {c: made.features[made.causes == CAUSES.index(c), column].mean() for c in CAUSES}
    assert support[RootCause.OOD] < support[RootCause.CONFLICT] < support[RootCause.HARD]


def test_where_near_rows_agree_by_chance_only_what_should_agree_is_a_simulated_conflict() -> None:
    rng = np.random.default_rng(0)
    things = rng.permutation([f"{a}{b}" for a in "bdfgklmnprst" for b in ("ark", "eel", "ill", "oon", "um")])
    rows = [
        example(
            i, f"Of three lists the {things[i % 60]} has {rng.integers(99)}: which?", "ABCD"[rng.integers(4)]
        )
        for i in range(300)
    ]
    made = simulate(_refer(rows), np.random.default_rng(1))
    conflicts = made.features[made.causes == CAUSES.index(RootCause.CONFLICT)]
    best = conflicts[:, [FEATURES.index("wrong_best"), FEATURES.index("neither_best")]].max(axis=1)
    assert not made.placed.any()
    assert len(conflicts) >= 20
    # a quarter agrees by chance; a quarter of the way from there to certainty
    assert best.min() > 0.4


def test_a_case_without_expected_output_is_judged_without_what_needs_one() -> None:
    names = {FEATURES[i] for i in usable_columns(has_expected=False, has_output=True)}
    assert "support_share" not in names
    assert "nearest_rank" in names
    assert "model_support_share" in names
    assert len(usable_columns(has_expected=True, has_output=True)) == len(FEATURES)


def test_demands_are_read_against_the_training_rows() -> None:
    demands = difficulty.demands_of(["one", "one two", "one two three"], ["x", "x", "x"])
    found = demands.percentiles("a b c d, 5 and 6", "x = 5 + 6 = 11")
    assert found.prompt_tokens == Demand(value=7, more_than=1.0)
    assert found.prompt_numbers.value == 2
    assert difficulty.demands_of([], []).percentiles("a", "b").prompt_tokens.more_than is None


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


def test_a_label_model_judges_a_row_by_the_others() -> None:
    known = _refer(intents(flipped=("warranty", "refund")))
    training = known.training
    scores = known.label_model.left_out_scores(training.prompts.vectors, known.labels.of)
    right = scores.argmax(axis=1) == known.labels.of
    clean = np.array([o not in ("warranty", "refund") for o in _outputs(flipped=("warranty", "refund"))])
    assert right[clean].mean() > 0.95
    assert right[~clean].mean() < 0.9


def _outputs(flipped: tuple[str, str]) -> list[str]:
    return [e.output for e in intents(flipped=flipped)]


def test_left_out_scores_are_those_of_a_model_fitted_without_the_row() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 6)).astype(np.float32)
    vectors -= vectors.mean(axis=0)
    classes = rng.integers(0, 3, 60)
    none = np.empty(0, dtype=np.int64)
    whole = ridge_leave_one_out.fit(vectors, classes, 3, checked=none)
    row = 7
    # the closed form holds the centre fixed, so the refit does too
    rest = np.arange(60) != row
    gram = np.linalg.inv(vectors[rest].T @ vectors[rest] + np.eye(6))
    targets = np.eye(3)[classes] - whole.prior
    refitted = vectors[row] @ (gram @ (vectors[rest].T @ targets[rest])) + whole.prior
    found = whole.left_out_scores(vectors[[row]], classes[[row]])[0]
    assert found == pytest.approx(refitted, abs=0.05)


def test_a_part_of_a_training_set_is_one_of_its_own() -> None:
    training = _read(intents())
    part = part_of(training, 50, np.random.default_rng(0))
    assert len(part) == 50
    assert part.sampled.rows.max() < 50
    assert part_of(training, 10_000, np.random.default_rng(0)) is training
