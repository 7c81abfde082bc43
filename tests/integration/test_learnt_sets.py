"""A training set is learnt once by a worker, and forgotten when others need the room."""

import numpy as np
import pytest

from app.domain.diagnosis.fit import FittedTrainingSet, fit_training_set
from tests.unit.diagnosis.builders import intents, vectors_of
from workers.diagnosis.fitted_sets import ROWS_OF_A_SET, FittedSets, Key


@pytest.fixture(scope="module")
def fitted() -> FittedTrainingSet:
    rows = intents(rows_each=6)
    return fit_training_set(rows, vectors_of(rows, []), np.random.default_rng(0))


def _key(version: str, embedder: str = "e") -> Key:
    return Key(version, embedder, None, 0)


def test_the_second_diagnosis_of_a_version_learns_nothing_anew(fitted: FittedTrainingSet) -> None:
    kept, calls = FittedSets(), []

    def once() -> FittedTrainingSet:
        calls.append(1)
        return fitted

    assert kept.get(_key("v1"), once) is kept.get(_key("v1"), once)
    assert len(calls) == 1
    kept.get(_key("v2"), once)
    kept.get(_key("v1", "other weights"), once)
    assert len(calls) == 3


def test_what_was_used_longest_ago_makes_room(fitted: FittedTrainingSet) -> None:
    rows, learns = len(fitted.examples), []
    kept = FittedSets(max_rows=2 * (ROWS_OF_A_SET + rows))

    def get(version: str) -> None:
        def again() -> FittedTrainingSet:
            learns.append(version)
            return fitted

        kept.get(_key(version), again)

    for version in ("a", "b", "a", "c", "a", "b"):
        get(version)
    assert learns == ["a", "b", "c", "b"]


def test_a_set_larger_than_the_room_is_used_and_not_kept(fitted: FittedTrainingSet) -> None:
    kept, calls = FittedSets(max_rows=10), []

    def again() -> FittedTrainingSet:
        calls.append(1)
        return fitted

    assert kept.get(_key("v"), again) is fitted
    kept.get(_key("v"), again)
    assert len(calls) == 2
