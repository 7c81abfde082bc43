"""Weights keep their signs, agree where the data are silent, and differ where these insist."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.estimators import sign_constrained_logistic


def _cases(rows: int, noise: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    positive = rng.random(rows) < 0.5
    hidden = np.where(positive, -1.0, 1.0)
    return np.column_stack([hidden + n * rng.normal(size=rows) for n in noise]), positive


def _fit(
    features: np.ndarray, positive: np.ndarray, signs: list[int]
) -> sign_constrained_logistic.SignedLinear:
    return sign_constrained_logistic.fit(
        features,
        positive,
        np.ones(len(features)),
        signs=signs,
        alike=np.array([s != 0 for s in signs]),
    )


def test_a_measure_never_speaks_against_its_direction() -> None:
    features, positive = _cases(400, (1.0, 1.0))
    # a copy of the first with noise that the second shares: left free, it would be subtracted
    features = np.column_stack([features, features[:, 1] - 0.9 * features[:, 0]])
    assert (_fit(features, positive, [-1, -1, -1]).weights <= 0).all()


def test_few_cases_leave_measures_of_one_thing_nearly_alike_and_many_tell_them_apart() -> None:
    ratio = []
    for rows in (30, 20_000):
        features, positive = _cases(rows, (1.0, 4.0))
        weights = _fit(features, positive, [-1, -1]).weights
        ratio.append(weights[1] / weights[0])
    assert ratio[0] > 0.6
    assert ratio[1] < 0.35


def test_chances_are_probabilities_that_rise_with_the_evidence() -> None:
    features, positive = _cases(2000, (1.0, 1.0))
    model = _fit(features, positive, [-1, -1])
    chance = model.chance(np.array([[3.0, 3.0], [0.0, 0.0], [-3.0, -3.0]]))
    assert chance[0] < 0.05
    assert chance[1] == pytest.approx(0.5, abs=0.1)
    assert chance[2] > 0.95


def test_a_constant_feature_says_nothing() -> None:
    features, positive = _cases(300, (1.0, 1.0))
    features[:, 1] = 2.0
    assert _fit(features, positive, [-1, -1]).weights[1] == pytest.approx(0.0, abs=1e-6)


def test_evidence_beyond_any_that_was_learnt_from_is_sure_and_no_error() -> None:
    features, positive = _cases(300, (1.0, 1.0))
    chance = _fit(features, positive, [-1, -1]).chance(np.array([[1e6, 1e6], [-1e6, -1e6]]))
    assert chance.tolist() == [0.0, 1.0]
