"""Synthetic failures: copies of the training set with rows removed or relabelled, so that each held-out row's root
cause is known.

In one world rows are taken out and become cases. What is asked without its corner, its labels or its whole
task is *ood*. What has near rows turned to another answer, its label split under two names, or contradicting
copies put beside it is a *conflict*. What is left as it was is *hard*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from app.domain.answers.agreement import Commitments
from app.domain.diagnosis.features.extractor import Reference
from app.domain.diagnosis.features.neighbors import NEIGHBORS, Near
from app.domain.diagnosis.simulation.holdouts import regions_out

_SIMULATED_CASES: Final = 1500
"""Simulated cases of each root cause."""

_SIMULATED_COPIED_ANSWERS: Final = 0.7
"""Share of simulated wrong answers that a near row gives; the rest stand nowhere near."""

_SIMULATED_HARD_WITH_COPIES: Final = 0.3
_SIMULATED_WRONG_COPIES: Final = 0.6
SIMULATED_SIDED: Final = 0.8
"""Share of simulated conflicts in which the contradicting rows say what the model said."""

_TURNABLE_SUPPORTERS: Final = 2
_SCENARIOS: Final = 6
_MOST_WORLDS: Final = 24
_WORLD_ROWS: Final = 6000
"""Rows of all worlds together that are enough for small sets."""

_SPLIT_MIN_ROWS: Final = 12
_SPLIT_SHARE: Final = 0.08
_SPLIT_CASES: Final = 10
"""A third of a label's rows at most. Compared with 6 in docs/experiments.md, "Small sets"."""

_TURNED_SUPPORTERS: Final = 8
_MAX_COPIES: Final = 4
_SIMULATED_TAKEN_FOR: Final = 0.5
"""Share of labelled cases whose wrong output is what a label model would say, as a trained model does."""

_TURNED_SHARE: Final = 0.06
"""Share of a task's rows that are turned in one world: the rest must stay what it is."""


