"""Probabilities of the root causes, learnt from causes simulated in the user's own training set.

A classifier over the features of simulated cases judges the real ones; no cut-off is set by hand. What
persons said about real cases is learnt from too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from numpy import ndarray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app.domain import thresholds
from app.domain.diagnosis.lens import Lens, usable_columns
from app.domain.diagnosis.neighborhood import Neighborhoods
from app.domain.diagnosis.simulation import CAUSES, Simulation
from app.domain.records import RootCause


def taught_by(
    simulation: Simulation, features: Float64[ndarray, "q f"], overrides: Mapping[int, RootCause]
) -> Simulation:
    """With the cases that a person decided among the simulated ones, each weighing as much as many."""
    said = {row: cause for row, cause in overrides.items() if cause in CAUSES}
    if not said or not len(simulation.causes):
        return simulation
    rows = np.array(list(said), dtype=np.int64)
    most = thresholds.OVERRIDE_MAX_SHARE * len(simulation.causes) / len(rows)
    return Simulation(
        features=np.vstack([simulation.features, features[rows]]),
        causes=np.concatenate([simulation.causes, [CAUSES.index(said[r]) for r in said]]),
        weights=np.concatenate(
            [simulation.weights, np.full(len(rows), min(thresholds.OVERRIDE_WEIGHT, most))]
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Turns features into probabilities of ``CAUSES``; knows which features a case without an expected or
    a model output has none of."""

    simulation: Simulation
    seed: int

    @property
    def learnt(self) -> bool:
        """Whether the training set was large enough to make every cause in it."""
        made = np.bincount(self.simulation.causes, minlength=len(CAUSES))
        return bool((made >= thresholds.SIMULATED_MIN_CASES).all())

    def probabilities(
        self,
        features: Float64[ndarray, "q f"],
        around: Neighborhoods,
        *,
        has_expected: Bool[ndarray, " q"],
        has_output: Bool[ndarray, " q"],
    ) -> Float64[ndarray, "q 3"]:
        """Rows sum to 1."""
        if not self.learnt:
            return _unlearnt(around, has_expected)
        made = np.full((len(features), len(CAUSES)), 1.0 / len(CAUSES))
        for expected in (True, False):
            for output in (True, False):
                rows = np.flatnonzero((has_expected == expected) & (has_output == output))
                if rows.size:
                    columns = usable_columns(expected, output)
                    made[rows] = self._classifier(columns).predict_proba(features[rows][:, columns])
        return _with_doubt(made, thresholds.JUDGE_DOUBT)

    def _classifier(self, columns: Sequence[int]) -> Pipeline:
        # Linear on purpose: simulated causes are cleaner than real ones, and what a tree reads out of
        # their corners does not carry over.
        model = make_pipeline(StandardScaler(), LogisticRegression(C=thresholds.JUDGE_C, max_iter=2000))
        model.fit(
            self.simulation.features[:, columns],
            self.simulation.causes,
            logisticregression__sample_weight=self.simulation.weights,
        )
        return model

    def summary(self, seen: Lens) -> dict[str, Any]:
        """What was learnt from the training set and how, JSON-ready."""
        made = np.bincount(self.simulation.causes, minlength=len(CAUSES))
        return {
            "method": "causes simulated in the training set" if self.learnt else "too few rows to learn from",
            "training_rows": len(seen.training),
            "sampled_rows": len(seen.training.sample),
            "simulated_cases": {cause.value: int(made[i]) for i, cause in enumerate(CAUSES)},
            "same_meaning_cosine": round(seen.training.same_meaning_cosine, 4),
            "nearest_cosine_quantiles": seen.quantiles(),
            "agreement_of_near_rows": [round(float(a), 4) for a in seen.relevance.task_agreement],
        }


def _unlearnt(around: Neighborhoods, has_expected: Bool[ndarray, " q"]) -> Float64[ndarray, "q 3"]:
    """Without simulated causes: near text that contradicts, near text that supports, or no near text.

    Pulled towards thirds: a handful of rows is a weak witness.
    """
    closeness = np.clip(np.maximum(around.jaccard, 2.0 * around.cosine - 1.0), 0.0, 1.0).astype(np.float64)
    closeness *= around.present
    support = (closeness * around.expected).max(axis=1)
    against = (closeness * ~around.expected).max(axis=1)
    near = np.maximum(support, against)
    contradiction = np.where(has_expected, against / np.maximum(support + against, 1e-9), 0.5)
    made = np.column_stack([1.0 - near, near * contradiction, near * (1.0 - contradiction)])
    return _with_doubt(made, thresholds.UNLEARNT_DOUBT)


def _with_doubt(made: Float64[ndarray, "q 3"], doubt: float) -> Float64[ndarray, "q 3"]:
    return (1.0 - doubt) * made + doubt / len(CAUSES)
