"""What a training set teaches about itself: the models and baselines that a case is measured against.

A reference is fitted on some of the training rows; in a simulated world others are left out, or say something
else. Real and simulated cases are measured by the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.answers.agreement import Commitments
from app.domain.diagnosis.features import conflict, coverage, label_ngrams
from app.domain.diagnosis.features.label_ngrams import LabelWords
from app.domain.diagnosis.features.neighbors import (
    CALIBRATION_SAMPLE_ROWS,
    NEIGHBORS,
    Near,
    Sides,
    Texts,
    TrainingSet,
    compared,
)
from app.domain.estimators import mahalanobis, ridge_leave_one_out
from app.domain.estimators.ridge_leave_one_out import LabelModel
from app.domain.language.ngram_frequencies import Grams, Lexicon, grams_of, take
from app.domain.vectors import half_precision

_CLOUD_MIN_ROWS: Final = 40
PLACED_KAPPA: Final = 0.2
"""Agreement beyond chance of the label model, left out, from which a task's labels have a place."""

SIMULATION_ROWS: Final = 20_000
"""Of larger sets a random part is simulated in: what the causes look like does not need more."""


FEATURES = coverage.FEATURES + conflict.FEATURES
_NEEDS_EXPECTED = coverage.NEEDS_EXPECTED | conflict.NEEDS_EXPECTED
_NEEDS_OUTPUT = coverage.NEEDS_OUTPUT | conflict.NEEDS_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Outputs that repeat. ``names`` (K,) ascending whole-hashes; ``of`` (n,) the label of every training row,
    -1 = none or left out; ``rows`` (K,) how many rows have it."""

    names: Int64[ndarray, " K"]
    of: Int64[ndarray, " n"]
    rows: Int64[ndarray, " K"]

    def find(self, whole: Int64[ndarray, " q"]) -> Int64[ndarray, " q"]:
        """The labels that these outputs are, -1 = none."""
        if not len(self.names):
            return np.full(len(whole), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.names, whole), len(self.names) - 1)
        return np.where((self.names[place] == whole) & (whole != 0), place, -1)


def labels_of(outputs: Commitments, kept: Bool[ndarray, " n"]) -> Labels:
    names, counts = np.unique(outputs.whole[kept & (outputs.whole != 0)], return_counts=True)
    repeated = counts > 1
    found = Labels(
        names=names[repeated],
        of=np.full(len(outputs), -1, dtype=np.int64),
        rows=counts[repeated].astype(np.int64),
    )
    found.of[kept] = found.find(outputs.whole[kept])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """q prompts to be measured, with what stands near them.

    ``tasks`` (q,); ``expected`` and ``wrong`` (q,) whole-hashes of the two outputs, 0 = none."""

    prompts: Texts
    near: Near
    sides: Sides
    tasks: Int64[ndarray, " q"]
    expected: Int64[ndarray, " q"]
    wrong: Int64[ndarray, " q"]

    def __len__(self) -> int:
        return len(self.tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The kept rows of a training set and what was learnt from them.

    ``placed`` (t,): in which tasks a label has a place among the prompts. Topics have; the letter of a
    multiple-choice answer stands everywhere, and that it was taught says nothing. ``worded`` (n,): the rows
    that ``words`` were counted in."""

    training: TrainingSet
    outputs: Commitments
    kept: Bool[ndarray, " n"]
    labels: Labels
    label_model: LabelModel
    words: LabelWords
    worded: Bool[ndarray, " n"]
    placed: Bool[ndarray, " t"]
    clouds: tuple[mahalanobis.Cloud, ...]
    lexicon: Lexicon
    baselines: tuple[coverage.Baseline, ...]
    relevance: conflict.Relevance

    def near_of(self, rows: Int64[ndarray, " m"]) -> Near:
        """What stands near training rows, themselves left out; looked up where they were not sampled."""
        training = self.training
        place = np.minimum(np.searchsorted(training.sample, rows), len(training.sample) - 1)
        if (training.sample[place] == rows).all():
            return training.sampled.take(place).first(NEIGHBORS)
        found = agreement.nearest_others(training.prompts.vectors, NEIGHBORS, rows, index=training.index)
        return compared(training.prompts.take(rows), found, training.prompts)

    def output_rows(self, whole: Int64[ndarray, " q"]) -> Int64[ndarray, " q"]:
        """How many kept rows have exactly this output."""
        label = self.labels.find(whole)
        single = np.isin(whole, self.outputs.whole[self.kept]) & (whole != 0)
        return np.where(
            label >= 0, self.labels.rows[np.maximum(label, 0)] if len(self.labels.rows) else 0, single
        )

    def features(self, asked: Asked, grams: tuple[Grams, ...] | None = None) -> Float64[ndarray, "q f"]:
        """Shape (q, len(FEATURES))."""
        measured = self.measured(asked.prompts, asked.near, asked.sides, asked.tasks, grams=grams)
        fresh = self._fresh(asked.near)
        return np.hstack(
            [
                coverage.features(
                    measured,
                    asked.tasks,
                    self.baselines,
                    expected_rows=self.output_rows(asked.expected),
                    placed=self.placed[asked.tasks],
                    fresh=fresh,
                ),
                conflict.features(
                    asked.near,
                    asked.sides,
                    self.relevance.of(asked.near, asked.tasks),
                    self.relevance.task_agreement[asked.tasks],
                    conflict.label_view(
                        self.label_model,
                        self.labels.of,
                        asked.near,
                        asked.sides,
                        asked.prompts.vectors[:],
                        self.training.prompts.vectors,
                        expected=self.labels.find(asked.expected),
                        wrong=self.labels.find(asked.wrong),
                        placed=self.placed[asked.tasks],
                    ),
                ),
            ]
        )

    def measured(
        self,
        prompts: Texts,
        near: Near,
        sides: Sides,
        tasks: Int64[ndarray, " q"],
        rows: Int64[ndarray, " q"] | None = None,
        grams: tuple[Grams, ...] | None = None,
    ) -> Float64[ndarray, "q m"]:
        """Columns of ``coverage.MEASURES``, large = more covered. ``rows``: the prompts are these kept rows,
        left out of what they are measured by."""
        cosine = near.cosine.astype(np.float64)
        distances = np.zeros((len(near), len(mahalanobis.MEASURES)))
        nearest = np.full(len(near), -1, dtype=np.int64)
        for task in np.unique(tasks):
            of = np.flatnonzero(tasks == task)
            own = None if rows is None else np.where(self.placed[task], self.labels.of[rows[of]], -1)
            distances[of], nearest[of] = self.clouds[task].distances(prompts.vectors[of], own)
        held = grams_of(prompts.texts) if grams is None else grams
        worded = np.zeros((len(near), len(label_ngrams.MEASURES)))
        of = np.flatnonzero(self.placed[tasks])
        own = None if rows is None else np.where(self.worded[rows[of]], self.labels.of[rows[of]], -1)
        worded[of] = self.words.measures([take(g, of) for g in held], nearest[of], own)
        novelty = self.lexicon.novelty(held, own=rows is not None)
        if self.label_model.classes:
            scores = (
                self.label_model.scores(prompts.vectors[:])
                if rows is None
                else self.label_model.left_out_scores(prompts.vectors[:], self.labels.of[rows])
            )
            fit = scores.max(axis=1).astype(np.float64)
        else:
            fit = np.zeros(len(near))
        length = np.log1p([len(t) for t in prompts.texts])
        return np.column_stack(
            [
                cosine[:, 0],
                cosine[:, :5].mean(axis=1),
                cosine.mean(axis=1),
                near.jaccard.max(axis=1, initial=0.0).astype(np.float64),
                -distances,
                -novelty,
                coverage.in_label(near, self.labels.of, nearest),
                worded,
                fit,
                length,
                -length,
                np.where(sides.expected, cosine, -1.0).max(axis=1, initial=-1.0),
            ]
        )

    def _fresh(self, near: Near) -> Float64[ndarray, " q"]:
        """How likely an output is one that no row has, 0..1: share of near rows whose output is theirs alone.

        Good 1953 (Good-Turing), taken locally: labels and computed amounts may live in one training set.
        """
        if not len(self.training):
            return np.ones(len(near))
        alone = (self.labels.of[np.maximum(near.rows, 0)] < 0) & near.present
        return alone.sum(axis=1) / np.maximum(near.present.sum(axis=1), 1)


