"""Learns what each root cause looks like from the user's own training set, by causing it.

A training row is taken out and becomes a case. Left as it is, the rest covers it consistently: *hard*.
With its label or its corner of the input space taken out too: *ood*. With near rows that supported it
turned to another answer, or contradicting copies put beside it: *conflict*. A classifier over the same
features as a real case's then gives calibrated probabilities; no cut-off is set by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app.domain import similarity, thresholds
from app.domain.diagnosis import conflict, coverage
from app.domain.diagnosis.neighborhood import Neighborhoods, TrainingSet, look_around
from app.domain.records import RootCause

CAUSES = (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD)
FEATURES = coverage.FEATURES + conflict.FEATURES
_NEEDS_EXPECTED = coverage.NEEDS_EXPECTED | conflict.NEEDS_EXPECTED
_NEEDS_OUTPUT = coverage.NEEDS_OUTPUT | conflict.NEEDS_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """What turns a neighbourhood into numbers: learnt once, used for simulated and real cases alike."""

    training: TrainingSet
    relevance: conflict.Relevance
    baselines: tuple[coverage.Baseline, ...]

    def features(
        self, around: Neighborhoods, tasks: Int64[ndarray, " q"], expected_rows: Int64[ndarray, " q"]
    ) -> Float64[ndarray, "q f"]:
        """Shape (q, len(FEATURES))."""
        relevance = self.relevance.of(around, tasks)
        return np.hstack(
            [
                coverage.features(around, tasks, self.baselines, expected_rows),
                conflict.features(around, relevance, self.relevance.task_agreement[tasks]),
            ]
        )

    def quantiles(self) -> dict[str, float]:
        """Of the leave-one-out cosines to the nearest other row."""
        nearest = self.training.sampled.cosine[:, 0]
        if not len(self.training) > 1:
            return {}
        return {f"{q:g}": round(float(np.quantile(nearest, q)), 4) for q in (0.01, 0.05, 0.25, 0.5, 0.75)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Simulated cases: ``features`` (m, f) and which cause was made, (m,) index into ``CAUSES``."""

    features: Float64[ndarray, "m f"]
    causes: Int64[ndarray, " m"]
    weights: Float64[ndarray, " m"]


def lens(training: TrainingSet, rng: np.random.Generator) -> Lens:
    return Lens(
        training=training,
        relevance=conflict.learn_relevance(training, rng),
        baselines=coverage.baselines(training),
    )


def simulate(seen: Lens, rng: np.random.Generator) -> Simulation:
    """Make cases of every cause out of training rows; as many of each as the set allows."""
    parts = [(_hard, RootCause.HARD), (_conflict, RootCause.CONFLICT), (_ood, RootCause.OOD)]
    made, causes = [], []
    for make, cause in parts:
        rows = make(seen, rng)
        made.append(rows)
        causes.append(np.full(len(rows), CAUSES.index(cause), dtype=np.int64))
    joined = np.concatenate(causes)
    return Simulation(features=np.vstack(made), causes=joined, weights=np.ones(len(joined)))


def _taught(seen: Lens) -> Bool[ndarray, " s"]:
    """Sampled rows whose answer can be expected from the others: the only row of a label cannot."""
    training = seen.training
    unseen = np.array([b.unseen_labels for b in seen.baselines])[training.tasks[training.sample]]
    return (training.label_rows[training.sample] > 1) | (unseen > 0.5)


def _draw(among: Int64[ndarray, " a"], count: int, rng: np.random.Generator) -> Int64[ndarray, " m"]:
    return rng.choice(among, min(count, len(among)), replace=False) if len(among) else among


def _with_wrong_output(
    around: Neighborhoods, codes: Int64[ndarray, " n"], rng: np.random.Generator
) -> Neighborhoods:
    """A plausible wrong answer: mostly that of a near row that disagrees, else one that no near row gives."""
    against = around.present & ~around.expected
    weight = against * np.exp(8 * around.cosine) * rng.exponential(size=around.rows.shape)
    picked = weight.argmax(axis=1)
    code = codes[around.rows[np.arange(len(around)), picked]]
    own = against.any(axis=1) & (rng.random(len(around)) < thresholds.SIMULATED_COPIED_ANSWERS)
    wrong = against & (codes[around.rows] == code[:, None]) & own[:, None]
    return replace(around, wrong=wrong)


def _hard(seen: Lens, rng: np.random.Generator) -> Float64[ndarray, "m f"]:
    training = seen.training
    rows = _draw(np.flatnonzero(_taught(seen)), thresholds.SIMULATED_CASES, rng)
    around = _with_wrong_output(training.sampled.take(rows), training.outputs.whole, rng)
    half = rng.random(len(rows)) < 0.3
    around = _with_copies(around, half, wrong_share=0.0, rng=rng)
    return _featurise(seen, around, training.sample[rows])


def _featurise(
    seen: Lens, around: Neighborhoods, of: Int64[ndarray, " m"], unseen: Bool[ndarray, " m"] | None = None
) -> Float64[ndarray, "m f"]:
    expected_rows = seen.training.label_rows[of] - 1
    if unseen is not None:
        expected_rows = np.where(unseen, 0, expected_rows)
    return seen.features(around, seen.training.tasks[of], expected_rows)


def _conflict(seen: Lens, rng: np.random.Generator) -> Float64[ndarray, "m f"]:
    training = seen.training
    rows = _draw(np.flatnonzero(_taught(seen)), thresholds.SIMULATED_CASES, rng)
    around = _with_wrong_output(training.sampled.take(rows), training.outputs.whole, rng)
    relevance = seen.relevance.of(around, training.tasks[training.sample[rows]])
    # Where near rows support the answer because they should, turn a share of them; else put copies in.
    supporters = around.expected & (relevance > 0.5)
    turnable = supporters.sum(axis=1) >= 2
    turned = _turned(around, supporters & turnable[:, None], rng)
    copied = _with_copies(turned, ~turnable, wrong_share=0.6, rng=rng)
    return _featurise(seen, copied, training.sample[rows])


