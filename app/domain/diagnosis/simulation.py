"""Causes the root causes in the user's own training set, so that what they look like can be learnt.

A training row is taken out and becomes a case. Left as it is, the rest covers it consistently: *hard*.
With its label, its task or its corner of the input space taken out too: *ood*. With near rows that
supported it turned to another answer, or contradicting copies put beside it: *conflict*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from app.domain import similarity, thresholds
from app.domain.diagnosis import coverage
from app.domain.diagnosis.interleaving import interleaving
from app.domain.diagnosis.lens import FEATURES, Lens
from app.domain.diagnosis.neighborhood import Neighborhoods, look_around
from app.domain.records import RootCause

CAUSES = (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD)
_COVERED = FEATURES.index("five_rank")
_UNSEEN = FEATURES.index("label_rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Simulated cases: ``features`` (m, f) and which cause was made, (m,) index into ``CAUSES``.

    ``weights`` (m,) make the causes equally likely within each task, and mean 1."""

    features: Float64[ndarray, "m f"]
    causes: Int64[ndarray, " m"]
    weights: Float64[ndarray, " m"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Features of cases made of the training rows ``of``."""

    features: Float64[ndarray, "m f"]
    of: Int64[ndarray, " m"]

    def where(self, keep: Bool[ndarray, " m"]) -> _Made:
        return _Made(features=self.features[keep], of=self.of[keep])


def simulate(seen: Lens, rng: np.random.Generator) -> Simulation:
    """Make cases of every cause out of training rows, ``SIMULATED_CASES`` of each at most."""
    parts = {
        RootCause.OOD: _ood(seen, rng),
        RootCause.CONFLICT: _conflict(seen, rng),
        RootCause.HARD: _hard(seen, rng),
    }
    causes = np.concatenate([np.full(len(m.of), CAUSES.index(c), dtype=np.int64) for c, m in parts.items()])
    tasks = seen.training.tasks[np.concatenate([m.of for m in parts.values()])]
    return Simulation(
        features=np.vstack([m.features for m in parts.values()]),
        causes=causes,
        weights=_balanced(causes, tasks),
    )


def _balanced(causes: Int64[ndarray, " m"], tasks: Int64[ndarray, " m"]) -> Float64[ndarray, " m"]:
    """What task a case belongs to may not give its cause away: equal weight of the causes in every task."""
    if not len(causes):
        return np.ones(0)
    cells = np.zeros((int(tasks.max()) + 1, len(CAUSES)))
    np.add.at(cells, (tasks, causes), 1.0)
    weights = (cells.sum(axis=1, keepdims=True) / np.maximum(cells, 1.0))[tasks, causes]
    weights = np.minimum(weights, thresholds.SIMULATED_MAX_WEIGHT * np.median(weights))
    return weights / weights.mean()


def _coverable(seen: Lens) -> Int64[ndarray, " r"]:
    """Sampled rows that the others cover: not a label's only row, not an outlier of the set itself."""
    training = seen.training
    fresh = coverage.fresh_outputs(training.sampled, training.label_rows)
    taught = (training.label_rows[training.sample] > 1) | (fresh > 0.5)
    return np.flatnonzero(taught)


def _covered(made: _Made) -> _Made:
    return made.where(made.features[:, _COVERED] > thresholds.COVERED_ABOVE)


def _draw(among: Int64[ndarray, " a"], count: int, rng: np.random.Generator) -> Int64[ndarray, " m"]:
    return rng.choice(among, min(count, len(among)), replace=False) if len(among) else among


def _made(
    seen: Lens, around: Neighborhoods, of: Int64[ndarray, " m"], unseen: Bool[ndarray, " m"] | None = None
) -> _Made:
    """``unseen``: no row that is left has the expected output."""
    expected_rows = seen.training.label_rows[of] - 1
    if unseen is not None:
        expected_rows = np.where(unseen, 0, expected_rows)
    return _Made(features=seen.features(around, seen.training.tasks[of], expected_rows), of=of)


def _with_wrong_output(
    around: Neighborhoods, outputs: Int64[ndarray, " n"], rng: np.random.Generator
) -> Neighborhoods:
    """A plausible wrong answer: mostly that of a near row that disagrees, else one that no near row gives."""
    against = around.present & ~around.expected
    # An exponential race: each row wins in proportion to its weight, so a label does to its mass.
    race = rng.exponential(size=around.rows.shape) / np.exp(8.0 * around.cosine)
    picked = np.where(against, race, np.inf).argmin(axis=1)
    output = outputs[around.rows[np.arange(len(around)), picked]]
    copied = against.any(axis=1) & (rng.random(len(around)) < thresholds.SIMULATED_COPIED_ANSWERS)
    return replace(around, wrong=against & (outputs[around.rows] == output[:, None]) & copied[:, None])


def _hard(seen: Lens, rng: np.random.Generator) -> _Made:
    training = seen.training
    rows = _confusable_first(seen, _coverable(seen), rng)
    around = _with_wrong_output(training.sampled.take(rows), training.outputs.whole, rng)
    repeated = rng.random(len(rows)) < thresholds.SIMULATED_HARD_WITH_COPIES
    around = _with_copies(around, repeated, training.sample[rows], contradicting=False, rng=rng)
    return _covered(_made(seen, around, training.sample[rows]))


def _confusable_first(
    seen: Lens, rows: Int64[ndarray, " r"], rng: np.random.Generator
) -> Int64[ndarray, " m"]:
    """Up to half of each task's hard cases are rows whose near rows mostly say something else: what a
    model gets wrong. Not those whose sides are interleaved: the set may really hold that conflict.
    """
    training = seen.training
    around, tasks = training.sampled.take(rows), training.tasks[training.sample[rows]]
    relevance = seen.relevance.of(around, tasks)
    support = (relevance * around.expected).sum(axis=1) / np.maximum(relevance.sum(axis=1), 1e-6)
    mixed = interleaving(around.expected[None], around.rows, training.prompts.vectors)[0]
    steady = (relevance > 0.5).any(axis=1) & around.expected.any(axis=1)
    confusable = steady & (support < 0.5) & (mixed < thresholds.INTERLEAVED)
    drawn = []
    for task in np.unique(tasks):
        share = int(np.ceil(thresholds.SIMULATED_CASES * (tasks == task).mean()))
        first = _draw(rows[confusable & (tasks == task)], share // 2, rng)
        drawn += [first, _draw(rows[~confusable & (tasks == task)], share - len(first), rng)]
    return np.concatenate([np.empty(0, dtype=np.int64), *drawn])


def _conflict(seen: Lens, rng: np.random.Generator) -> _Made:
    training = seen.training
    rows = _draw(_coverable(seen), thresholds.SIMULATED_CASES, rng)
    around = _with_wrong_output(training.sampled.take(rows), training.outputs.whole, rng)
    relevance = seen.relevance.of(around, training.tasks[training.sample[rows]])
    # Where near rows support the answer because they should, turn a share of them; else put copies in.
    supporters = around.expected & (relevance > 0.5)
    turnable = supporters.sum(axis=1) >= thresholds.TURNABLE_SUPPORTERS
    turned = _turned(around, supporters & turnable[:, None], rng)
    copied = _with_copies(turned, ~turnable, training.sample[rows], contradicting=True, rng=rng)
    return _covered(_made(seen, copied, training.sample[rows]))


def _turned(
    around: Neighborhoods, supporters: Bool[ndarray, "q k"], rng: np.random.Generator
) -> Neighborhoods:
    """Near supporters turned to the wrong answer: a third to nine tenths of them, one at least."""
    share = rng.uniform(0.3, 0.9, size=(len(around), 1))
    turn = supporters & (rng.random(supporters.shape) < share)
    missed = np.flatnonzero(~turn.any(axis=1) & supporters.any(axis=1))
    turn[missed, supporters[missed].argmax(axis=1)] = True
    sided = rng.random((len(around), 1)) < thresholds.SIMULATED_SIDED
    return replace(around, expected=around.expected & ~turn, wrong=around.wrong | (turn & sided))


def _with_copies(
    around: Neighborhoods,
    where: Bool[ndarray, " q"],
    own: Int64[ndarray, " q"],
    *,
    contradicting: bool,
    rng: np.random.Generator,
) -> Neighborhoods:
    """Put one to four near-copies of the prompt in front of its neighbours, nearer than all of these.

    All of them right, or ``contradicting``: each with probability .6 and one at least against the
    expected output, mostly with the model's own answer.
    """
    asked = np.flatnonzero(where)
    if not len(asked):
        return around
    names = ("rows", "cosine", "jaccard", "same_numbers", "expected", "wrong")
    fields = {name: getattr(around, name).copy() for name in names}
    width = around.rows.shape[1]
    for row in asked:
        copies = min(int(rng.integers(1, 5)), width)
        nearest = float(np.clip(around.cosine[row, 0], 0.85, 0.999))
        alike = float(np.clip(around.jaccard[row].max(), 0.45, 0.999))
        for values in fields.values():
            values[row, copies:] = values[row, : width - copies].copy()
        against = np.zeros(copies, dtype=bool)
        if contradicting:
            against = rng.random(copies) < thresholds.SIMULATED_WRONG_COPIES
            against[rng.integers(copies)] = True
        fields["rows"][row, :copies] = own[row]
        fields["cosine"][row, :copies] = np.sort(rng.uniform(nearest, 1.0, copies))[::-1]
        fields["jaccard"][row, :copies] = rng.uniform(alike, 1.0, copies)
        fields["same_numbers"][row, :copies] = rng.random(copies) < 0.9
        fields["expected"][row, :copies] = ~against
        fields["wrong"][row, :copies] = against & (rng.random() < thresholds.SIMULATED_SIDED)
    return Neighborhoods(**fields)


def _ood(seen: Lens, rng: np.random.Generator) -> _Made:
    """Take labels, tasks or corners of the input space out of the training set and ask for them.

    Only what then is less covered than most rows, or a label that is gone, counts as not covered.
    """
    training = seen.training
    made = [_Made(features=np.empty((0, len(FEATURES))), of=np.empty(0, dtype=np.int64))]
    rounds = thresholds.SIMULATED_OOD_ROUNDS if len(training) > 1 else 0
    for turn in range(rounds):
        out, inner = _labels_out(seen, rng) if turn % 2 == 0 else _corner_out(seen, rng)
        if out.all() or not out.any():
            continue
        asked = _draw(training.sample[inner[training.sample]], 2 * thresholds.SIMULATED_CASES // rounds, rng)
        without = _asked_without(seen, asked, out, rng)
        far = without.features[:, _COVERED] < thresholds.UNCOVERED_BELOW
        gone = (without.features[:, _UNSEEN] == 0) & (training.label_rows[asked] > 1)
        made.append(without.where(far | gone))
    joined = _Made(features=np.vstack([m.features for m in made]), of=np.concatenate([m.of for m in made]))
    kept = np.zeros(len(joined.of), dtype=bool)
    kept[_draw(np.arange(len(joined.of)), thresholds.SIMULATED_CASES, rng)] = True
    return joined.where(kept)


def _asked_without(
    seen: Lens, asked: Int64[ndarray, " m"], out: Bool[ndarray, " n"], rng: np.random.Generator
) -> _Made:
    training = seen.training
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
    return _made(seen, around, asked, unseen=~still)


def _labels_out(seen: Lens, rng: np.random.Generator) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"]]:
    """Rows of a tenth of the labels that have a place of their own; a corner where there are none.

    The letter of a multiple-choice answer stands everywhere: leaving it out takes no kind of prompt out.
    """
    training = seen.training
    near = training.sampled.first(5)
    placed = training.sample[near.expected.mean(axis=1) > 0.5]
    labels = np.unique(training.outputs.whole[placed[training.label_rows[placed] > 1]])
    if len(labels) < 3:
        return _corner_out(seen, rng)
    out = np.isin(training.outputs.whole, rng.choice(labels, max(1, len(labels) // 10), replace=False))
    return out, out


def _corner_out(seen: Lens, rng: np.random.Generator) -> tuple[Bool[ndarray, " n"], Bool[ndarray, " n"]]:
    """A ball around a random row, a twentieth to all of its task; asked for is its inner half."""
    training = seen.training
    centre = int(rng.integers(len(training)))
    among = training.tasks == training.tasks[centre]
    cosines = np.where(among, training.prompts.vectors @ training.prompts.vectors[centre], np.float32(-2.0))
    ascending = np.sort(cosines[among])
    size = max(2, int(np.exp(rng.uniform(np.log(0.05), 0.0)) * len(ascending)))
    # By value, so that twins of a row that goes go too.
    return cosines >= ascending[-min(size, len(ascending))], cosines >= ascending[-max(1, size // 2)]
