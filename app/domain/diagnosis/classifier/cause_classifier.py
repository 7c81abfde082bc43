"""Probabilities of the root causes, learnt from causes simulated in the user's own training set.

First whether the case is covered, then, of what is covered, whether it is contradicted. Both are judged by
classifiers over the features of simulated cases; no cut-off is set by hand. What people said about real
cases is learnt from too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.domain.diagnosis.features import conflict, coverage
from app.domain.diagnosis.features.extractor import FEATURES, usable_columns
from app.domain.diagnosis.features.neighbors import Near, Sides
from app.domain.diagnosis.simulation.scenarios import CONFLICT, HARD, OOD
from app.domain.diagnosis.simulation.simulated_cases import CAUSES, Simulation
from app.domain.estimators import quantile_bins, sign_constrained_logistic
from app.domain.estimators.quantile_bins import Bins
from app.domain.estimators.sign_constrained_logistic import SignedLinear

_SIMULATED_MIN_CASES: Final = 12
"""Of each cause; below this nothing is learnt and the verdicts stay cautious."""

_JUDGE_DOUBT: Final = 0.02
"""Share of the probability that is split evenly: simulated causes are cleaner than real ones."""

_UNLEARNT_DOUBT: Final = 0.3
"""Share of the probability that is split evenly where nothing could be learnt."""

_OVERRIDE_WEIGHT: Final = 25.0
"""A person's verdict on a real case weighs as much as this many simulated ones ..."""

_OVERRIDE_MAX_SHARE: Final = 0.5
"""... but all of them together at most half of the simulated ones."""

_JUDGE_TREES: Final = 80
_JUDGE_LINEAR_SHARES: Final = (2 / 3, 1 / 3)
"""Say of the linear opinion, the trees have the rest: on whether a case is covered, where many measures of one
thing are best averaged, and on whether it is contradicted, where one strong sign is enough."""


