"""Bad cases that fail alike: groups of near prompts, named by what their words have and others' have not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from sklearn.cluster import HDBSCAN, AgglomerativeClustering
from sklearn.metrics import silhouette_score

from app.domain.diagnosis.clusters import naming
from app.domain.records import BadCase, Cluster, RootCause

_CLUSTER_DENSITY_MIN_CASES: Final = 60
_CLUSTER_DIMENSIONS: Final = 48
_CLUSTER_MIN_SIZE: Final = 5
_CLUSTER_SIZE_CASES: Final = 500
"""Cases for each further member that a cluster must have: 20 of 10,000."""

_CLUSTER_MIN_MEMBERSHIP: Final = 0.4
"""Density of a case over its cluster's densest, 0..1; ordinary members have .6 and more."""

_CLUSTER_EDGE: Final = 0.01
"""Quantile of the members' nearness to their centre from which a case outside belongs to it too."""


_CLUSTER_MAX_CASES: Final = 10_000
"""More are assigned to the clusters of these: the search for dense regions is quadratic. A resource bound."""

_CLUSTER_CUT_QUANTILES: Final = (0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Quantiles of the pairwise distances tried as the cut; the best silhouette wins."""

_SAME_VECTOR_DISTANCE: Final = 1e-4
_CLUSTER_EXEMPLARS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """``of_case`` (q,) index into ``clusters``, -1 = the case stands alone."""

    clusters: tuple[Cluster, ...]
    of_case: Int64[ndarray, " q"]


def cluster_cases(
    cases: Sequence[BadCase],
    inputs: Sequence[str],
    vectors: Float32[ndarray, "q d"],
    root_causes: Sequence[RootCause],
) -> Clustering:
    """Clusters of the prompts, largest first: dense regions, or for few cases average linkage."""
    if not cases:
        return Clustering(clusters=(), of_case=np.empty(0, dtype=np.int64))
    # By id, so that the order in which cases were sent changes nothing.
    order = np.array(sorted(range(len(cases)), key=lambda i: cases[i].id))
    labels = np.empty(len(cases), dtype=np.int64)
    labels[order] = _labels(vectors[order])
    sizes = Counter(int(label) for label in labels if label >= 0)
    kept = sorted(
        (label for label, size in sizes.items() if size > 1),
        key=lambda label: (-sizes[label], min(cases[int(i)].id for i in np.flatnonzero(labels == label))),
    )
    number = {label: i for i, label in enumerate(kept)}
    of_case = np.array([number.get(int(label), -1) for label in labels], dtype=np.int64)
    members = [order[of_case[order] == i] for i in range(len(kept))]
    keywords = naming.keywords([[inputs[int(j)] for j in m] for m in members], inputs)
    clusters = tuple(
        _cluster(cases=cases, inputs=inputs, vectors=vectors, root_causes=root_causes, rows=rows, words=words)
        for rows, words in zip(members, keywords, strict=True)
    )
    return Clustering(clusters=clusters, of_case=of_case)


def _cluster(
    *,
    cases: Sequence[BadCase],
    inputs: Sequence[str],
    vectors: Float32[ndarray, "q d"],
    root_causes: Sequence[RootCause],
    rows: Int64[ndarray, " m"],
    words: tuple[str, ...],
) -> Cluster:
    centrality = vectors[rows] @ vectors[rows].mean(axis=0)
    central = rows[np.argsort(-centrality, kind="stable")][:_CLUSTER_EXEMPLARS]
    counts = Counter(root_causes[i] for i in rows)
    return Cluster(
        label=naming.label(words, inputs[int(central[0])]),
        keywords=words,
        case_ids=tuple(cases[i].id for i in rows),
        exemplar_ids=tuple(cases[i].id for i in central),
        category_counts={cause: counts[cause] for cause in RootCause if counts[cause]},
    )


def _labels(vectors: Float32[ndarray, "q d"]) -> Int64[ndarray, " q"]:
    """Cluster numbers, -1 = alone; at most ``_CLUSTER_MAX_CASES`` are clustered, the rest join the nearest."""
    labels = np.full(len(vectors), -1, dtype=np.int64)
    filled = np.flatnonzero(vectors.any(axis=1))
    if len(filled) < 2:
        return labels
    if len(filled) < _CLUSTER_DENSITY_MIN_CASES:
        labels[filled] = _cut(vectors[filled])
        return labels
    reduced = _reduced(vectors[filled])
    step = max(1, -(-len(filled) // _CLUSTER_MAX_CASES))
    core = np.arange(0, len(filled), step)
    found = np.full(len(filled), -1, dtype=np.int64)
    # Cases that repeat word for word would make a dense region of their own each.
    distinct, same = np.unique(reduced[core].round(4), axis=0, return_inverse=True)
    found[core] = _dense(distinct)[same.ravel()]
    labels[filled] = _joined(reduced, found)
    return labels


def _reduced(vectors: Float32[ndarray, "m d"]) -> Float64[ndarray, "m p"]:
    """The principal components, unit rows: densities in hundreds of dimensions are all alike."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    kept = centred @ axes[:, ::-1][:, :_CLUSTER_DIMENSIONS]
    return kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-9)


