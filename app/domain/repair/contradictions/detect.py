"""Which training rows contradict each other, and which of them are wrong; for sets whose outputs repeat.

Two near rows with different outputs contradict each other, or are a hard negative that only looks alike.
What a contradiction looks like is learnt from the set itself: some rows are given another row's output, and
the pairs that this breaks apart are what to look for. The rest of the set is unlabelled, contradictions and
all: positive-unlabelled learning after Elkan and Noto 2008, out of fold. No threshold, no label is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.domain.diagnosis.evidence.findings import SHOWN_NEIGHBORS
from app.domain.estimators import quantile_bins
from app.domain.language import text
from app.domain.repair.contradictions import free_answers, label_support, label_synonyms, paraphrase
from app.domain.repair.contradictions.free_answers import ContradictingAnswers
from app.domain.repair.contradictions.label_synonyms import LabelGroup, Labels
from app.domain.repair.contradictions.paraphrase import (
    CONFLICT_FOLDS,
    MEANING_LEAF_PAIRS,
    MEANING_MAX_PAIRS,
    PairViews,
)

_MOVED_SHARE: Final = 0.05
_MOVED_ROUNDS: Final = 8
"""Rows whose output is swapped with another row's, to see what a contradiction looks like in this set."""

_MOVED_MAX_ROWS: Final = 400
"""A round; more teach nothing new about what a contradiction looks like."""

_REPEAT_CONTRADICTS: Final = 0.95
"""The same text under two labels: rarely, both are right."""

_CONFLICT_STEPS: Final = 3
_CONFLICT_MIN_ROWS: Final = 60
"""Below this nothing is learnt about a set's contradictions."""

_ANSWERS_CONTRADICT: Final = 0.9
"""Probability that two free answers with another final number, choice or order contradict each other."""

_SHOWN_OPPOSITION: Final = 0.1
"""Probability from which a row is shown as one that contradicts another."""


class ContradictionKind(StrEnum):
    ROWS = "rows"
    """Near rows that mean the same have different outputs."""

    ANSWERS = "answers"
    """Another row answers the same question in a way that cannot be right as well."""

    LABELS = "labels"
    """The row's label and another name the same thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContradictedRow:
    """``probability`` that the row contradicts others, ``wrong`` that it is the row in error, both 0..1.
    ``opposing``: row numbers, the most telling first."""

    row: int
    probability: float
    wrong: float
    opposing: tuple[int, ...]
    kind: ContradictionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradictions:
    """``contradicted`` and ``is_wrong`` (n,) probabilities 0..1; ``rows``: those more likely contradicted than
    not, most likely first; ``groups``: labels that mean the same; ``answers``: free answers to one question
    that contradict each other. ``from_model``: the set was large enough, and its outputs repeat enough, to say which
    near rows contradict each other."""

    contradicted: Float64[ndarray, " n"]
    is_wrong: Float64[ndarray, " n"]
    rows: tuple[ContradictedRow, ...]
    groups: tuple[LabelGroup, ...]
    answers: tuple[ContradictingAnswers, ...]
    from_model: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPairs:
    """Near pairs with different outputs, (p,) each: ``same`` P(both mean the same, so they contradict),
    ``left_wrong`` P(the left row is the one in error | they contradict)."""

    left: Int64[ndarray, " p"]
    right: Int64[ndarray, " p"]
    same: Float64[ndarray, " p"]
    left_wrong: Float64[ndarray, " p"]
    from_model: bool = False

    def of_rows(self, rows: int, weights: Float64[ndarray, "2 p"]) -> Float64[ndarray, " n"]:
        """The largest weight of any pair a row stands in; ``weights[0]`` for left rows, ``[1]`` for right."""
        made = np.zeros(rows)
        np.maximum.at(made, self.left, weights[0])
        np.maximum.at(made, self.right, weights[1])
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """Pairs broken apart by moving a row: (b, c) columns, and whether the moved row is the left one."""

    columns: Float32[ndarray, "b c"]
    left_moved: Bool[ndarray, " b"]


def codes(outputs: Sequence[str]) -> Int64[ndarray, " n"]:
    """Equal numbers for outputs that are equal when normalised."""
    _, made = np.unique([text.normalised(o) or o.strip() for o in outputs], return_inverse=True)
    return made.astype(np.int64)


def find(
    views: PairViews, prompts: Sequence[str], outputs: Sequence[str], labels: Labels, rng: np.random.Generator
) -> Contradictions:
    """Contradictions among n rows: between near rows, between free answers, between labels with two names.

    ``views`` are of the ``prompts``. ``labels``: the distinct outputs, one a code (``labels_of``), and vectors
    of their names where there are any.
    """
    rows = len(views)
    coded = codes(outputs)
    judged = between_rows(views, coded, rng)
    of_rows = judged.of_rows(rows, np.stack([judged.same, judged.same]))
    wrong = judged.of_rows(
        rows, np.stack([judged.same * judged.left_wrong, judged.same * (1.0 - judged.left_wrong)])
    )
    groups = label_synonyms.find(views, coded, labels, rng)
    of_labels = label_synonyms.of_rows(groups, coded, labels)
    answers = free_answers.find(views, prompts, outputs)
    of_answers = np.zeros(rows)
    of_answers[[end for a in answers for end in (a.left, a.right)]] = _ANSWERS_CONTRADICT
    # One free answer against another: which of them is wrong, nobody has said.
    wrong = np.maximum(wrong, of_answers / 2)
    by_kind = {
        ContradictionKind.ROWS: of_rows,
        ContradictionKind.ANSWERS: of_answers,
        ContradictionKind.LABELS: of_labels,
    }
    return Contradictions(
        contradicted=np.max(list(by_kind.values()), axis=0, initial=0.0),
        is_wrong=wrong,
        rows=_contradicted_rows(by_kind, wrong, _opposing(judged, answers)),
        groups=groups,
        answers=answers,
        from_model=judged.from_model,
    )


def labels_of(outputs: Sequence[str]) -> tuple[str, ...]:
    """The spelling of every code (``codes``): its first row's output."""
    coded = codes(outputs)
    _, first = np.unique(coded, return_index=True)
    return tuple(outputs[int(i)] for i in first)


