"""Does the training set contradict the expected output near this prompt?

A near row only contradicts where it *should* agree. How often rows this near agree is learnt from the
training set itself (``Relevance``): next to an intent's utterance nearly always, next to a word problem
with other numbers hardly ever. What is counted is relevance that stands against the expected output,
over several rows, not the nearest alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.domain.answers import agreement
from app.domain.answers.agreement import Commitments
from app.domain.diagnosis.features.neighbors import NEIGHBORS, Near, Sides, TrainingSet, sides
from app.domain.estimators import ridge_leave_one_out
from app.domain.estimators.ridge_leave_one_out import LABEL_CHUNK, LabelModel
from app.domain.evidence import ConflictFigures
from app.domain.vectors.half_precision import UnitVectors

_RELEVANCE_PAIRS_PER_ROW: Final = 12
_RELEVANCE_MIN_PAIRS: Final = 40
_RELEVANCE_COPY_SHARE: Final = 0.05
"""Share of made-up copies among the pairs: a set without near-duplicates teaches nothing about them."""

ASKS_THE_SAME: Final = 0.25
"""Relevance below which no row counts as one that should agree, however far the others are; where rows agree by
chance, the kappa."""

_LABEL_CHANCE_FLOOR: Final = 1e-3
_LABEL_ODDS_LIMIT: Final = 5.0
CONFUSION_FLOOR: Final = 1e-3

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
    "expected_chance",
    "model_chance",
    "wrong_rows_odds",
    "opposing_rows_odds",
    "supporting_rows_odds",
    "expected_taken_for_model",
    "model_taken_for_expected",
)
CONFUSIONS = (-2, -1)
"""Where the last two stand in a case's features, of which these are the last: log shares."""

NEEDS_EXPECTED = frozenset(
    (
        "expected_chance",
        "wrong_rows_odds",
        "opposing_rows_odds",
        "supporting_rows_odds",
        "expected_taken_for_model",
        "model_taken_for_expected",
        "support_mass",
        "neither_mass",
        "support_best",
        "neither_best",
        "support_share",
        "cosine_gap",
    )
)
NEEDS_OUTPUT = frozenset(
    (
        "model_chance",
        "wrong_rows_odds",
        "supporting_rows_odds",
        "expected_taken_for_model",
        "model_taken_for_expected",
        "wrong_mass",
        "wrong_best",
        "wrong_share",
        "model_support_share",
    )
)


DIRECTIONS = {
    **dict.fromkeys(FEATURES, (0, 0)),
    **dict.fromkeys(
        (
            "wrong_mass",
            "neither_mass",
            "wrong_best",
            "neither_best",
            "wrong_rows_odds",
            "opposing_rows_odds",
            "expected_taken_for_model",
            "model_taken_for_expected",
        ),
        (0, 1),
    ),
}
"""What each feature can only speak for (1) or against (-1): that the case is uncovered, contradicted."""


@dataclass(frozen=True, slots=True)
class Relevance:
    """P(outputs agree | how near two prompts are and how steady their task is), learnt from near pairs."""

    model: HistGradientBoostingClassifier | None
    task_agreement: Float64[ndarray, " t"]

    def of(self, near: Near, tasks: Int64[ndarray, " q"]) -> Float32[ndarray, "q k"]:
        """Shape (q, k), probability 0..1; 0 where there is no row."""
        columns = _pair_columns(near, self.task_agreement[tasks])
        if self.model is None or not len(columns):
            # Nothing to learn from: only what is nearly the same text should surely agree.
            chance = np.maximum(columns[:, 1], 2.0 * columns[:, 0] - 1.0).astype(np.float32)
        else:
            chance = self.model.predict_proba(columns)[:, 1].astype(np.float32)
        return np.where(near.present, chance.reshape(near.rows.shape), np.float32(0.0))


def beyond_chance(usual: Float64[ndarray, " q"]) -> Float64[ndarray, " q"]:
    """The relevance 0..1 from which rows count as ones that should agree where ``usual`` of the near rows agree
    anyway: a share ``ASKS_THE_SAME`` of the way from chance to certainty (Cohen 1960, kappa). Of answers that are
    one of four letters every fourth row agrees by chance."""
    return usual + ASKS_THE_SAME * (1.0 - usual)


def _pair_columns(near: Near, steadiness: Float64[ndarray, " q"]) -> Float64[ndarray, "p c"]:
    shape = near.rows.shape
    return np.column_stack(
        [
            near.cosine.ravel(),
            near.jaccard.ravel(),
            near.same_numbers.ravel(),
            1.0 - near.change.ravel(),
            (near.cosine - near.cosine.mean(axis=1, keepdims=True)).ravel(),
            (near.jaccard - near.jaccard.mean(axis=1, keepdims=True)).ravel(),
            np.broadcast_to(steadiness[:, None], shape).ravel(),
        ]
    ).astype(np.float64)