OOD, CONFLICT, HARD = range(3)
_SAID_NOWHERE = 1  # no text hashes to it: whole-hashes are even


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """m simulated cases: training row, cause (index into ``CAUSES``), declared task, whole-hashes of the
    expected and of the wrong output. ``copies`` near-copies stand beside it, ``against`` of them contradict."""

    rows: Int64[ndarray, " m"]
    causes: Int64[ndarray, " m"]
    tasks: Int64[ndarray, " m"]
    expected: Int64[ndarray, " m"]
    wrong: Int64[ndarray, " m"]
    copies: Int64[ndarray, " m"]
    against: Int64[ndarray, " m"]

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, chosen: Bool[ndarray, " m"]) -> Cases:
        return Cases(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``kept`` (n,): the rows that are left; ``outputs``: what they say."""

    kept: Bool[ndarray, " n"]
    outputs: Commitments
    cases: Cases


def scenarios_of(clean: Reference, rng: np.random.Generator) -> Iterator[Scenario]:
    """Different worlds out of one training set; none out of a set with fewer than two rows.

    The smaller the set, the fewer cases are in one world, and the more worlds there are.
    """
    rows = len(clean.training)
    count = max(_SCENARIOS, min(_MOST_WORLDS, _WORLD_ROWS // max(rows, 1)))
    for turn in range(count if rows > 1 else 0):
        yield _world(clean, turn, _SIMULATED_CASES // count, rng)


def _world(clean: Reference, turn: int, each: int, rng: np.random.Generator) -> Scenario:
    training = clean.training
    out, inner, declared = regions_out(clean, turn, rng)
    whole = training.outputs.whole.copy()
    split = _split_labels(clean, ~out, whole, rng)
    uncovered = _draw(np.flatnonzero(inner), each, rng)
    named_twice = _per_label(clean.labels.of, np.flatnonzero(split), _SPLIT_CASES, rng)
    pool = training.sample[~out[training.sample] & ~split[training.sample]]
    pool = pool[_teachable(clean, pool)]
    contradicted = _sparse(clean, _stratified(pool, training.tasks, each, rng), rng)
    pool = np.setdiff1d(pool, contradicted)
    # twice as many as are wanted: near rows of some are turned for the sake of others
    first = _stratified(pool[_mistaken(clean, pool)], training.tasks, each, rng)
    rest = _stratified(np.setdiff1d(pool, first), training.tasks, 2 * each - len(first), rng)
    hard = np.concatenate([first, rest])
    parts = (uncovered, named_twice, contradicted, hard)
    rows = np.concatenate(parts)
    part = np.repeat(np.arange(4), [len(p) for p in parts])
    causes = np.array([OOD, CONFLICT, CONFLICT, HARD])[part]
    kept = ~out
    kept[rows] = False
    expected = whole[rows].copy()
    near = clean.near_of(rows)
    wrong = _wrong_outputs(clean, rows, near, np.unique(whole[~out]), rng)
    wrong[part == 1] = _other_names(clean, whole, rows[part == 1])
    copies, against = _contradict(clean, rows, near, part, kept, whole, expected, wrong, rng)
    tasks = training.tasks[rows].copy()
    elsewhere = (part == 0) & (declared[rows] >= 0)
    tasks[elsewhere] = declared[rows[elsewhere]]
    cases = Cases(
        rows=rows,
        causes=causes,
        tasks=tasks,
        expected=expected,
        wrong=wrong,
        copies=copies,
        against=against,
    )
    # what was turned for a neighbour's sake does not leave a hard case as it was
    touched = (whole != training.outputs.whole)[np.maximum(near.rows, 0)] & near.present
    cases = cases.where((part != 3) | ~touched.any(axis=1))
    return Scenario(kept=kept, outputs=replace(training.outputs, whole=whole), cases=cases)


def _draw(among: Int64[ndarray, " a"], count: int, rng: np.random.Generator) -> Int64[ndarray, " m"]:
    return rng.choice(among, min(count, len(among)), replace=False) if len(among) else among


def _stratified(
    rows: Int64[ndarray, " r"], tasks: Int64[ndarray, " n"], count: int, rng: np.random.Generator
) -> Int64[ndarray, " m"]:
    """Alike many of every task, as far as it has them, and a third of its rows at most (rounded up): the rest
    of a small task is what covers the drawn ones."""
    present, of = np.unique(tasks[rows], return_counts=True)
    share = np.ceil(min(count, len(rows) / 3) / max(1, len(present)))
    most = np.minimum(share, np.ceil(of / 3)).astype(np.int64).tolist()
    drawn = [_draw(rows[tasks[rows] == t], m, rng) for t, m in zip(present, most, strict=True)]
    return np.concatenate([np.empty(0, dtype=np.int64), *drawn])


def _sparse(clean: Reference, rows: Int64[ndarray, " m"], rng: np.random.Generator) -> Int64[ndarray, " k"]:
    """So few, where near rows will be turned, that most of a task stays as it is."""
    tasks = clean.training.tasks
    drawn = [np.empty(0, dtype=np.int64)]
    for task in np.unique(tasks[rows]):
        of = rows[tasks[rows] == task]
        turned = _TURNED_SHARE * (tasks == task).sum() / (_TURNED_SUPPORTERS / 2)
        drawn.append(_draw(of, max(1, int(turned)) if clean.placed[task] else len(of), rng))
    return np.concatenate(drawn)


def _per_label(
    labels: Int64[ndarray, " n"], rows: Int64[ndarray, " r"], count: int, rng: np.random.Generator
) -> Int64[ndarray, " m"]:
    """``count`` rows of every label, a third of its rows at most."""
    drawn = [np.empty(0, dtype=np.int64)]
    for label in np.unique(labels[rows]):
        members = rows[labels[rows] == label]
        drawn.append(_draw(members, min(count, len(members) // 3), rng))
    return np.concatenate(drawn)


def _teachable(clean: Reference, rows: Int64[ndarray, " r"]) -> Bool[ndarray, " r"]:
    """What the other rows can cover: not a label's only row in a set of labels."""
    single = clean.labels.of[rows] < 0
    position = np.searchsorted(clean.training.sample, rows)
    near = clean.training.sampled.take(position).first(NEIGHBORS)
    alone = (clean.labels.of[np.maximum(near.rows, 0)] < 0) & near.present
    return ~single | (alone.sum(axis=1) > near.present.sum(axis=1) / 2)


def _left_out_scores(clean: Reference, rows: Int64[ndarray, " r"]) -> ndarray:
    """Scores of the other labels than the row's own, by a model without the row."""
    labels = clean.labels.of[rows]
    scores = clean.label_model.left_out_scores(clean.training.prompts.vectors[rows], labels)
    known = np.flatnonzero(labels >= 0)
    scores[known, labels[known]] = -np.inf
    return scores


def _mistaken(clean: Reference, rows: Int64[ndarray, " r"]) -> Bool[ndarray, " r"]:
    """What a model finds hard: rows that the label model gets wrong when it has not seen them; where labels
    have no place, the longest prompts of a task."""
    labels = clean.labels.of[rows]
    tasks = clean.training.tasks[rows]
    known = np.flatnonzero((labels >= 0) & clean.placed[tasks])
    made = np.zeros(len(rows), dtype=bool)
    lengths = np.array([len(clean.training.prompts.texts[i]) for i in rows.tolist()])
    for task in np.unique(tasks[~clean.placed[tasks]]):
        of = tasks == task
        made |= of & (lengths >= np.quantile(lengths[of], 2 / 3))
    if known.size:
        scores = clean.label_model.left_out_scores(clean.training.prompts.vectors[rows[known]], labels[known])
        made[known] = scores.argmax(axis=1) != labels[known]
    return made


def _wrong_outputs(
    clean: Reference,
    rows: Int64[ndarray, " m"],
    near: Near,
    taught: Int64[ndarray, " o"],
    rng: np.random.Generator,
) -> Int64[ndarray, " m"]:
    """A plausible wrong answer: the label that a model would take it for, that of a near row which says
    something else, or one that no near row gives. ``taught``: the outputs that some row still gives, for a
    model says no label that it was never taught."""
    training = clean.training
    own = training.outputs.whole[rows]
    said = training.outputs.whole[np.maximum(near.rows, 0)]
    against = near.present & (said != own[:, None]) & np.isin(said, taught)
    # An exponential race: each row wins in proportion to its weight, so a label does to its mass.
    race = rng.exponential(size=near.rows.shape) / np.exp(8.0 * near.cosine)
    picked = np.where(against, race, np.inf).argmin(axis=1)
    made = np.where(against.any(axis=1), said[np.arange(len(rows)), picked], _SAID_NOWHERE)
    made[rng.random(len(rows)) >= _SIMULATED_COPIED_ANSWERS] = _SAID_NOWHERE
    if clean.label_model.classes > 1:
        labelled = (clean.labels.of[rows] >= 0) & (rng.random(len(rows)) < _SIMULATED_TAKEN_FOR)
        scores = _left_out_scores(clean, rows[labelled])
        scores[:, ~np.isin(clean.labels.names, taught)] = -np.inf
        best = scores.argmax(axis=1)
        made[labelled] = clean.labels.names[best]
    return made


def _split_labels(
    clean: Reference, there: Bool[ndarray, " n"], whole: Int64[ndarray, " n"], rng: np.random.Generator
) -> Bool[ndarray, " n"]:
    """Give part of the rows of some labels a second name, in ``whole``; returns which rows are concerned.

    Two teams name one thing: each has its own way of putting it, more or less. So the rows are divided along
    a random direction, with more or less noise.
    """
    split = np.zeros(len(whole), dtype=bool)
    large = np.flatnonzero(clean.labels.rows >= _SPLIT_MIN_ROWS)
    chosen = _draw(large, int(np.ceil(_SPLIT_SHARE * len(large))), rng)
    for label in chosen.tolist():
        rows = np.flatnonzero((clean.labels.of == label) & there)
        if len(rows) < _SPLIT_MIN_ROWS:
            continue
        vectors = clean.training.prompts.vectors[rows]
        along = (vectors - vectors.mean(axis=0)) @ rng.normal(size=vectors.shape[1])
        along /= max(float(along.std()), 1e-9)
        noisy = along + rng.exponential() * rng.normal(size=len(rows))
        second = noisy > np.quantile(noisy, rng.uniform(0.3, 0.7))
        whole[rows[second]] = clean.labels.names[label] ^ np.int64(1)
        split[rows] = True
    return split


def _other_names(
    clean: Reference, whole: Int64[ndarray, " n"], rows: Int64[ndarray, " m"]
) -> Int64[ndarray, " m"]:
    first = clean.training.outputs.whole[rows]
    return np.where(whole[rows] == first, first ^ np.int64(1), first)


def _contradict(
    clean: Reference,
    rows: Int64[ndarray, " m"],
    near: Near,
    part: Int64[ndarray, " m"],
    kept: Bool[ndarray, " n"],
    whole: Int64[ndarray, " n"],
    expected: Int64[ndarray, " m"],
    wrong: Int64[ndarray, " m"],
    rng: np.random.Generator,
) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " m"]]:
    """Turn near rows that support a contradicted case, in ``whole``; where none do, copies are put in.

    Returns how many copies each case gets and how many of them contradict; hard cases get right ones.
    """
    copies = np.zeros(len(rows), dtype=np.int64)
    against = np.zeros(len(rows), dtype=np.int64)
    conflicts = np.flatnonzero(part == 2)
    near = near.take(conflicts)
    relevance = clean.relevance.of(near, clean.training.tasks[rows[conflicts]])
    for i, case in enumerate(conflicts.tolist()):
        there = near.rows[i][near.present[i] & (relevance[i] > 0.5)]
        supporters = there[kept[there] & (whole[there] == expected[case])][:_TURNED_SUPPORTERS]
        if len(supporters) >= _TURNABLE_SUPPORTERS:
            turn = rng.random(len(supporters)) < rng.uniform(0.3, 0.9)
            turn[rng.integers(len(supporters))] = True
            # mostly to what the model says; else to something else, and the model just repeats the confusion
            to = wrong[case]
            if to == _SAID_NOWHERE or rng.random() > SIMULATED_SIDED:
                beside = near.rows[i][near.present[i]]
                others = whole[beside[kept[beside]]]
                others = others[others != expected[case]]
                to = rng.choice(others) if len(others) else to
            whole[supporters[turn]] = to
        else:
            copies[case] = rng.integers(1, _MAX_COPIES + 1)
            against[case] = max(1, rng.binomial(copies[case], _SIMULATED_WRONG_COPIES))
    hard = np.flatnonzero(part == 3)
    repeated = hard[rng.random(len(hard)) < _SIMULATED_HARD_WITH_COPIES]
    copies[repeated] = rng.integers(1, _MAX_COPIES + 1, len(repeated))
    return copies, against