def between_rows(views: PairViews, outputs: Int64[ndarray, " n"], rng: np.random.Generator) -> JudgedPairs:
    """The nearest pairs with different outputs, each both ways. ``outputs`` (n,) as from ``codes``.

    Nothing is said (probability 0) of sets too small, or without repeated outputs, to learn from.
    """
    pairs = label_support.opposition(views, outputs)
    same, left_wrong, from_model = np.zeros(len(pairs.left)), np.full(len(pairs.left), 0.5), False
    if len(views) >= _CONFLICT_MIN_ROWS and len(pairs.left):
        broken = _broken_apart(views, outputs, rng)
        if len(broken.left_moved) >= MEANING_LEAF_PAIRS:
            # Half of the edges from the broken pairs: there the two kinds have to be told apart.
            drawn = rng.integers(0, len(broken.left_moved), len(pairs.left))
            binned = quantile_bins.bins(np.vstack([pairs.columns, broken.columns[drawn]]))
            broken = _Broken(columns=binned.of(broken.columns), left_moved=broken.left_moved)
            unlabelled = binned.of(pairs.columns)
            fold = rng.integers(0, CONFLICT_FOLDS, len(views))[np.minimum(pairs.left, pairs.right)]
            same = _positive_unlabelled(unlabelled, fold, broken.columns, rng)
            left_wrong, from_model = _blame(unlabelled, broken), True
    repeated = _repeats(views, outputs, pairs)
    same = np.where(repeated, np.maximum(same, _REPEAT_CONTRADICTS), same)
    return JudgedPairs(
        left=pairs.left, right=pairs.right, same=same, left_wrong=left_wrong, from_model=from_model
    )


def _repeats(
    views: PairViews, outputs: Int64[ndarray, " n"], pairs: label_support.Opposition
) -> Bool[ndarray, " p"]:
    """The very same text under two labels: outputs that other rows share, so that neither is a wording."""
    whole, counts = views.readings.wholes, np.bincount(outputs, minlength=1)
    label = np.minimum(counts[outputs[pairs.left]], counts[outputs[pairs.right]]) >= 2
    return label & (whole[pairs.left] == whole[pairs.right]) & (whole[pairs.left] != 0)


def _blame(unlabelled: Float32[ndarray, "p c"], broken: _Broken) -> Float64[ndarray, " p"]:
    """P(left row is wrong | pair contradicts): in the broken pairs it is known which row was moved."""
    if broken.left_moved.all() or not broken.left_moved.any():
        return np.full(len(unlabelled), 0.5)
    model = paraphrase.gradient_boosting().fit(broken.columns, broken.left_moved)
    return model.predict_proba(unlabelled)[:, 1]


def _broken_apart(views: PairViews, outputs: Int64[ndarray, " n"], rng: np.random.Generator) -> _Broken:
    """Give rows another row's output, and keep the pairs that this breaks apart."""
    shared = np.flatnonzero(np.bincount(outputs)[outputs] >= 2)
    made = [np.zeros((0, len(label_support.COLUMNS)), dtype=np.float32)]
    left_moved = [np.zeros(0, dtype=bool)]
    for _ in range(_MOVED_ROUNDS):
        if not shared.size:
            break
        count = max(1, min(_MOVED_MAX_ROWS, int(_MOVED_SHARE * shared.size)))
        moved = rng.choice(shared, count, replace=False)
        changed = outputs.copy()
        changed[moved] = outputs[rng.integers(0, len(outputs), count)]
        near = views.neighbors.indices[moved]
        mates = np.unique(near[(near >= 0) & (outputs[near] == outputs[moved][:, None])])
        concerned = np.unique(np.concatenate([moved, mates]))
        pairs = label_support.opposition(views, changed, concerned)
        left, right = np.isin(pairs.left, moved), np.isin(pairs.right, moved)
        apart = (left ^ right) & (outputs[pairs.left] == outputs[pairs.right])
        made.append(pairs.columns[apart])
        left_moved.append(left[apart])
    return _Broken(columns=np.vstack(made), left_moved=np.concatenate(left_moved))