def own_sides(near: Near, outputs: Commitments, own: Commitments, same_meaning_cosine: float) -> Sides:
    """The sides of training rows themselves: a near row is on the expected one where it agrees with the row."""
    nothing = agreement.nothing_said(len(near), own.vectors.shape[1])
    return sides(near, outputs, expected=own, wrong=nothing, same_meaning_cosine=same_meaning_cosine)


def learn_relevance(training: TrainingSet, rng: np.random.Generator) -> Relevance:
    """Fit on the leave-one-out pairs of the sampled rows, and on copies: a prompt agrees with itself."""
    near = training.sampled.first(NEIGHBORS)
    agree = own_sides(
        near, training.outputs, training.outputs.take(training.sample), training.same_meaning_cosine
    ).expected
    steadiness = _task_agreement(training, near, agree)
    first = slice(0, _RELEVANCE_PAIRS_PER_ROW)
    present = near.present[:, first].ravel()
    if present.sum() < _RELEVANCE_MIN_PAIRS:
        return Relevance(None, steadiness)
    # read off before the cut, so that a pair is compared with the same company as it will be later
    columns = _pair_columns(near, steadiness[training.tasks[training.sample]])
    columns = columns.reshape(*near.rows.shape, -1)[:, first].reshape(-1, columns.shape[1])[present]
    agrees = agree[:, first].ravel()[present]
    if agrees.all():
        return Relevance(None, steadiness)
    copies = rng.choice(len(columns), max(20, int(len(columns) * _RELEVANCE_COPY_SHARE)))
    same = columns[copies].copy()
    before = same[:, :2].copy()
    same[:, 0] = rng.uniform(np.clip(before[:, 0], 0.97, 0.999), 1.0)
    same[:, 1] = rng.uniform(np.clip(before[:, 1], 0.85, 0.999), 1.0)
    same[:, 2] = 1.0
    same[:, 3] = 1.0 - np.where(rng.random(len(same)) < 0.5, 0.0, rng.uniform(0.0, 0.05, len(same)))
    same[:, 4:6] += same[:, :2] - before
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


def _task_agreement(
    training: TrainingSet, near: Near, agrees: Bool[ndarray, "s k"]
) -> Float64[ndarray, " t"]:
    """Share of a task's nearest rows that agree, 0..1, pulled towards the whole set's where rows are few."""
    tasks, five = training.tasks[training.sample], slice(0, 5)
    agree = (agrees & near.present)[:, five].sum(axis=1)
    pairs = near.present[:, five].sum(axis=1)
    overall = agree.sum() / max(1, pairs.sum())
    count = training.task_count
    hits = np.bincount(tasks, weights=agree, minlength=count)
    asked = np.bincount(tasks, weights=pairs, minlength=count)
    return (hits + 20 * overall) / (asked + 20)


