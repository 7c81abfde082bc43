"""Cases of known cause, measured: what a judge of causes is taught with.

Every simulated world is fitted like the real training set, and its cases are looked at like real ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.answers.agreement import Commitments
from app.domain.diagnosis.features import conflict
from app.domain.diagnosis.features.extractor import FEATURES, Asked, Reference, fit_reference
from app.domain.diagnosis.features.neighbors import NEIGHBORS, Near, Sides, compared, sides
from app.domain.diagnosis.simulation.scenarios import (
    CONFLICT,
    HARD,
    OOD,
    SIMULATED_SIDED,
    Cases,
    Scenario,
    scenarios_of,
)
from app.domain.language.ngram_frequencies import Grams, grams_of, lexicon, take
from app.domain.records import CAUSES

_SIMULATED_MAX_WEIGHT: Final = 5.0
_COVERED_ABOVE: Final = -4.6
"""Log-odds of the five-neighbour percentile (.01): rows below are outliers of the set, covered by nothing. Of a
larger share left out, the judge would learn that whatever has few near rows is uncovered."""

_UNCOVERED_BELOW: Final = -2.2
"""Log-odds (.1): a corner whose rows stay better covered than a tenth of the set is not out."""

_WORLD_SAMPLE_ROWS: Final = 2500
"""Rows of a world whose own measures say what is normal in it."""

_OPPOSING_ODDS_BELOW: Final = -0.5
"""Log-odds from which a near row looks as much like the case's label as like its own: no plain hard case."""


