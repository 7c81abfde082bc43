"""Probabilities of the root causes, learnt from causes simulated in the user's own training set.

First whether the case is covered, then, of what is covered, whether it is contradicted. Both are judged by
classifiers over the features of simulated cases; no cut-off is set by hand. What persons said about real
cases is learnt from too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app.domain import thresholds
from app.domain.diagnosis import conflict, coverage
from app.domain.diagnosis.neighborhood import Near, Sides
from app.domain.diagnosis.reference import FEATURES, usable_columns
from app.domain.diagnosis.simulation import CAUSES, Simulation
from app.domain.diagnosis.worlds import CONFLICT, HARD, OOD

_DIRECTION = {
    **dict.fromkeys((f"{m}_rank" for m in (*coverage.MEASURES, "farthest")), (-1, 0)),
    "support_rank": (0, 0),
    "label_unseen": (1, 0),
    "label_rows": (-1, 0),
    **conflict.DIRECTIONS,
}
"""Whether a feature can only speak for (1) or against (-1) *ood*, and *conflict*; 0 = either way."""


def taught_by(
    simulation: Simulation,
    features: Float64[ndarray, "o f"],
    causes: Int64[ndarray, " o"],
    placed: Bool[ndarray, " o"],
) -> Simulation:
    """With the cases that a person decided (``causes``: index into ``CAUSES``) among the simulated ones, each
    weighing as much as many."""
    if not len(causes) or not len(simulation.causes):
        return simulation
    most = thresholds.OVERRIDE_MAX_SHARE * len(simulation.causes) / len(causes)
    weight = min(thresholds.OVERRIDE_WEIGHT, most)
    return Simulation(
        features=np.vstack([simulation.features, features]),
        causes=np.concatenate([simulation.causes, causes]),
        weights=np.concatenate([simulation.weights, np.full(len(causes), weight)]),
        placed=np.concatenate([simulation.placed, placed]),
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
        near: Near,
        on: Sides,
        *,
        has_expected: Bool[ndarray, " q"],
        has_output: Bool[ndarray, " q"],
        placed: Bool[ndarray, " q"],
    ) -> Float64[ndarray, "q 3"]:
        """Rows sum to 1."""
        if not self.learnt:
            return _unlearnt(near, on, has_expected)
        made = np.full((len(features), len(CAUSES)), 1.0 / len(CAUSES))
        for kind in itertools.product((True, False), repeat=3):
            expected, output, labelled = kind
            rows = np.flatnonzero((has_expected == expected) & (has_output == output) & (placed == labelled))
            if rows.size:
                decision = decide(self._kind(labelled), usable_columns(expected, output), self.seed)
                made[rows] = decision.probabilities(features[rows])
        return _with_doubt(made, thresholds.JUDGE_DOUBT)

    def _kind(self, labelled: bool) -> Simulation:
        """Prompts to be labelled, and prompts to be answered, fail in different ways: each has a judge of its
        own where enough cases of it could be made."""
        rows = self.simulation.placed == labelled
        made = np.bincount(self.simulation.causes[rows], minlength=len(CAUSES))
        if (made < thresholds.SIMULATED_MIN_CASES).any():
            return self.simulation
        return self.simulation.where(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two opinions on one question, averaged: a linear one, which carries over, and a monotone one of trees,
    which sees that one strong sign is enough."""

    linear: Pipeline
    trees: HistGradientBoostingClassifier

    def chance(self, features: Float64[ndarray, "q f"]) -> Float64[ndarray, " q"]:
        return (self.linear.predict_proba(features)[:, 1] + self.trees.predict_proba(features)[:, 1]) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Is it covered? If so, is it contradicted?"""

    columns: Sequence[int]
    uncovered: _Pair
    contradicted: _Pair

    def probabilities(self, features: Float64[ndarray, "q f"]) -> Float64[ndarray, "q 3"]:
        usable = features[:, self.columns]
        out, against = self.uncovered.chance(usable), self.contradicted.chance(usable)
        made = np.zeros((len(features), len(CAUSES)))
        made[:, OOD] = out
        made[:, CONFLICT] = (1.0 - out) * against
        made[:, HARD] = (1.0 - out) * (1.0 - against)
        return made


def decide(simulation: Simulation, columns: Sequence[int], seed: int) -> Decision:
    features, causes, weights = simulation.features[:, columns], simulation.causes, simulation.weights
    covered = causes != OOD
    return Decision(
        columns=columns,
        uncovered=_fit(features, ~covered, weights, columns, 0, seed),
        contradicted=_fit(features[covered], causes[covered] == CONFLICT, weights[covered], columns, 1, seed),
    )


def _fit(
    features: Float64[ndarray, "m f"],
    positive: Bool[ndarray, " m"],
    weights: Float64[ndarray, " m"],
    columns: Sequence[int],
    question: int,
    seed: int,
) -> _Pair:
    weights = np.where(positive, weights / weights[positive].sum(), weights / weights[~positive].sum())
    weights = weights * len(weights) / 2
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=thresholds.JUDGE_C, max_iter=2000))
    linear.fit(features, positive, logisticregression__sample_weight=weights)
    trees = HistGradientBoostingClassifier(
        max_iter=thresholds.JUDGE_TREES,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        l2_regularization=5.0,
        monotonic_cst=[_DIRECTION[FEATURES[c]][question] for c in columns],
        random_state=seed,
    )
    trees.fit(features, positive, sample_weight=weights)
    return _Pair(linear=linear, trees=trees)


def _unlearnt(near: Near, on: Sides, has_expected: Bool[ndarray, " q"]) -> Float64[ndarray, "q 3"]:
    """Without simulated causes: near text that contradicts, near text that supports, or no near text.

    Pulled towards thirds: a handful of rows is a weak witness.
    """
    closeness = np.clip(np.maximum(near.jaccard, 2.0 * near.cosine - 1.0), 0.0, 1.0).astype(np.float64)
    closeness *= near.present
    support = (closeness * on.expected).max(axis=1)
    against = (closeness * ~on.expected).max(axis=1)
    nearest = np.maximum(support, against)
    contradiction = np.where(has_expected, against / np.maximum(support + against, 1e-9), 0.5)
    made = np.column_stack([1.0 - nearest, nearest * contradiction, nearest * (1.0 - contradiction)])
    return _with_doubt(made, thresholds.UNLEARNT_DOUBT)


def _with_doubt(made: Float64[ndarray, "q 3"], doubt: float) -> Float64[ndarray, "q 3"]:
    return (1.0 - doubt) * made + doubt / len(CAUSES)
