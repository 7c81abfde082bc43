"""Does the training set contradict the expected output near this prompt?

A near row only contradicts where it *should* agree. How often rows this near agree is learnt from the
training set itself (``Relevance``): next to an intent's utterance nearly always, next to a word problem
with other numbers hardly ever. What is counted is relevance that stands against the expected output,
over several rows, not the nearest alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.domain import thresholds
from app.domain.diagnosis.interleaving import interleaving
from app.domain.diagnosis.neighborhood import Neighborhoods, TrainingSet

FEATURES = (
    "support_mass",
    "wrong_mass",
    "neither_mass",
    "support_best",
    "wrong_best",
    "neither_best",
    "support_share",
    "wrong_share",
    "cosine_gap",
    "task_agreement",
    "model_support_share",
    "interleaving",
    "model_interleaving",
    "interleaved_opposition",
    "interleaved_support",
    "interleaved_wrong_mass",
    "interleaved_wrong_best",
)
NEEDS_EXPECTED = frozenset(
    (
        "support_mass",
        "neither_mass",
        "support_best",
        "neither_best",
        "support_share",
        "cosine_gap",
        "interleaving",
        "interleaved_opposition",
        "interleaved_support",
    )
)
NEEDS_OUTPUT = frozenset(
    (
        "wrong_mass",
        "wrong_best",
        "wrong_share",
        "model_support_share",
        "model_interleaving",
        "interleaved_wrong_mass",
        "interleaved_wrong_best",
    )
)


@dataclass(frozen=True, slots=True)
class Relevance:
    """P(outputs agree | how near two prompts are and how steady their task is), learnt from near pairs."""

    model: HistGradientBoostingClassifier | None
    task_agreement: Float64[ndarray, " t"]

    def of(self, around: Neighborhoods, tasks: Int64[ndarray, " q"]) -> Float32[ndarray, "q k"]:
        """Shape (q, k), probability 0..1; 0 where there is no row."""
        columns = _pair_columns(around, self.task_agreement[tasks])
        if self.model is None or not len(columns):
            # Nothing to learn from: only what is nearly the same text should surely agree.
            chance = np.maximum(columns[:, 1], 2.0 * columns[:, 0] - 1.0).astype(np.float32)
        else:
            chance = self.model.predict_proba(columns)[:, 1].astype(np.float32)
        return np.where(around.present, chance.reshape(around.rows.shape), np.float32(0.0))


def _pair_columns(around: Neighborhoods, steadiness: Float64[ndarray, " q"]) -> Float64[ndarray, "p c"]:
    shape = around.rows.shape
    return np.column_stack(
        [
            around.cosine.ravel(),
            around.jaccard.ravel(),
            around.same_numbers.ravel(),
            (around.cosine - around.cosine.mean(axis=1, keepdims=True)).ravel(),
            (around.jaccard - around.jaccard.mean(axis=1, keepdims=True)).ravel(),
            np.broadcast_to(steadiness[:, None], shape).ravel(),
        ]
    ).astype(np.float64)


def learn_relevance(training: TrainingSet, rng: np.random.Generator) -> Relevance:
    """Fit on the leave-one-out pairs of the sampled rows, and on copies: a prompt agrees with itself."""
    steadiness = _task_agreement(training)
    around = training.sampled
    near = thresholds.RELEVANCE_PAIRS_PER_ROW
    closest = around.first(near)
    present = closest.present.ravel()
    if present.sum() < thresholds.RELEVANCE_MIN_PAIRS:
        return Relevance(None, steadiness)
    columns = _pair_columns(closest, steadiness[training.tasks[training.sample]])[present]
    agrees = closest.expected.ravel()[present]
    if agrees.all():
        return Relevance(None, steadiness)
    copies = rng.choice(len(columns), max(20, int(len(columns) * thresholds.RELEVANCE_COPY_SHARE)))
    same = columns[copies].copy()
    before = same[:, :2].copy()
    same[:, 0] = rng.uniform(np.clip(before[:, 0], 0.97, 0.999), 1.0)
    same[:, 1] = rng.uniform(np.clip(before[:, 1], 0.85, 0.999), 1.0)
    same[:, 2] = 1.0
    same[:, 3:5] += same[:, :2] - before
    model = HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        monotonic_cst=[1] * columns.shape[1],
        random_state=int(rng.integers(2**31)),
    )
    model.fit(np.vstack([columns, same]), np.concatenate([agrees, np.ones(len(same), dtype=bool)]))
    return Relevance(model, steadiness)


def _task_agreement(training: TrainingSet) -> Float64[ndarray, " t"]:
    """Share of a task's nearest rows that agree, 0..1, pulled towards the whole set's where rows are few."""
    around, tasks = training.sampled, training.tasks[training.sample]
    near = slice(0, 5)
    agree = (around.expected & around.present)[:, near].sum(axis=1)
    pairs = around.present[:, near].sum(axis=1)
    overall = agree.sum() / max(1, pairs.sum())
    count = training.task_count
    hits = np.bincount(tasks, weights=agree, minlength=count)
    asked = np.bincount(tasks, weights=pairs, minlength=count)
    return (hits + 20 * overall) / (asked + 20)


def features(
    around: Neighborhoods,
    relevance: Float32[ndarray, "q k"],
    tasks_agreement: Float64[ndarray, " q"],
    vectors: Float32[ndarray, "n d"],
) -> Float64[ndarray, "q f"]:
    """One row of ``FEATURES`` a prompt. Masses are sums of relevance, in rows; shares 0..1."""
    neither = around.present & ~around.expected & ~around.wrong
    wrong = around.wrong & ~around.expected
    support_mass = (relevance * around.expected).sum(axis=1)
    wrong_mass = (relevance * wrong).sum(axis=1)
    neither_mass = (relevance * neither).sum(axis=1)
    total = np.maximum(relevance.sum(axis=1), 1e-6)
    best_support = np.where(around.expected, around.cosine, -1.0).max(axis=1, initial=-1.0)
    best_against = np.where(around.present & ~around.expected, around.cosine, -1.0).max(axis=1, initial=-1.0)
    sides = np.stack([around.expected, around.wrong])
    mixed, model_mixed = interleaving(sides, around.rows, vectors)
    best_wrong = (relevance * wrong).max(axis=1, initial=0.0)
    return np.column_stack(
        [
            np.log1p(support_mass),
            np.log1p(wrong_mass),
            np.log1p(neither_mass),
            (relevance * around.expected).max(axis=1, initial=0.0),
            best_wrong,
            (relevance * neither).max(axis=1, initial=0.0),
            support_mass / total,
            wrong_mass / total,
            np.clip(best_support - best_against, -0.5, 0.5),
            tasks_agreement,
            (relevance * around.wrong).sum(axis=1) / total,
            mixed,
            model_mixed,
            # A contradiction is opposition *and* mixture: the judge is linear, so the products are said here.
            mixed * (1.0 - support_mass / total),
            mixed * (relevance * around.expected).max(axis=1, initial=0.0),
            model_mixed * np.log1p(wrong_mass),
            model_mixed * best_wrong,
        ]
    ).astype(np.float64)


def evidence(around: Neighborhoods, relevance: Float32[ndarray, "q k"], row: int) -> dict[str, Any]:
    """How many near rows should agree (a sum of probabilities), and how many of these stand on which side."""
    weight, present = relevance[row], around.present[row]
    expected, wrong = around.expected[row], around.wrong[row] & ~around.expected[row]
    neither = present & ~expected & ~wrong
    return {
        "rows_that_should_agree": round(float(weight.sum()), 3),
        "on_the_expected_side": round(float(weight[expected].sum()), 3),
        "on_the_model_output_side": round(float(weight[wrong].sum()), 3),
        "on_neither_side": round(float(weight[neither].sum()), 3),
        "most_relevant_contradiction": round(float(weight[present & ~expected].max(initial=0.0)), 3),
    }