_LOOKS = [
    FEATURES.index(f"{name}_rank")
    for name in (
        "nearest",
        "mean_of_five",
        "text_overlap",
        "task_distance",
        "label_distance",
        "unseen_long_grams",
    )
]
_NEAR = ("rows", "cosine", "jaccard", "same_numbers", "change")
_FIVE = FEATURES.index("mean_of_five_rank")
_OPPOSING = FEATURES.index("opposing_rows_odds")
_UNSEEN = FEATURES.index("label_unseen")
_USUAL = FEATURES.index("task_agreement")
_OPPOSED = [FEATURES.index("wrong_best"), FEATURES.index("neither_best")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Simulated cases: ``features`` (m, f) and which cause was made, (m,) index into ``CAUSES``.

    ``weights`` (m,) make the causes equally likely within each task, and mean 1. ``placed`` (m,): the labels of
    the case's task have a place among the prompts. ``untouched`` (m,): no row near the case was made up or relabelled
    for its sake."""

    features: Float64[ndarray, "m f"]
    causes: Int64[ndarray, " m"]
    weights: Float64[ndarray, " m"]
    placed: Bool[ndarray, " m"]
    untouched: Bool[ndarray, " m"]

    def where(self, rows: Bool[ndarray, " m"]) -> Simulation:
        return Simulation(
            features=self.features[rows],
            causes=self.causes[rows],
            weights=self.weights[rows],
            placed=self.placed[rows],
            untouched=self.untouched[rows],
        )


def simulate(
    clean: Reference, rng: np.random.Generator, grams: tuple[Grams, ...] | None = None
) -> Simulation:
    """Make cases of every cause out of training rows, so many (``scenarios``) of each at most. ``grams``: of all
    rows, where they are at hand."""
    features, causes, tasks, untouched = [np.empty((0, len(FEATURES)))], [], [], [np.empty(0, dtype=bool)]
    held = grams_of(clean.training.prompts.texts) if grams is None else grams
    for scenario in scenarios_of(clean, rng):
        measured = _measured(clean, scenario, held, rng)
        believed = _believable(measured, scenario.cases, clean.placed[scenario.cases.tasks])
        features.append(measured[believed])
        causes.append(scenario.cases.causes[believed])
        tasks.append(scenario.cases.tasks[believed])
        left_alone = (scenario.cases.copies == 0) & (scenario.cases.causes != CONFLICT)
        untouched.append(left_alone[believed])
    none = np.empty(0, dtype=np.int64)
    made, task = np.concatenate([none, *causes]), np.concatenate([none, *tasks])
    return Simulation(
        features=np.vstack(features),
        causes=made,
        weights=balanced(made, task),
        placed=clean.placed[task],
        untouched=np.concatenate(untouched),
    )


def balanced(causes: Int64[ndarray, " m"], tasks: Int64[ndarray, " m"]) -> Float64[ndarray, " m"]:
    """What task a case belongs to may not give its cause away: equal weight of the causes in every task."""
    if not len(causes):
        return np.ones(0)
    cells = np.zeros((int(tasks.max()) + 1, len(CAUSES)))
    np.add.at(cells, (tasks, causes), 1.0)
    weights = (cells.sum(axis=1, keepdims=True) / np.maximum(cells, 1.0))[tasks, causes]
    weights = np.minimum(weights, _SIMULATED_MAX_WEIGHT * np.median(weights))
    return weights / weights.mean()


def _measured(
    clean: Reference, scenario: Scenario, grams: tuple[Grams, ...], rng: np.random.Generator
) -> Float64[ndarray, "m f"]:
    training, cases = clean.training, scenario.cases
    here = fit_reference(
        training,
        clean.relevance,
        lexicon=lexicon(grams, scenario.kept),
        grams=grams,
        outputs=scenario.outputs,
        kept=scenario.kept,
        checked=_WORLD_SAMPLE_ROWS,
    )
    prompts = training.prompts.take(cases.rows)
    left = np.flatnonzero(scenario.kept)
    found = agreement.nearest(prompts.vectors[:], training.prompts.vectors[left], NEIGHBORS)
    if len(left):
        found = replace(found, indices=np.where(found.present, left[found.indices], -1))
    near = compared(prompts, found, training.prompts)
    expected = replace(training.outputs.take(cases.rows), whole=cases.expected, exact=cases.expected)
    on = sides(
        near,
        # Who has which output is made up here: it is in the hashes and not in the texts.
        replace(scenario.outputs, exact=scenario.outputs.whole),
        expected=expected,
        wrong=_labels(cases.wrong, expected),
        same_meaning_cosine=training.same_meaning_cosine,
    )
    near, on = _with_copies(near, on, cases, rng)
    return here.features(
        Asked(
            prompts=prompts,
            near=near,
            sides=on,
            tasks=cases.tasks,
            expected=cases.expected,
            wrong=cases.wrong,
        ),
        grams=tuple(take(g, cases.rows) for g in grams),
    )


def _labels(whole: Int64[ndarray, " m"], like: Commitments) -> Commitments:
    """Outputs that agree with what is equal and with nothing else."""
    nothing = np.zeros(len(whole), dtype=np.int64)
    return replace(
        like, whole=whole, exact=whole, final=nothing, numbers=nothing, closed=np.ones(len(whole), dtype=bool)
    )


def _believable(
    features: Float64[ndarray, "m f"], cases: Cases, placed: Bool[ndarray, " m"]
) -> Bool[ndarray, " m"]:
    """What was taken out may still be covered by what is left, what was left in may be an outlier of the set
    itself, and what was put beside it may be another question to this set: none of them teaches what its cause
    looks like. ``placed``: the labels of the case's task have a place among the prompts."""
    never_taught = features[:, _UNSEEN] > 0.5
    far = features[:, _LOOKS].mean(axis=1) < _UNCOVERED_BELOW
    covered = features[:, _FIVE] > _COVERED_ABOVE
    # The set may hold conflicts of its own: near rows that look more like the case's label than like theirs.
    clean = features[:, _OPPOSING] < _OPPOSING_ODDS_BELOW
    untaught = ~placed | (features[:, _UNSEEN] > 0)
    believed = np.where(cases.causes == OOD, never_taught | (far & untaught), covered)
    # A row of another answer contradicts where it should agree more often than chance has it.
    opposed = features[:, _OPPOSED].max(axis=1) >= conflict.beyond_chance(features[:, _USUAL])
    return believed & ((cases.causes != HARD) | clean) & ((cases.causes != CONFLICT) | placed | opposed)


def _with_copies(near: Near, on: Sides, cases: Cases, rng: np.random.Generator) -> tuple[Near, Sides]:
    """Near-copies of the prompt in front of its neighbours, nearer than all of these."""
    fields = {name: getattr(near, name).copy() for name in _NEAR} | {
        "expected": on.expected.copy(),
        "wrong": on.wrong.copy(),
    }
    width = near.rows.shape[1]
    for case in np.flatnonzero(cases.copies).tolist():
        copies = min(int(cases.copies[case]), width)
        against = np.zeros(copies, dtype=bool)
        against[: min(int(cases.against[case]), copies)] = True
        rng.shuffle(against)
        nearest = float(np.clip(near.cosine[case, 0], 0.85, 0.999))
        alike = float(np.clip(near.jaccard[case].max(), 0.5, 0.999))
        for values in fields.values():
            values[case, copies:] = values[case, : width - copies].copy()
        fields["rows"][case, :copies] = cases.rows[case]
        fields["cosine"][case, :copies] = np.sort(rng.uniform(nearest, 1.0, copies))[::-1]
        fields["jaccard"][case, :copies] = rng.uniform(alike, 1.0, copies)
        fields["same_numbers"][case, :copies] = rng.random(copies) < 0.9
        fields["change"][case, :copies] = rng.uniform(0.0, 0.05, copies) * (rng.random(copies) < 0.5)
        fields["expected"][case, :copies] = ~against
        fields["wrong"][case, :copies] = against & (rng.random() < SIMULATED_SIDED)
    return (
        Near(**{name: fields[name] for name in _NEAR}),
        Sides(expected=fields["expected"], wrong=fields["wrong"]),
    )


__all__ = ["CAUSES", "HARD", "Simulation", "balanced", "simulate"]
