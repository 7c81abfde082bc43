"""What the classifier takes from simulated cases, and what it does not."""

import numpy as np

from app.domain.diagnosis.classifier import cause_classifier
from app.domain.diagnosis.features.extractor import FEATURES, usable_columns
from app.domain.diagnosis.simulation.scenarios import CONFLICT, HARD, OOD
from app.domain.diagnosis.simulation.simulated_cases import Simulation

NEAREST, LABEL_FIT = FEATURES.index("nearest_rank"), FEATURES.index("label_fit_rank")


def _simulation(touched: bool) -> Simulation:
    """Every cause 200 times. The label fit tells what is covered; only cases with a made-up copy have a near row."""
    rng = np.random.default_rng(0)
    causes = np.repeat([OOD, CONFLICT, HARD], 200)
    features = np.zeros((len(causes), len(FEATURES)))
    copied = (causes == CONFLICT) | ((causes == HARD) & (np.arange(len(causes)) % 3 == 0))
    features[:, NEAREST] = rng.normal(size=len(causes)) + 8.0 * copied
    features[:, LABEL_FIT] = rng.normal(size=len(causes)) - 2.0 * (causes == OOD)
    return Simulation(
        features=features,
        causes=causes,
        weights=np.ones(len(causes)),
        placed=np.ones(len(causes), dtype=bool),
        untouched=~copied if touched else np.zeros(len(causes), dtype=bool),
    )


def _called_uncovered(simulation: Simulation) -> tuple[float, float]:
    """Share 0..1 of the hard cases without a copy, and of those with one, that are called uncovered."""
    decision = cause_classifier.decide(simulation, usable_columns(False, False), 0)
    said = decision.probabilities(simulation.features)[:, OOD] > 0.5
    hard, copied = simulation.causes == HARD, simulation.features[:, NEAREST] > 4.0
    return float(said[hard & ~copied].mean()), float(said[hard & copied].mean())


def test_copies_put_beside_cases_do_not_teach_that_a_covered_prompt_has_one() -> None:
    plain, _ = _called_uncovered(_simulation(touched=True))
    mistaught, _ = _called_uncovered(_simulation(touched=False))
    assert plain < 0.25 < mistaught


def test_where_every_covered_case_was_touched_coverage_is_learnt_from_these() -> None:
    _, copied = _called_uncovered(_simulation(touched=False))
    assert copied == 0.0