def _dense(reduced: Float64[ndarray, "m p"]) -> Int64[ndarray, " m"]:
    """HDBSCAN (Campello et al. 2013): regions denser than what is around them, at any scale; -1 = in none."""
    size = max(_CLUSTER_MIN_SIZE, len(reduced) // _CLUSTER_SIZE_CASES)
    found = HDBSCAN(min_cluster_size=size, min_samples=1, copy=True).fit(reduced)  # pyright: ignore[reportArgumentType]
    # A lone case is counted to the region that it is the least far from: its membership tells.
    member = found.probabilities_ >= _CLUSTER_MIN_MEMBERSHIP
    return np.where(member, found.labels_, -1).astype(np.int64)


def _joined(reduced: Float64[ndarray, "m p"], labels: Int64[ndarray, " m"]) -> Int64[ndarray, " m"]:
    """Cases of no cluster join the nearest one where they are as near its centre as its own members are."""
    count = int(labels.max()) + 1
    if count == 0:
        # One density throughout: the cases are of one kind.
        return np.zeros(len(labels), dtype=np.int64)
    centres = np.stack([reduced[labels == c].mean(axis=0) for c in range(count)])
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    near = reduced @ centres.T
    edge = np.array([np.quantile(near[labels == c, c], _CLUSTER_EDGE) for c in range(count)])
    best = near.argmax(axis=1)
    inside = near[np.arange(len(near)), best] >= edge[best]
    return np.where(labels >= 0, labels, np.where(inside, best, -1))


def _cut(vectors: Float32[ndarray, "m d"]) -> Int64[ndarray, " m"]:
    """Average linkage; where to cut is the best mean silhouette. A few dozen cases have no densities."""
    distances = np.clip(1.0 - vectors.astype(np.float64) @ vectors.astype(np.float64).T, 0.0, 2.0)
    np.fill_diagonal(distances, 0.0)
    count = len(vectors)
    if distances.max() < _SAME_VECTOR_DISTANCE:
        return np.zeros(count, dtype=np.int64)
    upper = distances[np.triu_indices(count, 1)]
    best, best_score = np.zeros(count, dtype=np.int64), -1.0
    for cut in np.unique(np.quantile(upper, _CLUSTER_CUT_QUANTILES)):
        labels = AgglomerativeClustering(
            n_clusters=None,  # pyright: ignore[reportArgumentType]  # None asks for a cut by distance
            metric="precomputed",
            linkage="average",
            distance_threshold=max(float(cut), 1e-6),
        ).fit_predict(distances)
        groups = int(labels.max()) + 1
        if 2 <= groups < count:
            score = float(silhouette_score(distances, labels, metric="precomputed"))
            if score > best_score:
                best, best_score = labels, score
    return best.astype(np.int64)