def fit_reference(
    training: TrainingSet,
    relevance: conflict.Relevance,
    *,
    lexicon: Lexicon | None = None,
    grams: tuple[Grams, ...] | None = None,
    outputs: Commitments | None = None,
    kept: Bool[ndarray, " n"] | None = None,
    checked: int = CALIBRATION_SAMPLE_ROWS,
) -> Reference:
    """Fit on the ``kept`` rows, which say ``outputs``. ``lexicon``: of the kept rows. ``grams``: of all rows,
    where they are at hand. ``checked``: sampled rows that are measured, left out, to learn what is normal."""
    said = training.outputs if outputs is None else outputs
    there = np.ones(len(training), dtype=bool) if kept is None else kept
    labels = labels_of(said, there)
    vectors = training.prompts.vectors
    labelled = np.flatnonzero(labels.of >= 0)
    chosen = np.flatnonzero(there[training.sample])[:checked]
    of = training.sample[chosen]
    position = np.full(len(training), -1, dtype=np.int64)
    position[labelled] = np.arange(len(labelled))
    model = ridge_leave_one_out.fit(
        half_precision.taken(vectors, labelled),
        labels.of[labelled],
        len(labels.names),
        checked=position[of][position[of] >= 0],
    )
    placed = _placed(training, labels, model, of)
    worded = _evenly(np.flatnonzero((labels.of >= 0) & placed[training.tasks]))
    made = Reference(
        training=training,
        outputs=said,
        kept=there,
        labels=labels,
        label_model=model,
        words=label_ngrams.label_words(
            grams_of([training.prompts.texts[int(i)] for i in worded])
            if grams is None
            else [take(g, worded) for g in grams],
            labels.of[worded],
            len(labels.names),
        ),
        worded=np.isin(np.arange(len(training)), worded),
        placed=placed,
        clouds=_clouds(training, there, labels, placed),
        lexicon=training.lexicon if lexicon is None else lexicon,
        baselines=(),
        relevance=relevance,
    )
    near = training.sampled.take(chosen).among(there, NEIGHBORS)
    prompts = training.prompts.take(of)
    own = said.take(of)
    on = conflict.own_sides(near, said, own, training.same_meaning_cosine)
    held = None if grams is None else tuple(take(g, of) for g in grams)
    measured = made.measured(prompts, near, on, training.tasks[of], rows=of, grams=held)
    found = coverage.baselines(measured, training.tasks[of], training.task_count)
    return replace(made, baselines=found)


