"""What each view and each step of the calibration is worth: all of it, and all but one.

A view is left out of the judge's features; a step is switched off where it stands. Root causes of the triage
set, macro-F1 and calibration error, means over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from app.domain.diagnosis.classifier import cause_classifier
from app.domain.diagnosis.features import conflict, extractor, neighbors
from app.domain.diagnosis.features.extractor import FEATURES
from app.domain.diagnosis.fit import fit_training_set
from app.domain.diagnosis.simulation import scenarios, simulated_cases
from app.domain.diagnosis.triage import diagnose
from app.domain.records import RootCause
from bench.diagnosis_accuracy import macro_f1
from bench.diagnosis_data import CAUSES, Embedding, TriageSet

VIEWS: Mapping[str, Callable[[str], bool]] = {
    "nearest rows (dense)": lambda f: f in ("nearest_rank", "mean_of_five_rank", "mean_of_all_rank"),
    "distance to task and label": lambda f: (
        f in ("task_distance_rank", "label_distance_rank", "label_angle_rank")
    ),
    "wording and neighbours of the likeliest label": lambda f: (
        f in ("label_neighbors_rank", "label_share_rank", "label_words_rank")
        or f.endswith(("label_short_grams_rank", "label_long_grams_rank"))
    ),
    "n-grams": lambda f: f in ("text_overlap_rank", "surprisal_rank") or f.startswith("unseen_"),
    "length": lambda f: f in ("shortness_rank", "longness_rank"),
    "label taught or not": lambda f: f in ("label_unseen", "label_fit_rank"),
    "relevance of near rows": lambda f: (
        f.endswith(("_mass", "_best", "_share")) and not f.startswith("unseen")
    ),
    "left-out label model": lambda f: f.endswith("_odds") or f.endswith("_chance") or "taken_for" in f,
}
STEPS: Mapping[str, tuple[ModuleType, str, float]] = {
    "one scenario instead of several": (scenarios, "_SCENARIOS", 1),
    "words of near texts compared": (neighbors, "_EDIT_MIN_JACCARD", 2.0),
    "hard cases cleaned of the set's own conflicts": (simulated_cases, "_OPPOSING_ODDS_BELOW", 1e9),
    "contradictions that chance does not explain": (conflict, "ASKS_THE_SAME", -1e9),
    "labels with and without a place": (extractor, "PLACED_KAPPA", 2.0),
    "labels split under two names": (scenarios, "_SPLIT_SHARE", 0.0),
    "uncovered cases that are really far": (simulated_cases, "_UNCOVERED_BELOW", 1e9),
}


def ablation(data: TriageSet, embedding: Embedding, seeds: Sequence[int]) -> dict[str, Any]:
    vectors = embedding.vectors(data.examples, data.cases)
    made: dict[str, list[tuple[float, float]]] = {}
    for seed in seeds:
        fitted = fit_training_set(data.examples, vectors, np.random.default_rng(seed))

        def verdicts(of: Any = fitted) -> tuple[float, float]:
            findings = diagnose(of, data.cases, vectors).findings
            said = np.array([_index(f.root_cause) for f in findings])
            confidence = np.array([f.confidence for f in findings])
            right = said == data.causes
            error = cause_classifier.expected_calibration_error(confidence, right, np.ones(len(said)))
            return macro_f1(data.causes, said), error

        made.setdefault("all", []).append(verdicts())
        for name, belongs in VIEWS.items():
            with _without(belongs):
                fitted.classifier.decisions.clear()
                made.setdefault(f"without view: {name}", []).append(verdicts())
        for name, form in {"linear alone": "linear", "trees alone": "trees"}.items():
            with _judged_by(form):
                fitted.classifier.decisions.clear()
                made.setdefault(f"judge: {name}", []).append(verdicts())
        for name, (module, constant, value) in STEPS.items():
            with patch.object(module, constant, value):
                again = fit_training_set(data.examples, vectors, np.random.default_rng(seed))
                made.setdefault(f"without step: {name}", []).append(verdicts(again))
    return {
        name: {
            "macro_f1": round(float(np.mean([r[0] for r in runs])), 4),
            "calibration_error": round(float(np.mean([r[1] for r in runs])), 4),
        }
        for name, runs in made.items()
    }


def _index(cause: RootCause) -> int:
    return CAUSES.index(cause.value) if cause.value in CAUSES else -1


@contextmanager
def _without(belongs: Callable[[str], bool]) -> Any:
    whole = cause_classifier.usable_columns

    def fewer(has_expected: bool, has_output: bool) -> list[int]:
        return [c for c in whole(has_expected, has_output) if not belongs(FEATURES[c])]

    with patch.object(cause_classifier, "usable_columns", fewer):
        yield


@contextmanager
def _judged_by(form: str) -> Any:
    def chance(pair: Any, features: Any) -> Any:
        if form == "linear":
            return pair.linear.chance(features)
        return pair.trees.predict_proba(pair.bins.of(features))[:, 1]

    with patch.object(cause_classifier.Opinions, "chance", chance):
        yield