def label_view(
    model: LabelModel,
    labels: Int64[ndarray, " n"],
    near: Near,
    on: Sides,
    queries: Float32[ndarray, "q d"],
    vectors: UnitVectors,
    *,
    expected: Int64[ndarray, " q"],
    wrong: Int64[ndarray, " q"],
    placed: Bool[ndarray, " q"],
) -> Float64[ndarray, "q 7"]:
    """What the label model, left-out, says of the case and of its near rows; the last seven ``FEATURES``.

    A row that contradicts because it is mislabelled looks like the expected label to all other rows; one that
    stands at a border looks like its own. And two names for one label are taken for each other everywhere.
    ``expected`` and ``wrong`` (q,): labels of the two outputs, -1 = the output is no label. Says nothing where
    labels are not ``placed``.
    """
    expected, wrong = np.where(placed, expected, -1), np.where(placed, wrong, -1)
    count = len(near)
    made = np.zeros((count, 7))
    made[:, 2:5] = -_LABEL_ODDS_LIMIT
    made[:, 5:] = np.log(CONFUSION_FLOOR)
    if not model.classes or not count:
        return made
    each = np.arange(count)
    known, said = expected >= 0, wrong >= 0
    chances = model.probabilities(model.scores(queries))
    made[known, 0] = chances[each[known], expected[known]]
    made[said, 1] = chances[each[said], wrong[said]]
    rows = np.unique(near.rows[near.present])
    place = np.searchsorted(rows, np.maximum(near.rows, 0))
    odds = np.full((3, *near.rows.shape), np.nan)
    # a part of the rows at a time: rows x labels may be large
    for start in range(0, len(rows), LABEL_CHUNK):
        part = rows[start : start + LABEL_CHUNK]
        left_out = model.probabilities(model.left_out_scores(vectors[part], labels[part]))
        logs = np.log(left_out + _LABEL_CHANCE_FLOOR)
        own = np.where(labels[part] >= 0, logs[np.arange(len(part)), labels[part]], np.nan)
        q, k = np.nonzero(near.present & (place >= start) & (place < start + len(part)))
        at = place[q, k] - start
        for_expected = np.where(known[q], logs[at, expected[q]], np.nan)
        for_wrong = np.where(said[q], logs[at, wrong[q]], np.nan)
        odds[0, q, k] = for_expected - for_wrong
        odds[1, q, k] = for_expected - own[at]
        odds[2, q, k] = for_wrong - own[at]
    weight = np.exp(8.0 * (near.cosine - near.cosine[:, :1]).astype(np.float64))
    against = near.present & ~on.expected & placed[:, None]
    for column, (which, among) in enumerate(((0, on.wrong & ~on.expected), (1, against), (2, on.expected))):
        there = among & ~np.isnan(odds[which])
        total = (weight * there).sum(axis=1)
        mean = (weight * np.where(there, odds[which], 0.0)).sum(axis=1) / np.maximum(total, 1e-12)
        made[:, 2 + column] = np.where(total > 0, mean, -_LABEL_ODDS_LIMIT)
    made[:, 2:5] = np.clip(made[:, 2:5], -_LABEL_ODDS_LIMIT, _LABEL_ODDS_LIMIT)
    both = np.flatnonzero(known & said & (expected != wrong))
    if both.size:
        pairs = np.column_stack([expected[both], wrong[both]])
        unique, inverse = np.unique(np.vstack([pairs, pairs[:, ::-1]]), axis=0, return_inverse=True)
        taken = np.log(ridge_leave_one_out.confusions(model, vectors, labels, unique) + CONFUSION_FLOOR)
        made[both, 5], made[both, 6] = taken[inverse[: len(both)]], taken[inverse[len(both) :]]
    return made


def features(
    near: Near,
    on: Sides,
    relevance: Float32[ndarray, "q k"],
    tasks_agreement: Float64[ndarray, " q"],
    label_columns: Float64[ndarray, "q 7"],
) -> Float64[ndarray, "q f"]:
    """One row of ``FEATURES`` a prompt. Masses are sums of relevance, in rows; shares 0..1."""
    neither = near.present & ~on.expected & ~on.wrong
    wrong = on.wrong & ~on.expected
    support_mass = (relevance * on.expected).sum(axis=1)
    wrong_mass = (relevance * wrong).sum(axis=1)
    neither_mass = (relevance * neither).sum(axis=1)
    total = np.maximum(relevance.sum(axis=1), 1e-6)
    best_support = np.where(on.expected, near.cosine, -1.0).max(axis=1, initial=-1.0)
    best_against = np.where(near.present & ~on.expected, near.cosine, -1.0).max(axis=1, initial=-1.0)
    return np.column_stack(
        [
            np.log1p(support_mass),
            np.log1p(wrong_mass),
            np.log1p(neither_mass),
            (relevance * on.expected).max(axis=1, initial=0.0),
            (relevance * wrong).max(axis=1, initial=0.0),
            (relevance * neither).max(axis=1, initial=0.0),
            support_mass / total,
            wrong_mass / total,
            np.clip(best_support - best_against, -0.5, 0.5),
            tasks_agreement,
            (relevance * on.wrong).sum(axis=1) / total,
            label_columns,
        ]
    ).astype(np.float64)


def evidence(near: Near, on: Sides, relevance: Float32[ndarray, "q k"], row: int) -> ConflictFigures:
    """How many near rows should agree (a sum of probabilities), and how many of these stand on which side."""
    weight, present = relevance[row], near.present[row]
    expected, wrong = on.expected[row], on.wrong[row] & ~on.expected[row]
    neither = present & ~expected & ~wrong
    return ConflictFigures(
        rows_that_should_agree=round(float(weight.sum()), 3),
        on_the_expected_side=round(float(weight[expected].sum()), 3),
        on_the_model_output_side=round(float(weight[wrong].sum()), 3),
        on_neither_side=round(float(weight[neither].sum()), 3),
        most_relevant_contradiction=round(float(weight[present & ~expected].max(initial=0.0)), 3),
    )