def _evenly(rows: Int64[ndarray, " r"]) -> Int64[ndarray, " k"]:
    """As many of the rows as wordings are counted in, evenly spaced."""
    most = SIMULATION_ROWS
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _placed(
    training: TrainingSet, labels: Labels, model: LabelModel, of: Int64[ndarray, " s"]
) -> Bool[ndarray, " t"]:
    """Tasks whose labels can be told from the prompts better than by chance (Cohen's kappa, left out)."""
    made = np.zeros(training.task_count, dtype=bool)
    for task in range(training.task_count):
        rows = of[training.tasks[of] == task]
        own = labels.of[rows]
        known = own >= 0
        if not len(rows) or known.mean() < 0.5:
            continue
        scores = model.left_out_scores(training.prompts.vectors[rows[known]], own[known])
        hit = float((scores.argmax(axis=1) == own[known]).mean())
        chance = float(np.bincount(own[known]).max() / known.sum())
        made[task] = (hit - chance) / max(1.0 - chance, 1e-9) > PLACED_KAPPA
    return made


def _clouds(
    training: TrainingSet, kept: Bool[ndarray, " n"], labels: Labels, placed: Bool[ndarray, " t"]
) -> tuple[mahalanobis.Cloud, ...]:
    """One a task; tasks too small for a shape of their own share that of all rows."""
    vectors = training.prompts.vectors
    if not kept.any():
        nothing = np.zeros((1, vectors.shape[1]), dtype=np.float32)
        return (mahalanobis.cloud(nothing, np.array([-1])),) * training.task_count
    small = [t for t in range(training.task_count) if (kept & (training.tasks == t)).sum() < _CLOUD_MIN_ROWS]
    centred = np.where(placed[training.tasks], labels.of, -1)
    shared = mahalanobis.cloud(half_precision.taken(vectors, kept), centred[kept]) if small else None
    made = []
    for task in range(training.task_count):
        if shared is not None and task in small:
            made.append(shared)
            continue
        rows = np.flatnonzero(kept & (training.tasks == task))
        made.append(mahalanobis.cloud(half_precision.taken(vectors, rows), centred[rows]))
    return tuple(made)


def usable_columns(has_expected: bool, has_output: bool) -> list[int]:
    return [
        i
        for i, name in enumerate(FEATURES)
        if (has_expected or name not in _NEEDS_EXPECTED) and (has_output or name not in _NEEDS_OUTPUT)
    ]
