"""Bad cases that fail alike: groups of near prompts, named by what their words have and others' have not."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from app.domain import text, thresholds
from app.domain.records import BadCase, Cluster, RootCause


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
    """Average-linkage clusters of the prompts, largest first; where to cut is the best mean silhouette."""
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
    keywords = _keywords([[inputs[int(j)] for j in m] for m in members], inputs)
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
    central = rows[np.argsort(-centrality, kind="stable")][: thresholds.CLUSTER_EXEMPLARS]
    counts = Counter(root_causes[i] for i in rows)
    joined = "" if all(text.is_chinese(w) for w in words) else ", "
    label = (joined or "、").join(words[:3]) or text.clip(inputs[int(central[0])], 60)
    return Cluster(
        label=label,
        keywords=words,
        case_ids=tuple(cases[i].id for i in rows),
        exemplar_ids=tuple(cases[i].id for i in central),
        category_counts={cause: counts[cause] for cause in RootCause if counts[cause]},
    )


def _labels(vectors: Float32[ndarray, "q d"]) -> Int64[ndarray, " q"]:
    """Cluster numbers; at most ``CLUSTER_MAX_CASES`` are clustered, the rest join the nearest centre."""
    rows = len(vectors)
    empty = ~vectors.any(axis=1)
    if rows - int(empty.sum()) < 2:
        return np.full(rows, -1, dtype=np.int64)
    filled = np.flatnonzero(~empty)
    step = max(1, -(-len(filled) // thresholds.CLUSTER_MAX_CASES))
    core = filled[::step]
    labels = np.full(rows, -1, dtype=np.int64)
    labels[core] = _cut(vectors[core])
    rest = np.setdiff1d(filled, core)
    if len(rest):
        found = np.unique(labels[core])
        centres = np.stack([vectors[core][labels[core] == c].mean(axis=0) for c in found])
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
        labels[rest] = found[(vectors[rest] @ centres.T).argmax(axis=1)]
    return labels


def _cut(vectors: Float32[ndarray, "m d"]) -> Int64[ndarray, " m"]:
    distances = np.clip(1.0 - vectors.astype(np.float64) @ vectors.astype(np.float64).T, 0.0, 2.0)
    np.fill_diagonal(distances, 0.0)
    count = len(vectors)
    if distances.max() < thresholds.SAME_VECTOR_DISTANCE:
        return np.zeros(count, dtype=np.int64)
    upper = distances[np.triu_indices(count, 1)]
    best, best_score = np.zeros(count, dtype=np.int64), -1.0
    for cut in np.unique(np.quantile(upper, thresholds.CLUSTER_CUT_QUANTILES)):
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


def _keywords(groups: Sequence[Sequence[str]], everything: Sequence[str]) -> list[tuple[str, ...]]:
    """Class-based TF-IDF (Grootendorst 2022): a word counts by its share of the cluster's cases and by how
    rare it is among all cases. Words for spaced scripts, character bigrams for Chinese."""
    whole = Counter(term for prompt in everything for term in _terms(prompt))
    total = max(1, len(everything))
    made = []
    for prompts in groups:
        own = Counter(term for prompt in prompts for term in _terms(prompt))
        weight = {
            term: rows / len(prompts) * np.log(1 + total / whole[term])
            for term, rows in own.items()
            if rows > 1 or len(prompts) == 1
        }
        ranked = sorted(weight, key=lambda term: (-weight[term], term))
        made.append(_distinct(ranked)[: thresholds.CLUSTER_KEYWORDS])
    return [tuple(words) for words in made]


def _distinct(ranked: Sequence[str]) -> list[str]:
    """Without bigrams that overlap one already taken (手机, 机号)."""
    taken: list[str] = []
    for term in ranked:
        overlaps = text.is_chinese(term) and any(term[0] == t[-1] or term[-1] == t[0] for t in taken)
        if not overlaps:
            taken.append(term)
        if len(taken) >= thresholds.CLUSTER_KEYWORDS:
            break
    return taken


def _terms(prompt: str) -> frozenset[str]:
    clipped = text.clip(prompt)
    words = text.tokens(clipped)
    spaced = {w for w in words if len(w) > 2 and not w[0].isdigit()}
    pairs = itertools.pairwise(words)
    bigrams = {a + b for a, b in pairs if len(a) == len(b) == 1 and text.is_chinese(a + b)}
    return frozenset(spaced | bigrams) - thresholds.STOP_WORDS
