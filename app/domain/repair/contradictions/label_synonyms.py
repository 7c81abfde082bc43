"""Labels that mean the same thing under two names, as a naive merge of two label sets leaves them.

Three measures say how far the rows of two labels are one population, each 0 = apart and 1 = mixed as at
random: the correlation of their mean vectors (kernel two-sample view, Gretton et al. 2012, without the
diagonal), the neighbours a row has among the other label's rows (Schilling 1986), and how often a linear model
that has not seen a row prefers the other label. Their mean is the score; from one half the two labels are more
one thing than two. Names of the same words (PlaySong, song_play) need no more than rows about the same: two authors
phrase one intent in two ways, and neighbours and models tell the authors apart. Names whose words are opposites
(turn_on, turn_off) are never one thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray
from scipy import sparse

from app.domain.language import label_names, pair_differences
from app.domain.repair.contradictions.paraphrase import DENSITY_NEIGHBORS, PairViews

_LABEL_MIN_ROWS: Final = 8
"""Of fewer rows, one stray is a share that looks like a mixture."""

_LABEL_SAMPLE_ROWS: Final = 60
"""Rows of a label that are compared one by one with another label's."""

_LABEL_PARTNERS: Final = 12
_SAME_LABEL_SCORE: Final = 0.5
"""Halfway between two populations apart (0) and mixed as at random (1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvidence:
    """Why two labels are one: each measure 0 = apart .. 1 = mixed as at random; ``names`` cosine -1..1 of
    the labels' names, 0 where there are no vectors of them. ``rows``: a near pair of rows across the labels."""

    labels: tuple[str, str]
    means: float
    neighbors: float
    linear_model: float
    names: float
    rows: tuple[int, int]

    @property
    def score(self) -> float:
        if label_names.same_words(*self.labels):
            return self.means
        return (self.means + self.neighbors + self.linear_model) / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelGroup:
    """Labels to unify. ``score``: mean of the links that hold the group together, 0.5..1."""

    labels: tuple[str, ...]
    score: float
    evidence: tuple[LabelEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The distinct outputs, one a code (``detect.codes``), and vectors of their names or None."""

    names: tuple[str, ...]
    vectors: Float32[ndarray, "l d"] | None = None


def find(
    views: PairViews, outputs: Int64[ndarray, " n"], labels: Labels, rng: np.random.Generator
) -> tuple[LabelGroup, ...]:
    """Groups of labels that mean the same, strongest first. Labels of fewer than eight rows take no part."""
    measured = evidence(views, outputs, labels, rng)
    links = [e for e in measured if e.score >= _SAME_LABEL_SCORE]
    scores = {frozenset(e.labels): e.score for e in measured}
    groups = _average_linkage([e.labels for e in links], scores)
    made = []
    for names in groups:
        inside = [e for e in links if names.issuperset(e.labels)]
        made.append(
            LabelGroup(
                labels=tuple(sorted(names)),
                score=float(np.mean([e.score for e in inside])),
                evidence=tuple(sorted(inside, key=lambda e: (-e.score, e.labels))),
            )
        )
    return tuple(sorted(made, key=lambda g: (-g.score, g.labels)))


def _average_linkage(
    links: Sequence[tuple[str, str]], scores: Mapping[frozenset[str], float]
) -> list[frozenset[str]]:
    """Join the groups with the best mean score between their members while it reaches the cut.

    Single links would chain set_alarm to remove_alarm over a catch-all label. A linked label that fits no
    group as a whole still joins the one that holds its best link, as a group of two.
    """
    groups = [frozenset((name,)) for name in sorted({n for link in links for n in link})]

    def between(a: frozenset[str], b: frozenset[str]) -> float:
        return sum(scores.get(frozenset((x, y)), 0.0) for x in a for y in b) / (len(a) * len(b))

    while len(groups) > 1:
        ranked = [
            (between(a, b), i, j) for i, a in enumerate(groups) for j, b in enumerate(groups[:i]) if a != b
        ]
        best, i, j = max(ranked, key=lambda item: (item[0], -item[1], -item[2]))
        if best < _SAME_LABEL_SCORE:
            break
        joined = groups[i] | groups[j]
        groups = [g for at, g in enumerate(groups) if at not in (i, j)] + [joined]
    made = [g for g in groups if len(g) > 1]
    for alone in (next(iter(g)) for g in groups if len(g) == 1):
        partners = [next(iter(frozenset(link) - {alone})) for link in links if alone in link]
        made.append(frozenset((alone, max(partners, key=lambda p: (scores[frozenset((alone, p))], p)))))
    return made


def of_rows(
    groups: Sequence[LabelGroup], outputs: Int64[ndarray, " n"], labels: Labels
) -> Float64[ndarray, " n"]:
    """Score of the strongest link of each row's label, shape (n,), 0 where its label stands alone."""
    best: dict[str, float] = {}
    for link in (e for g in groups for e in g.evidence):
        for name in link.labels:
            best[name] = max(best.get(name, 0.0), link.score)
    of_label = np.array([best.get(name, 0.0) for name in labels.names])
    return of_label[outputs]


def evidence(
    views: PairViews, outputs: Int64[ndarray, " n"], labels: Labels, rng: np.random.Generator
) -> tuple[LabelEvidence, ...]:
    """Every pair of labels whose rows are near each other, measured; opposites are left out."""
    members = _members(outputs, rng)
    first, second = _candidates(views, outputs, members, labels)
    opposed = _opposed(labels, first, second)
    first, second = first[~opposed], second[~opposed]
    if not len(first):
        return ()
    means = _means(views, outputs, first, second)
    linear = _linear_model(views, members, first, second)
    made: list[LabelEvidence] = []
    for at, (a, b) in enumerate(zip(first, second, strict=True)):
        mixed, rows = _neighbors(views, members[a], members[b])
        named = labels.vectors
        made.append(
            LabelEvidence(
                labels=(labels.names[a], labels.names[b]),
                means=float(np.clip(means[at], 0.0, 1.0)),
                neighbors=float(np.clip(mixed, 0.0, 1.0)),
                linear_model=float(np.clip(linear[at], 0.0, 1.0)),
                names=0.0 if named is None else float(named[a] @ named[b]),
                rows=rows,
            )
        )
    return tuple(made)


def _members(outputs: Int64[ndarray, " n"], rng: np.random.Generator) -> dict[int, Int64[ndarray, " m"]]:
    """Rows of every label that has enough of them; a sample of a large label's."""
    order = np.argsort(outputs, kind="stable")
    counts = np.bincount(outputs)
    ends = np.cumsum(counts)
    made: dict[int, Int64[ndarray, " m"]] = {}
    for label in np.flatnonzero(counts >= _LABEL_MIN_ROWS):
        rows = order[ends[label] - counts[label] : ends[label]]
        if len(rows) > _LABEL_SAMPLE_ROWS:
            rows = np.sort(rng.choice(rows, _LABEL_SAMPLE_ROWS, replace=False))
        made[int(label)] = rows
    return made


def _candidates(
    views: PairViews,
    outputs: Int64[ndarray, " n"],
    members: dict[int, Int64[ndarray, " m"]],
    labels: Labels,
) -> tuple[Int64[ndarray, " c"], Int64[ndarray, " c"]]:
    """Labels that are among the other's most frequent neighbours, or have names of the same words."""
    near = views.neighbors.indices
    present: Bool[ndarray, "n k"] = near >= 0
    size = int(outputs.max(initial=0)) + 1
    ours = np.broadcast_to(outputs[:, None], near.shape)[present]
    seen = sparse.coo_matrix((np.ones(len(ours)), (ours, outputs[near[present]])), shape=(size, size)).tocsr()
    counts = np.bincount(outputs, minlength=size)
    enough = counts >= _LABEL_MIN_ROWS
    pairs = _named_alike(labels, members)
    for label in members:
        others = seen.indices[seen.indptr[label] : seen.indptr[label + 1]]
        times = seen.data[seen.indptr[label] : seen.indptr[label + 1]]
        fit = enough[others] & (others != label)
        for other in others[fit][np.argsort(times[fit], kind="stable")[::-1][:_LABEL_PARTNERS]]:
            pairs.add((min(label, int(other)), max(label, int(other))))
    found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _named_alike(labels: Labels, members: Collection[int]) -> set[tuple[int, int]]:
    of_name: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for label in sorted(members):
        for name in label_names.readings(labels.names[label]):
            of_name[name].append(label)
    return {pair for named in of_name.values() for pair in combinations(named, 2)}


def _opposed(
    labels: Labels, first: Int64[ndarray, " c"], second: Int64[ndarray, " c"]
) -> Bool[ndarray, " c"]:
    readings = pair_differences.read([label_names.spoken(name) for name in labels.names])
    return (
        pair_differences.compare(readings, first, second)[
            :, pair_differences.COLUMNS.index("direction_differs")
        ]
        > 0
    )


def _means(
    views: PairViews, outputs: Int64[ndarray, " n"], first: Int64[ndarray, " c"], second: Int64[ndarray, " c"]
) -> Float64[ndarray, " c"]:
    """Mean inner product across two labels over the geometric mean of those within, vectors centred."""
    centred = views.vectors - views.vectors.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    counts = np.bincount(outputs).astype(np.float64)
    chosen = sparse.csr_matrix((np.ones(len(outputs), dtype=np.float32), (outputs, np.arange(len(outputs)))))
    sums = np.asarray(chosen @ centred, dtype=np.float64)
    squared: Float64[ndarray, " l"] = np.einsum("ij,ij->i", sums, sums)
    within = (squared - counts) / np.maximum(counts * (counts - 1), 1.0)
    across = np.einsum("ij,ij->i", sums[first], sums[second]) / (counts[first] * counts[second])
    return across / np.sqrt(np.maximum(within[first] * within[second], 1e-6))


def _neighbors(
    views: PairViews, ours: Int64[ndarray, " a"], theirs: Int64[ndarray, " b"]
) -> tuple[float, tuple[int, int]]:
    """Share of near rows across two labels, over chance, geometric mean of both ways; and the nearest pair."""
    rows = np.concatenate([ours, theirs])
    cosines = views.vectors[rows] @ views.vectors[rows].T
    np.fill_diagonal(cosines, -np.inf)
    other = np.arange(len(rows)) >= len(ours)
    few = min(DENSITY_NEIGHBORS, len(rows) - 1, 2 * min(len(ours), len(theirs)))
    nearest = np.argpartition(-cosines, few - 1, axis=1)[:, :few]
    crossing = (other[nearest] != other[:, None]).mean(axis=1)
    left = crossing[~other].mean() * (len(rows) - 1) / len(theirs)
    right = crossing[other].mean() * (len(rows) - 1) / len(ours)
    a, b = np.unravel_index(int(np.argmax(cosines[: len(ours), len(ours) :])), (len(ours), len(theirs)))
    return float(np.sqrt(left * right)), (int(ours[a]), int(theirs[b]))


def _linear_model(
    views: PairViews,
    members: dict[int, Int64[ndarray, " m"]],
    first: Int64[ndarray, " c"],
    second: Int64[ndarray, " c"],
) -> Float64[ndarray, " c"]:
    """How often a linear model that has not seen a row prefers the other of two labels, over chance.

    Ridge regression on all labels at once; each row's scores without itself follow from its leverage, exactly
    and without another fit (Allen 1974, PRESS).
    """
    labels = np.array(sorted(members))
    rows = np.concatenate([members[int(label)] for label in labels])
    target = np.repeat(np.arange(len(labels)), [len(members[int(label)]) for label in labels])
    ends = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=len(labels)))])
    inputs = np.hstack([views.vectors[rows], np.ones((len(rows), 1), dtype=np.float32)])
    gram = inputs.T.astype(np.float64) @ inputs + np.eye(inputs.shape[1])
    chosen = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (target, np.arange(len(rows)))))
    weights = np.linalg.solve(gram, np.asarray(chosen @ inputs, dtype=np.float64).T).astype(np.float32)
    leverage = np.einsum("ij,ij->i", inputs, np.linalg.solve(gram, inputs.T.astype(np.float64)).T)

    def prefers(ours: int, theirs: int) -> float:
        part = slice(ends[ours], ends[ours + 1])
        kept = leverage[part]
        own = (inputs[part] @ weights[:, ours] - kept) / (1.0 - kept)
        return float((inputs[part] @ weights[:, theirs] / (1.0 - kept) > own).mean())

    place = {int(label): i for i, label in enumerate(labels)}
    pairs = [(place[int(a)], place[int(b)]) for a, b in zip(first, second, strict=True)]
    return np.array([2.0 * np.sqrt(prefers(a, b) * prefers(b, a)) for a, b in pairs])