_COVERING = frozenset(f"{m}_rank" for m in (*coverage.MEASURES, "farthest"))
_DIRECTION = {
    **dict.fromkeys(_COVERING, (-1, 0)),
    "support_rank": (0, 0),
    "label_unseen": (1, 0),
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
    most = _OVERRIDE_MAX_SHARE * len(simulation.causes) / len(causes)
    weight = min(_OVERRIDE_WEIGHT, most)
    return Simulation(
        features=np.vstack([simulation.features, features]),
        causes=np.concatenate([simulation.causes, causes]),
        weights=np.concatenate([simulation.weights, np.full(len(causes), weight)]),
        placed=np.concatenate([simulation.placed, placed]),
        untouched=np.concatenate([simulation.untouched, np.ones(len(causes), dtype=bool)]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """Blend of a sign-constrained logistic regression, which carries over, and monotone boosted trees,
    which sees that one strong sign is enough."""

    linear_share: float
    linear: SignedLinear
    bins: Bins
    trees: HistGradientBoostingClassifier

    def chance(self, features: Float64[ndarray, "q f"]) -> Float64[ndarray, " q"]:
        strong = self.trees.predict_proba(self.bins.of(features))[:, 1]
        return self.linear_share * self.linear.chance(features) + (1.0 - self.linear_share) * strong


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Is it covered? If so, is it contradicted?"""

    columns: Sequence[int]
    uncovered: Opinions
    contradicted: Opinions

    def probabilities(self, features: Float64[ndarray, "q f"]) -> Float64[ndarray, "q 3"]:
        usable = features[:, self.columns]
        out, against = self.uncovered.chance(usable), self.contradicted.chance(usable)
        made = np.zeros((len(features), len(CAUSES)))
        made[:, OOD] = out
        made[:, CONFLICT] = (1.0 - out) * against
        made[:, HARD] = (1.0 - out) * (1.0 - against)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseClassifier:
    """Turns features into probabilities of ``CAUSES``; knows which features a case without an expected or
    a model output has none of.

    ``calibration_error``: expected calibration error (Naeini et al. 2015, ten bins) on simulated cases that a
    classifier of the same kind was not fitted to; None where nothing was learnt. ``decisions`` keeps what was
    fitted, by the kind of case.
    """

    simulation: Simulation
    seed: int
    calibration_error: float | None = None
    decisions: dict[tuple[bool, bool, bool], Decision] = field(default_factory=dict)

    @property
    def fitted(self) -> bool:
        """Whether the training set was large enough to make every cause in it."""
        made = np.bincount(self.simulation.causes, minlength=len(CAUSES))
        return bool((made >= _SIMULATED_MIN_CASES).all())

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
        if not self.fitted:
            return _unlearnt(near, on, has_expected)
        made = np.full((len(features), len(CAUSES)), 1.0 / len(CAUSES))
        for expected, output, labelled in itertools.product((True, False), (True, False), (True, False)):
            rows = np.flatnonzero((has_expected == expected) & (has_output == output) & (placed == labelled))
            if rows.size:
                made[rows] = self.decision((expected, output, labelled)).probabilities(features[rows])
        return _with_doubt(made, _JUDGE_DOUBT)

    def decision(self, kind: tuple[bool, bool, bool]) -> Decision:
        """For cases with an expected output, with a model output, of a task whose labels have a place."""
        if kind not in self.decisions:
            expected, output, labelled = kind
            self.decisions[kind] = decide(
                _of_kind(self.simulation, labelled), usable_columns(expected, output), self.seed
            )
        return self.decisions[kind]


def fit(simulation: Simulation, *, seed: int) -> CauseClassifier:
    """A classifier that knows how far its probabilities can be trusted."""
    made = CauseClassifier(simulation=simulation, seed=seed)
    if not made.fitted:
        return made
    return replace(made, calibration_error=_calibration_error(simulation, seed))


def _of_kind(simulation: Simulation, labelled: bool) -> Simulation:
    """Prompts to be labelled, and prompts to be answered, fail in different ways: each has a classifier of its
    own where enough cases of it could be made."""
    rows = simulation.placed == labelled
    made = np.bincount(simulation.causes[rows], minlength=len(CAUSES))
    return simulation if (made < _SIMULATED_MIN_CASES).any() else simulation.where(rows)


def _calibration_error(simulation: Simulation, seed: int) -> float | None:
    """Predicted by a classifier that was fitted with the other half, weighted as the causes are."""
    half = np.random.default_rng(seed).random(len(simulation.causes)) < 0.5
    taught, asked = simulation.where(half), simulation.where(~half)
    both = (np.bincount(s.causes, minlength=len(CAUSES)) for s in (taught, asked))
    if any((made < _SIMULATED_MIN_CASES).any() for made in both):
        return None
    chances = np.zeros((len(asked.causes), len(CAUSES)))
    for labelled in (True, False):
        rows = asked.placed == labelled
        if rows.any():
            decision = decide(_of_kind(taught, labelled), usable_columns(True, True), seed)
            chances[rows] = decision.probabilities(asked.features[rows])
    return expected_calibration_error(
        chances.max(axis=1), chances.argmax(axis=1) == asked.causes, asked.weights
    )


def expected_calibration_error(
    confidence: Float64[ndarray, " q"], right: Bool[ndarray, " q"], weights: Float64[ndarray, " q"]
) -> float:
    """Mean distance 0..1 of confidence and share of right verdicts over ten bins."""
    bins = np.minimum((confidence * 10).astype(np.int64), 9)
    error = sum(abs(float((weights * (right - confidence))[bins == b].sum())) for b in np.unique(bins))
    return round(error / float(weights.sum()), 4)


def decide(simulation: Simulation, columns: Sequence[int], seed: int) -> Decision:
    features, causes, weights = simulation.features[:, columns], simulation.causes, simulation.weights
    covered = causes != OOD
    # Copies put beside a case, and labels turned around it, are no sign of what real rows cover.
    shown = ~covered | simulation.untouched
    if (shown & covered).sum() < _SIMULATED_MIN_CASES:
        shown = np.ones(len(causes), dtype=bool)
    return Decision(
        columns=columns,
        uncovered=_fit(features[shown], ~covered[shown], weights[shown], columns, 0, seed),
        contradicted=_fit(features[covered], causes[covered] == CONFLICT, weights[covered], columns, 1, seed),
    )


def _fit(
    features: Float64[ndarray, "m f"],
    positive: Bool[ndarray, " m"],
    weights: Float64[ndarray, " m"],
    columns: Sequence[int],
    question: int,
    seed: int,
) -> Opinions:
    weights = np.where(positive, weights / weights[positive].sum(), weights / weights[~positive].sum())
    weights = weights * len(weights) / 2
    signs = [_DIRECTION[FEATURES[c]][question] for c in columns]
    alike = np.array([FEATURES[c] in _COVERING for c in columns], dtype=bool)
    linear = sign_constrained_logistic.fit(features, positive, weights, signs=signs, alike=alike)
    binned = quantile_bins.bins(features)
    trees = HistGradientBoostingClassifier(
        max_iter=_JUDGE_TREES,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        l2_regularization=5.0,
        monotonic_cst=signs,
        random_state=seed,
    )
    trees.fit(binned.of(features), positive, sample_weight=weights)
    return Opinions(linear_share=_JUDGE_LINEAR_SHARES[question], linear=linear, bins=binned, trees=trees)


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
    return _with_doubt(made, _UNLEARNT_DOUBT)


def _with_doubt(made: Float64[ndarray, "q 3"], doubt: float) -> Float64[ndarray, "q 3"]:
    return (1.0 - doubt) * made + doubt / len(CAUSES)