def _positive_unlabelled(
    unlabelled: Float32[ndarray, "p c"],
    fold: Int64[ndarray, " p"],
    broken: Float32[ndarray, "b c"],
    rng: np.random.Generator,
) -> Float64[ndarray, " p"]:
    """P(pair means the same), out of fold; the folds keep a pair and its mirror image together."""
    broken_fold = rng.integers(0, CONFLICT_FOLDS, len(broken))
    chance = np.zeros(len(unlabelled))
    for step in range(_CONFLICT_STEPS):
        expected = _MOVED_SHARE * len(chance) if step == 0 else max(chance.sum(), 1.0)
        scored = np.empty(len(chance))
        scored_broken = np.empty(len(broken))
        for held in range(CONFLICT_FOLDS):
            seen, seen_broken = fold != held, broken_fold != held
            model = _fit(
                unlabelled[seen],
                chance[seen],
                broken[seen_broken],
                weight=expected / len(broken),
                rng=rng,
            )
            scored[~seen] = model.predict_proba(unlabelled[~seen])[:, 1]
            if not seen_broken.all():
                scored_broken[~seen_broken] = model.predict_proba(broken[~seen_broken])[:, 1]
        odds = scored / np.maximum(1.0 - scored, 1e-9)
        if step == 0:
            # Elkan and Noto: what a sure positive scores is the share of positives that are labelled.
            labelled = float(np.clip(scored_broken.mean(), 1e-6, 1 - 1e-6))
            chance = np.clip((1.0 - labelled) / labelled * odds, 0.0, 1.0)
        else:
            # Positives count twice in this fit, as themselves and as broken pairs.
            chance = odds / (2.0 + odds)
    return chance


def _fit(
    unlabelled: Float32[ndarray, "u c"],
    chance: Float64[ndarray, " u"],
    broken: Float32[ndarray, "b c"],
    *,
    weight: float,
    rng: np.random.Generator,
) -> HistGradientBoostingClassifier:
    """Unlabelled pairs count as positive by their chance and as negative by the rest of it."""
    most = MEANING_MAX_PAIRS
    scale = 1.0
    if len(unlabelled) > most:
        kept = rng.choice(len(unlabelled), most, replace=False)
        scale = len(unlabelled) / most
        unlabelled, chance = unlabelled[kept], chance[kept]
    maybe = chance > 1e-3
    return paraphrase.gradient_boosting().fit(
        np.vstack([unlabelled, unlabelled[maybe], broken]),
        np.concatenate([np.zeros(len(unlabelled)), np.ones(int(maybe.sum()) + len(broken))]),
        sample_weight=np.concatenate(
            [scale * (1.0 - chance), scale * chance[maybe], np.full(len(broken), weight)]
        ),
    )


def _opposing(
    judged: JudgedPairs, answers: Sequence[ContradictingAnswers]
) -> dict[int, list[tuple[float, int]]]:
    """Row -> (probability, row that contradicts it)."""
    shown: dict[int, list[tuple[float, int]]] = {}
    pairs = [
        (float(judged.same[at]), int(judged.left[at]), int(judged.right[at]))
        for at in np.flatnonzero(judged.same > _SHOWN_OPPOSITION)
    ]
    pairs += [(_ANSWERS_CONTRADICT, a.left, a.right) for a in answers]
    for chance, a, b in pairs:
        shown.setdefault(a, []).append((chance, b))
        shown.setdefault(b, []).append((chance, a))
    return shown


def _contradicted_rows(
    by_kind: Mapping[ContradictionKind, Float64[ndarray, " n"]],
    wrong: Float64[ndarray, " n"],
    opposing: Mapping[int, list[tuple[float, int]]],
) -> tuple[ContradictedRow, ...]:
    found: list[ContradictedRow] = []
    strongest = np.max(list(by_kind.values()), axis=0, initial=0.0)
    for row in np.flatnonzero(strongest >= 0.5).tolist():
        best = sorted(opposing.get(row, ()), key=lambda item: (-item[0], item[1]))
        found.append(
            ContradictedRow(
                row=row,
                probability=float(strongest[row]),
                wrong=float(wrong[row]),
                opposing=tuple(dict.fromkeys(b for _, b in best))[:SHOWN_NEIGHBORS],
                kind=max(by_kind, key=lambda kind: float(by_kind[kind][row])),
            )
        )
    return tuple(sorted(found, key=lambda c: (-c.probability, c.row)))
