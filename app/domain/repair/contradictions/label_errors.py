"""Label tasks: which rows to relabel or drop, because the bad cases contradict them.

Knows which labels the bad cases were contradicted by, and turns ``confusion_em``'s estimate into
decisions on rows. Does not know texts: labels are numbers, inputs vectors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.repair.contradictions import label_certainty
from app.domain.repair.contradictions.confusion_em import LabelEstimate, estimate_labels
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE
from app.domain.repair.rewriting.normalisation.templates import NEIGHBORS

# A label counts as contradicting a bad case from this many of its near rows, or when the model said it.
_CONTRADICTING_NEIGHBORS: Final = 2

# A confusion rate below this is what clean labels at the border of two classes show, no defect.
_NOISE_RATE_FLOOR: Final = 0.05

# Rows around a bad case whose labels take part in the estimate.
_REGION_NEIGHBORS: Final = 50

# Agreement with the neighbours' labels, beyond chance, from which a label follows from the input. Two
# labels mixed half and half in one region reach about 0.45, the letters of multiple-choice tests about 0.
REGIONAL_KAPPA: Final = 0.25

# From this probability on a row is called wrong, or in conflict.
CALLED_WRONG: Final = 0.5


class LabelFix(StrEnum):
    RELABEL = "relabel"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVerdict:
    """One row that carries a wrong label.

    ``label`` is the right one (the likeliest, for a drop). ``score`` 0..1: probability that the change is
    right. ``noise_rate`` 0..1: how often rows that are ``label`` carry the row's given label.
    ``anchors``: the nearest bad cases that expect ``label``, nearest first, with their cosine. ``asks``: with this
    change the row's label would all but cease, which is a question of names for a person.
    """

    row: int
    fix: LabelFix
    label: int
    score: float
    noise_rate: float
    anchors: tuple[tuple[int, float], ...]
    asks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelJudgement:
    """``wrong`` in row order; ``judged`` rows were looked at over their whole region, wrong or not."""

    wrong: tuple[LabelVerdict, ...]
    judged: frozenset[int]


_NOTHING = LabelJudgement(wrong=(), judged=frozenset())


def find_wrong_labels(
    *,
    vectors: Float32[ndarray, "n d"],
    given: Int64[ndarray, " n"],
    anchor_vectors: Float32[ndarray, "m d"],
    anchor_labels: Int64[ndarray, " m"],
    anchor_wrong: Int64[ndarray, " m"],
    in_conflict: Bool[ndarray, " m"],
    conflict_probability: Float64[ndarray, " m"] | None = None,
    opposed: Bool[ndarray, "l l"] | None = None,
) -> LabelJudgement:
    """Rows of one task whose label the anchors contradict.

    ``given`` (n,): label of each row, -1 = its output is no label. ``anchor_labels`` (m,): expected label
    of each bad case; ``anchor_wrong`` (m,): the label that the model gave, -1 = none. ``in_conflict``:
    the diagnosis blames contradicting rows; the other anchors only say what is right where they stand.
    ``conflict_probability`` (m,), 0..1: how sure the diagnosis is of that; None = even.

    ``opposed``: labels whose names negate each other (valid, invalid); they are told apart by the input or left
    alone, as they are never two names of one thing.

    Outputs that repeat without following from the input (the letters of multiple-choice questions, true
    and false, small numbers) have no region to be wrong in: pairs of such labels are left alone.
    """
    usable = np.flatnonzero(anchor_labels >= 0)
    rows = np.flatnonzero(given >= 0)
    if not rows.size or not in_conflict[usable].any():
        return _NOTHING
    near = agreement.nearest(anchor_vectors[usable], vectors[rows], _REGION_NEIGHBORS)
    near_labels = np.where(near.present, given[rows][near.indices], -1)
    pairs = _contradictions(
        near_labels[:, :NEIGHBORS],
        anchor_labels[usable],
        anchor_wrong[usable],
        in_conflict[usable],
    )
    regional = _regional_labels(vectors[rows], given[rows], {label for pair in pairs for label in pair})
    pairs = frozenset(
        pair
        for pair in pairs
        if regional.intersection(pair)
        and not (opposed is not None and opposed[pair] and not _told_apart(vectors[rows], given[rows], pair))
    )
    if not pairs:
        return _NOTHING
    probability = np.full(len(anchor_labels), 0.5) if conflict_probability is None else conflict_probability
    pointed = _pointed_at(
        np.where(near.present, rows[near.indices], -1)[:, :NEIGHBORS],
        given,
        anchor_labels[usable],
        np.where(in_conflict[usable], anchor_wrong[usable], -1),
        label_certainty.bounded(probability[usable]),
        pairs,
    )

    # Only the labels of the neighbourhood take part: the far ones cost time and decide nothing.
    local = sorted({*near_labels[near_labels >= 0].tolist(), *(label for pair in pairs for label in pair)})
    number = {label: i for i, label in enumerate(local)}
    rows = rows[np.isin(given[rows], local)]
    anchors = usable[np.isin(anchor_labels[usable], local)]
    confusable = np.zeros((len(local), len(local)), dtype=bool)
    for expected, contradicting in pairs:
        confusable[number[expected], number[contradicting]] = True
    local_given = np.array([number[label] for label in given[rows].tolist()], dtype=np.int64)
    local_expected = np.array([number[label] for label in anchor_labels[anchors].tolist()], dtype=np.int64)
    estimate = estimate_labels(
        vectors=vectors[rows].astype(np.float64),
        given=local_given,
        own_share=_own_share(vectors[rows], local_given, suspicious=np.any(confusable, axis=0)),
        anchor_vectors=anchor_vectors[anchors].astype(np.float64),
        anchor_labels=local_expected,
        confusable=confusable,
    )
    prior = label_certainty.prior(probability, anchor_labels, in_conflict, local)
    reliability = label_certainty.reliability(estimate.anchor_predictions, local_expected, prior)
    verdicts = []
    for position, row in enumerate(rows.tolist()):
        by_cases = pointed.get(row, {})
        called = _called(
            estimate, position, int(local_given[position]), number.get(next(iter(by_cases), -1), -1)
        )
        if called is None:
            continue
        cosines = anchor_vectors[anchors] @ vectors[row]
        expecting = sorted(np.flatnonzero(local_expected == called.label), key=lambda a: -cosines[a])[:3]
        verdicts.append(
            LabelVerdict(
                row=row,
                fix=LabelFix.RELABEL if called.certain else LabelFix.DROP,
                label=local[called.label],
                # Where a case stands it is as sure as its own diagnosis, whatever others found elsewhere.
                score=called.share
                * max(float(reliability[called.label]), by_cases.get(local[called.label], 0.0)),
                noise_rate=float(estimate.noise[called.label, local_given[position]]),
                anchors=tuple((int(anchors[a]), float(cosines[a])) for a in expecting),
            )
        )
    suspected = np.isin(given[rows], [label for pair in pairs for label in pair])
    ceasing = label_certainty.ceasing(given[[verdict.row for verdict in verdicts]], given[rows])
    asked = [
        replace(
            verdict,
            asks=int(given[verdict.row]) in ceasing and verdict.label not in pointed.get(verdict.row, {}),
        )
        for verdict in verdicts
    ]
    return LabelJudgement(wrong=tuple(asked), judged=frozenset(rows[suspected].tolist()))


@dataclass(frozen=True, slots=True)
class _Called:
    """A row called wrong: its right label (number), how likely it is 0..1, whether it can be given."""

    label: int
    share: float
    certain: bool


def _called(estimate: LabelEstimate, position: int, was: int, pointed_to: int) -> _Called | None:
    """By its region, where labels are mixed up often; else by a bad case close by that names the row's label as
    the wrong answer: one mislabelled row in a hundred shows in no rate, and is what that case failed on."""
    posterior, probability = estimate.posteriors[position], estimate.probabilities[position]
    best = int(posterior.argmax())
    if best != was and estimate.noise[best, was] >= _NOISE_RATE_FLOOR:
        certain = bool(posterior[best] >= CONFIDENT_SCORE)
        return _Called(best, float(posterior[best] if certain else 1 - posterior[was]), certain)
    if pointed_to < 0 or pointed_to == was:
        return None
    share = float(probability[pointed_to] / max(probability[pointed_to] + probability[was], 1e-12))
    return _Called(pointed_to, share, True) if share >= CALLED_WRONG else None


def _pointed_at(
    near: Int64[ndarray, "m k"],
    given: Int64[ndarray, " n"],
    expected: Int64[ndarray, " m"],
    wrong: Int64[ndarray, " m"],
    sure: Float64[ndarray, " m"],
    pairs: Set[tuple[int, int]],
) -> dict[int, dict[int, float]]:
    """Rows that carry the wrong answer of a bad case close by -> the labels that such cases expect, and how sure
    the surest of them is, 0..1."""
    found: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for rows, right, said, certain in zip(
        near.tolist(), expected.tolist(), wrong.tolist(), sure.tolist(), strict=True
    ):
        if said >= 0 and (right, said) in pairs:
            for row in rows:
                if row >= 0 and given[row] == said:
                    found[row][right] = max(certain, found[row].get(right, 0.0))
    return found


def _told_apart(vectors: Float32[ndarray, "n d"], given: Int64[ndarray, " n"], pair: tuple[int, int]) -> bool:
    """Whether the inputs tell these two labels apart: of two labels alone both kappas measure one thing, and their
    mean errs less than either."""
    rows = np.isin(given, pair)
    kappas = _kappas(vectors[rows], given[rows], set(pair))
    return len(kappas) == len(pair) and sum(kappas.values()) / len(pair) >= REGIONAL_KAPPA


def _regional_labels(
    vectors: Float32[ndarray, "n d"], given: Int64[ndarray, " n"], asked: Set[int]
) -> frozenset[int]:
    """Those of the asked labels whose rows lie together, beyond chance."""
    kappas = _kappas(vectors, given, asked)
    return frozenset(label for label, kappa in kappas.items() if kappa >= REGIONAL_KAPPA)


def _kappas(
    vectors: Float32[ndarray, "n d"], given: Int64[ndarray, " n"], asked: Set[int]
) -> dict[int, float]:
    """Cohen's kappa of a row's label with its neighbours' labels, for each asked label that some rows have and
    some have not: 0 = the inputs say nothing about the label, 1 = a region of its own, about a half = a region in
    which two labels are mixed.
    """
    rows = np.flatnonzero(np.isin(given, sorted(asked)))
    near = agreement.nearest_others(vectors, NEIGHBORS, rows)
    same = (given[near.indices] == given[rows][:, None]) & near.present
    share = same.sum(axis=1) / np.maximum(near.present.sum(axis=1), 1)
    kappas: dict[int, float] = {}
    for label in asked:
        of_label = given[rows] == label
        chance = float((given == label).mean())
        if of_label.any() and chance < 1:
            kappas[label] = (float(share[of_label].mean()) - chance) / (1 - chance)
    return kappas


def _contradictions(
    near_labels: Int64[ndarray, "m k"],
    expected: Int64[ndarray, " m"],
    wrong: Int64[ndarray, " m"],
    in_conflict: Bool[ndarray, " m"],
) -> frozenset[tuple[int, int]]:
    """(expected label, contradicting label): said by the model, or carried by several near rows."""
    pairs: set[tuple[int, int]] = set()
    for anchor in np.flatnonzero(in_conflict).tolist():
        counts = Counter(near_labels[anchor].tolist())
        against = {label for label, rows in counts.items() if rows >= _CONTRADICTING_NEIGHBORS}
        against.add(int(wrong[anchor]))
        pairs.update((int(expected[anchor]), label) for label in against - {int(expected[anchor]), -1})
    return frozenset(pairs)


def _own_share(
    vectors: Float32[ndarray, "n d"], given: Int64[ndarray, " n"], *, suspicious: Bool[ndarray, " l"]
) -> Float32[ndarray, " n"]:
    """Share of each row's near rows that carry its label; 1 for labels that nobody suspects."""
    share = np.ones(len(given))
    asked = np.flatnonzero(suspicious[given])
    near = agreement.nearest_others(vectors, NEIGHBORS, asked)
    same = (given[near.indices] == given[asked][:, None]) & near.present
    share[asked] = same.sum(axis=1) / np.maximum(near.present.sum(axis=1), 1)
    return share


def number_labels(outputs: Sequence[str], min_rows: int, also: Sequence[str] = ()) -> dict[str, int]:
    """Number the outputs that stand on at least ``min_rows`` rows, or in ``also``, in order of appearance."""
    counts = Counter(outputs)
    kept = [output for output in dict.fromkeys(outputs) if output and counts[output] >= min_rows]
    return {output: i for i, output in enumerate(dict.fromkeys([*kept, *filter(None, also)]))}
