"""What is measured of a row with itself left out is what a refit without it would say."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.diagnosis.features.extractor import FEATURES
from app.domain.diagnosis.features.label_ngrams import MEASURES, LabelWords, label_words
from app.domain.diagnosis.simulation.scenarios import scenarios_of
from app.domain.diagnosis.simulation.simulated_cases import OOD
from app.domain.estimators import mahalanobis
from app.domain.language.ngram_frequencies import grams_of
from tests.unit.diagnosis.test_evidence import reference_of_intents, simulated_intents

TEXTS = (
    "freeze my card",
    "please freeze the card",
    "freeze this card now",
    "order a new card",
    "please order my card",
    "冻结我的银行卡",
    "请冻结银行卡",
    "冻结这张卡",
)
LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2])


def _words(texts: tuple[str, ...] = TEXTS, labels: np.ndarray = LABELS) -> LabelWords:
    return label_words(grams_of(texts), labels, 3)


def _measures(known: LabelWords, asked: str, nearest: int) -> np.ndarray:
    return known.measures(grams_of([asked]), np.array([nearest]))[0]


@pytest.mark.parametrize("row", range(len(TEXTS)))
def test_the_shares_of_a_row_left_out_are_those_of_a_count_without_it(row: int) -> None:
    label = int(LABELS[row])
    left_out = _words().measures(grams_of(TEXTS), LABELS, LABELS)[row]
    rest = np.arange(len(TEXTS)) != row
    without = _words(tuple(np.array(TEXTS)[rest]), LABELS[rest])
    expected = _measures(without, TEXTS[row], label)
    # the rarity of a gram is read against all rows, of which there is one less
    assert left_out[1:] == pytest.approx(expected[1:], abs=0.02)
    assert left_out[0] == pytest.approx(expected[0], abs=1.5)


def test_another_wording_of_a_label_is_known_and_a_new_verb_is_not() -> None:
    known = _words()
    for asked, other, label in (
        ("now freeze my card", "lend my card", 0),
        ("请冻结这张银行卡", "请注销这张银行卡", 2),
    ):
        like, unlike = _measures(known, asked, label), _measures(known, other, label)
        assert (like[:2] > unlike[:2]).all()
        assert like[2] >= unlike[2]


def test_a_prompt_whose_nearest_label_is_not_known_has_no_share_in_one() -> None:
    assert _measures(_words(), "freeze my card", -1)[1:] == pytest.approx([0.0, 0.0])
    nothing = label_words(grams_of(()), np.zeros(0, dtype=np.int64), 0)
    assert nothing.measures(grams_of(TEXTS), LABELS) == pytest.approx(np.zeros((len(TEXTS), len(MEASURES))))


def test_the_angle_of_a_row_left_out_is_that_to_a_centre_without_it() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 40)
    vectors = (rng.normal(size=(4, 12))[labels] + 0.7 * rng.normal(size=(160, 12))).astype(np.float32)
    whole, _ = mahalanobis.cloud(vectors, labels).distances(vectors, labels)
    naive, _ = mahalanobis.cloud(vectors, labels).distances(vectors)
    angle = mahalanobis.MEASURES.index("label_angle")
    wrong, naive_wrong = [], []
    for row in range(0, 160, 8):
        rest = np.arange(160) != row
        truth, _ = mahalanobis.cloud(vectors[rest], labels[rest]).distances(vectors[row : row + 1])
        wrong.append(abs(whole[row, angle] - truth[0, angle]))
        naive_wrong.append(abs(naive[row, angle] - truth[0, angle]))
    # what is left is the common mean, which one row in 160 moves
    assert np.mean(wrong) < 0.25 * np.mean(naive_wrong)


def test_no_simulated_model_says_a_label_that_no_row_teaches() -> None:
    clean = reference_of_intents()
    for scenario in scenarios_of(clean, np.random.default_rng(0)):
        taught = set(scenario.outputs.whole[scenario.kept].tolist())
        gone = set(clean.labels.names.tolist()) - taught
        assert not gone & set(scenario.cases.wrong.tolist())
        asked_for = scenario.cases.expected[scenario.cases.causes == OOD]
        assert not set(asked_for.tolist()) & taught


def test_what_was_taken_out_is_less_of_any_label_than_what_was_left() -> None:
    made = simulated_intents()
    for name in ("label_words_rank", "label_neighbors_rank", "label_share_rank", "label_angle_rank"):
        column = made.features[:, FEATURES.index(name)]
        assert column[made.causes == OOD].mean() < column[made.causes != OOD].mean()