def _turned(
    around: Neighborhoods, supporters: Bool[ndarray, "q k"], rng: np.random.Generator
) -> Neighborhoods:
    """Near supporters turned to the wrong answer: a third to nine tenths of them, one at least."""
    share = rng.uniform(0.3, 0.9, size=(len(around), 1))
    turn = supporters & (rng.random(supporters.shape) < share)
    first = np.where(supporters.any(axis=1), supporters.argmax(axis=1), -1)
    none = ~turn.any(axis=1) & (first >= 0)
    turn[np.flatnonzero(none), first[none]] = True
    sided = rng.random((len(around), 1)) < 0.85
    return replace(around, expected=around.expected & ~turn, wrong=around.wrong | (turn & sided))


def _with_copies(
    around: Neighborhoods, where: Bool[ndarray, " q"], *, wrong_share: float, rng: np.random.Generator
) -> Neighborhoods:
    """Put one to four near-copies of the prompt in front of its neighbours.

    ``wrong_share`` 0 makes all of them right; otherwise one at least contradicts the expected output,
    mostly with the model's own answer.
    """
    asked = np.flatnonzero(where)
    if not len(asked):
        return around
    fields = {
        name: getattr(around, name).copy()
        for name in ("rows", "cosine", "jaccard", "same_numbers", "expected", "wrong")
    }
    width = around.rows.shape[1]
    for row in asked:
        copies = min(int(rng.integers(1, 5)), width)
        kept = slice(0, width - copies)
        for values in fields.values():
            values[row, copies:] = values[row, kept].copy()
        against = rng.random(copies) < wrong_share
        if wrong_share:
            against[rng.integers(copies)] = True
        sided = bool(rng.random() < 0.75)
        fields["rows"][row, :copies] = 0
        fields["cosine"][row, :copies] = np.sort(rng.uniform(0.85, 1.0, copies))[::-1]
        fields["jaccard"][row, :copies] = rng.uniform(0.45, 1.0, copies)
        fields["same_numbers"][row, :copies] = rng.random(copies) < 0.9
        fields["expected"][row, :copies] = ~against
        fields["wrong"][row, :copies] = against & sided
    return Neighborhoods(**fields)


def _ood(seen: Lens, rng: np.random.Generator) -> Float64[ndarray, "m f"]:
    """Take whole labels, or whole corners of the input space, out of the training set and ask for them."""
    training = seen.training
    sampled = training.sample
    made = []
    rounds = thresholds.SIMULATED_OOD_ROUNDS
    each = max(1, thresholds.SIMULATED_CASES // rounds)
    for turn in range(rounds if len(training) > 1 else 0):
        out, inner = _labels_out(seen, rng) if turn % 2 == 0 else _corner_out(seen, rng)
        if out.all():
            continue
        asked = _draw(sampled[inner[sampled]], each, rng)
        left = np.flatnonzero(~out)
        prompts, own = training.prompts.take(asked), training.outputs.take(asked)
        found = similarity.nearest(prompts.vectors, training.prompts.vectors[left], thresholds.NEIGHBORS)
        found = replace(found, indices=np.where(found.present, left[found.indices], -1))
        around = look_around(
            prompts,
            found,
            training.prompts,
            training.outputs,
            expected=own,
            wrong=similarity.nothing_said(len(asked), own.vectors.shape[1]),
            same_meaning_cosine=training.same_meaning_cosine,
        )
        around = _with_wrong_output(around, training.outputs.whole, rng)
        still = np.isin(own.whole, training.outputs.whole[left])
        made.append(_featurise(seen, around, asked, unseen=~still))
    return np.vstack(made) if made else np.empty((0, len(FEATURES)))


def _labels_out(seen: Lens, rng: np.random.Generator) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"]]:
    """Rows of a tenth of the repeated labels; falls back to a corner where no output repeats."""
    training = seen.training
    labels = np.unique(training.outputs.whole[training.label_rows > 1])
    if len(labels) < 3:
        return _corner_out(seen, rng)
    gone = rng.choice(labels, max(1, len(labels) // 10), replace=False)
    out = np.isin(training.outputs.whole, gone)
    return out, out


def _corner_out(seen: Lens, rng: np.random.Generator) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"]]:
    """A ball around a random row, a fiftieth to a quarter of the set; asked for is its inner half."""
    vectors = seen.training.prompts.vectors
    rows = len(vectors)
    cosines = vectors @ vectors[int(rng.integers(rows))]
    share = np.exp(rng.uniform(np.log(0.02), np.log(0.25)))
    ascending = np.sort(cosines)
    size = max(2, int(share * rows))
    # By value, so that twins of a row that goes go too.
    return cosines >= ascending[-min(size, rows)], cosines >= ascending[-max(1, size // 2)]


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
        return made

    def _classifier(self, columns: Sequence[int]) -> Pipeline:
        # Linear on purpose: simulated causes are cleaner than real ones, and what a tree reads out of
        # their corners does not carry over.
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=thresholds.JUDGE_C, max_iter=2000, class_weight="balanced")
        )
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
    return (1.0 - thresholds.UNLEARNT_DOUBT) * made + thresholds.UNLEARNT_DOUBT / len(CAUSES)


def usable_columns(has_expected: bool, has_output: bool) -> list[int]:
    return [
        i
        for i, name in enumerate(FEATURES)
        if (has_expected or name not in _NEEDS_EXPECTED) and (has_output or name not in _NEEDS_OUTPUT)
    ]
