"""Cases on a map whose rows stay where they are.

A case is pulled by what is near it in meaning, rows and other cases alike, and pushed by what only lies near it on
the map. So a case that rows cover ends among them, and cases that nothing covers end together in the open.
"""

from __future__ import annotations

import faiss
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray
from scipy.spatial import KDTree

from app.domain.vectors.half_precision import UnitVectors

ANCHORS = 20_000
"""Rows that a case's neighbours are looked for among: of more rows, so many at random."""

NEIGHBORS = 12
CROWD = 12
"""Rows that lie nearest on the map and push."""

EPOCHS = 60
GATHERING_EPOCHS = 10
LARGEST_STEP = 1.5
"""Of one epoch, in typical distances between neighbours on the map."""
PUSH_STRENGTH = 1.0
JITTER = 0.3


def join(
    vectors: UnitVectors,
    places: Float32[ndarray, "n 2"],
    case_vectors: Float32[ndarray, "q d"],
    *,
    rng: np.random.Generator,
) -> Float32[ndarray, "q 2"]:
    """Places 0..1 of the cases among rows that do not move; ``places`` are theirs. n is NEIGHBORS at least."""
    count = len(case_vectors)
    if not count:
        return np.empty((0, 2), dtype=np.float32)
    anchors = np.arange(len(vectors))
    if len(vectors) > ANCHORS:
        anchors = np.sort(rng.choice(len(vectors), ANCHORS, replace=False))
    fixed = places[anchors].astype(np.float64)
    near, weights, first_row = _neighbors(vectors[anchors], case_vectors)
    tree = KDTree(fixed)
    sample = fixed[:: max(1, len(fixed) // 2_000)]
    apart = np.asarray(tree.query(sample, k=min(NEIGHBORS, len(fixed)))[0]).reshape(len(sample), -1)
    unit = max(float(np.median(apart[:, -1])), 1e-6)
    here = fixed[first_row] + unit * JITTER * rng.standard_normal((count, 2))
    for epoch in range(EPOCHS):
        pulled = np.concatenate([fixed, here])[near] - here[:, None]
        # At first everybody pulls alike, so that cases that start apart find each other; then the near ones do.
        reach = NEIGHBORS if epoch >= GATHERING_EPOCHS else np.inf
        far = (pulled**2).sum(axis=2) / unit**2
        step = ((weights / (1.0 + far / reach))[:, :, None] * pulled).sum(axis=1)
        if epoch >= GATHERING_EPOCHS:
            step += _pushed(here, tree, fixed, near, unit)
        length = np.linalg.norm(step, axis=1, keepdims=True)
        largest = LARGEST_STEP * unit if epoch >= GATHERING_EPOCHS else np.inf
        step *= np.minimum(1.0, largest / np.maximum(length, 1e-12))
        here = here + (1.0 - epoch / EPOCHS) * step
    return np.clip(here, 0.0, 1.0).astype(np.float32)


def _neighbors(
    rows: Float32[ndarray, "a d"], cases: Float32[ndarray, "q d"]
) -> tuple[Int64[ndarray, "q k"], Float32[ndarray, "q k"], Int64[ndarray, " q"]]:
    """The nearest rows and other cases (numbered after the rows), how much each counts, the nearest row."""
    squared_rows, near_rows = _search(rows, cases, NEIGHBORS)
    squared_cases, near_cases = _search(cases, cases, NEIGHBORS + 1)
    # A case is no neighbour of itself.
    squared_cases = np.where(near_cases == np.arange(len(cases))[:, None], np.inf, squared_cases)
    squared = np.concatenate([squared_rows, squared_cases], axis=1)
    near = np.concatenate([near_rows, near_cases + len(rows)], axis=1)
    order = np.argsort(squared, axis=1, kind="stable")[:, :NEIGHBORS]
    squared, near = np.take_along_axis(squared, order, axis=1), np.take_along_axis(near, order, axis=1)
    weights = strengths(np.sqrt(np.maximum(squared, 0.0)), np.isfinite(squared))
    return near, weights / weights.sum(axis=1, keepdims=True), near_rows[:, 0]


def _search(
    among: Float32[ndarray, "a d"], asked: Float32[ndarray, "q d"], k: int
) -> tuple[Float32[ndarray, "q k"], Int64[ndarray, "q k"]]:
    index = faiss.IndexFlatL2(among.shape[1])
    index.add(np.ascontiguousarray(among, dtype=np.float32))
    squared, near = index.search(np.ascontiguousarray(asked, dtype=np.float32), min(k, len(among)))
    return np.asarray(squared), np.asarray(near)


def _pushed(
    here: Float64[ndarray, "q 2"],
    tree: KDTree,
    fixed: Float64[ndarray, "a 2"],
    near: Int64[ndarray, "q k"],
    unit: float,
) -> Float64[ndarray, "q 2"]:
    """The step away from rows that lie near on the map alone."""
    found = tree.query(here, k=min(CROWD, len(fixed)))
    distance, crowd = (np.asarray(part).reshape(len(here), -1) for part in found)
    stranger = ~(crowd[:, :, None] == near[:, None, :]).any(axis=2)
    close = (distance / unit) ** 2
    push = np.where(stranger, PUSH_STRENGTH / ((0.05 + close) * (1.0 + close)), 0.0)
    return (push[:, :, None] * (here[:, None] - fixed[crowd])).sum(axis=1) / CROWD


def strengths(distances: Float32[ndarray, "m k"], present: Bool[ndarray, "m k"]) -> Float32[ndarray, "m k"]:
    """UMAP's smooth kNN distances, 0..1: the nearest counts 1; a row sums to log2 k."""
    beyond = np.where(present, np.maximum(distances - distances[:, :1], 0.0), np.inf)
    low = np.full(len(distances), 1e-6, dtype=np.float32)
    high = np.full(len(distances), 1e3, dtype=np.float32)
    target = np.log2(distances.shape[1])
    for _ in range(32):
        middle = np.sqrt(low * high)
        above = np.exp(-beyond / middle[:, None]).sum(axis=1) > target
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return np.exp(-beyond / np.sqrt(low * high)[:, None]).astype(np.float32)
