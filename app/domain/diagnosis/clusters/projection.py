"""A map of the training set and the bad cases: two dimensions in which near prompts stay near.

Knows vectors and places. Refuses to know texts and how a map is drawn.

The method is UMAP's (McInnes, Healy, Melville 2018) in whole arrays: along a graph of nearest neighbours points
pull each other, random others push, from a start along the principal components. ``LANDMARKS`` points at most
are laid out together; every further one starts between its nearest landmarks and moves alone among them (the
paper's "transform"), so that time grows with the number of points. docs/experiments.md compares it.
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray
from scipy import sparse

from app.domain.diagnosis.clusters import map_cases
from app.domain.vectors.half_precision import UnitVectors, blocks

MAP_SCALE = 65_535
"""Places are whole numbers 0..65,535 on both axes."""


LANDMARKS = 20_000
"""Laid out together: four to six seconds on one core. Most training sets have no more rows."""

COMPONENTS = 100
"""Principal components in which neighbours are looked for; 50 keep fewer of them, all are slower."""

NEIGHBORS = 12
PUSHES = 4
"""Random others that push a point in one epoch."""
PUSH_STRENGTH = np.float32(0.6)
"""Twice of what UMAP's five pushes a pull amount to: more of the map is used, neighbours stay as well."""

EPOCHS = 300
JOINING_EPOCHS = 40
START_SPREAD = 2.0
"""Standard deviation of the start. Further apart, languages end at the edges with nothing between."""
MAX_STEP = np.float32(4.0)
MARGIN = 0.03
JITTER = 1e-2
"""Points that equal each other need different places to be pushed apart from."""
BLOCK_ROWS = 65_536

APPROXIMATE_FROM = 50_000
"""So many points look for their landmarks in a part of 8 of 128 cells: exact search would take minutes."""
CELLS, CELLS_PROBED = 128, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Places on the map, float32 in 0..1 on both axes; the longer side of the whole is one unit."""

    examples: Float32[ndarray, "n 2"]
    cases: Float32[ndarray, "q 2"]


def project(
    vectors: UnitVectors,
    case_vectors: Float32[ndarray, "q d"],
    *,
    rng: np.random.Generator,
    known: Float32[ndarray, "n 2"] | None = None,
) -> Projection:
    """Where each training row and each case lies on the map.

    Rows are laid out first, then cases join them (see ``map_cases``): where the rows lie
    depends on the rows alone, so ``known``, their places on an earlier map, give the same map in a fraction of
    the time, and two diagnoses of one training set can be laid over each other. The same vectors and the same
    state of ``rng`` give the same map.
    """
    n = len(vectors)
    rows_rng, cases_rng = rng.spawn(2)
    if n <= NEIGHBORS:
        together = [part for part in (vectors, case_vectors) if len(part)]
        places = _on_the_map(_layout(_components(together, rows_rng), rows_rng))
        return Projection(examples=places[:n], cases=places[n:])
    if known is None or len(known) != n:
        known = _on_the_map(_layout(_components([vectors], rows_rng), rows_rng))
    return Projection(
        examples=known, cases=_rounded(map_cases.join(vectors, known, case_vectors, rng=cases_rng))
    )


def _layout(points: Float32[ndarray, "m c"], rng: np.random.Generator) -> Float32[ndarray, "m 2"]:
    count = len(points)
    if count <= NEIGHBORS + 1:
        return points[:, :2].copy()
    if count <= LANDMARKS:
        return _laid_out(points, rng)
    landmarks = np.sort(rng.choice(count, LANDMARKS, replace=False))
    places = np.empty((count, 2), dtype=np.float32)
    places[landmarks] = _laid_out(points[landmarks], rng)
    rest = np.setdiff1d(np.arange(count), landmarks)
    index = _index(points[landmarks], approximate=count >= APPROXIMATE_FROM)
    for start in range(0, len(rest), BLOCK_ROWS):
        block = rest[start : start + BLOCK_ROWS]
        places[block] = _joined(points[block], index, places[landmarks], rng)
    return places


def _components(parts: list[UnitVectors], rng: np.random.Generator) -> Float32[ndarray, "m c"]:
    """Principal components, two at least, learnt from ``LANDMARKS`` rows; each axis' largest weight is > 0."""
    count = sum(len(part) for part in parts)
    if count == 0:
        return np.empty((0, 2), dtype=np.float32)
    sample = np.concatenate(
        [p[:] if count <= LANDMARKS else p[np.sort(_some(len(p), count, rng))] for p in parts]
    ).astype(np.float32)
    mean = sample.mean(axis=0)
    sample -= mean
    axes = np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, :COMPONENTS]
    axes = axes * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    axes = np.pad(axes, ((0, 0), (0, max(0, 2 - axes.shape[1])))).astype(np.float32)
    # Block by block and without a centred copy: a million vectors are held once.
    shift = mean @ axes
    return np.concatenate(
        [rows.astype(np.float32, copy=False) @ axes - shift for part in parts for _, rows in blocks(part)]
    )


def _some(rows: int, of: int, rng: np.random.Generator) -> Int64[ndarray, " s"]:
    return rng.choice(rows, max(1, round(LANDMARKS * rows / of)), replace=False)


def _index(points: Float32[ndarray, "l c"], *, approximate: bool = False) -> faiss.Index:
    exact = faiss.IndexFlatL2(points.shape[1])
    index = faiss.IndexIVFFlat(exact, points.shape[1], CELLS) if approximate else exact
    points = np.ascontiguousarray(points)
    if isinstance(index, faiss.IndexIVFFlat):
        index.train(points)
        index.nprobe = CELLS_PROBED
    index.add(points)
    return index


def _laid_out(points: Float32[ndarray, "m c"], rng: np.random.Generator) -> Float32[ndarray, "m 2"]:
    graph = _graph(points)
    count = len(points)
    tails, starts = graph.indices, graph.indptr[:-1]
    heads = np.repeat(np.arange(count, dtype=np.int32), np.diff(graph.indptr))
    # A step is a mean over the edges: having many of them makes no point jump further.
    weights = graph.data / np.add.reduceat(graph.data, starts)[heads]
    start = points[:, :2] * np.float32(START_SPREAD / max(float(points[:, :2].std()), 1e-6))
    x, y = (start + rng.normal(0.0, JITTER, (count, 2))).astype(np.float32).T.copy()
    for epoch in range(EPOCHS):
        dx, dy = x[tails] - x[heads], y[tails] - y[heads]
        pull = weights / (1.0 + dx * dx + dy * dy)
        step_x, step_y = np.add.reduceat(pull * dx, starts), np.add.reduceat(pull * dy, starts)
        x, y = _moved(x, y, step_x, step_y, others=(x, y), rate=1.0 - epoch / EPOCHS, rng=rng)
    return np.stack([x, y], axis=1)


def _joined(
    points: Float32[ndarray, "b c"],
    index: faiss.Index,
    fixed: Float32[ndarray, "l 2"],
    rng: np.random.Generator,
) -> Float32[ndarray, "b 2"]:
    """Places among landmarks that do not move."""
    squared, near = index.search(np.ascontiguousarray(points), NEIGHBORS)
    found = near >= 0  # an approximate search may find fewer
    strength = map_cases.strengths(np.sqrt(np.maximum(squared, 0.0)), found)
    weights = strength / np.maximum(strength.sum(axis=1, keepdims=True), 1e-9)
    others_x, others_y = np.ascontiguousarray(fixed.T)
    near_x, near_y = others_x[near], others_y[near]
    start = np.stack([(weights * near_x).sum(axis=1), (weights * near_y).sum(axis=1)])
    x, y = (start + rng.normal(0.0, JITTER, start.shape)).astype(np.float32)
    for epoch in range(JOINING_EPOCHS):
        dx, dy = near_x - x[:, None], near_y - y[:, None]
        pull = weights / (1.0 + dx * dx + dy * dy)
        step_x, step_y = (pull * dx).sum(axis=1), (pull * dy).sum(axis=1)
        rate = 1.0 - epoch / JOINING_EPOCHS
        x, y = _moved(x, y, step_x, step_y, others=(others_x, others_y), rate=rate, rng=rng)
    return np.stack([x, y], axis=1)


def _moved(
    x: Float32[ndarray, " m"],
    y: Float32[ndarray, " m"],
    step_x: Float32[ndarray, " m"],
    step_y: Float32[ndarray, " m"],
    *,
    others: tuple[Float32[ndarray, " l"], Float32[ndarray, " l"]],
    rate: float,
    rng: np.random.Generator,
) -> tuple[Float32[ndarray, " m"], Float32[ndarray, " m"]]:
    """After the pull in ``step_x`` and ``step_y`` and a push from ``PUSHES`` random others."""
    for _ in range(PUSHES):
        other: Int32[ndarray, " m"] = rng.integers(0, len(others[0]), len(x), dtype=np.int32)
        dx, dy = x - others[0][other], y - others[1][other]
        squared = dx * dx + dy * dy
        push = PUSH_STRENGTH / ((np.float32(1e-3) + squared) * (1.0 + squared))
        step_x = step_x + push * dx
        step_y = step_y + push * dy
    scale = np.float32(rate)
    return (
        x + scale * np.clip(step_x, -MAX_STEP, MAX_STEP),
        y + scale * np.clip(step_y, -MAX_STEP, MAX_STEP),
    )


def _graph(points: Float32[ndarray, "m c"]) -> sparse.csr_matrix:
    """Symmetric strengths 0..1 between near points; every row has an entry."""
    count = len(points)
    squared, near = _index(points).search(np.ascontiguousarray(points), NEIGHBORS + 1)
    # Of rows that equal each other any may stand first: leave the row itself out, or else the furthest.
    own = near == np.arange(count)[:, None]
    own[:, -1] |= ~own.any(axis=1)
    near = near[~own].reshape(count, NEIGHBORS)
    distances = np.sqrt(np.maximum(squared[~own], 0.0)).reshape(count, NEIGHBORS)
    strength = map_cases.strengths(distances, np.ones_like(near, dtype=np.bool_))
    bounds = np.arange(0, near.size + 1, NEIGHBORS)
    directed = sparse.csr_matrix((strength.ravel(), near.ravel(), bounds), shape=(count, count))
    backward = directed.T.tocsr()
    return sparse.csr_matrix(directed + backward - directed.multiply(backward))


def _on_the_map(places: Float32[ndarray, "m 2"]) -> Float32[ndarray, "m 2"]:
    """The longer side becomes 1 less the margins, which are left for cases that lie outside of all rows."""
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    side = float((high - low).max())
    if side <= 0.0 or not np.isfinite(side):
        return np.full_like(places, 0.5)
    return _rounded((places - (low + high) / 2) / side * (1 - 2 * MARGIN) + 0.5)


def _rounded(places: Float32[ndarray, "m 2"]) -> Float32[ndarray, "m 2"]:
    """To the grid that maps are kept on, so that a map read back is the map that was drawn."""
    return (np.round(np.clip(places, 0.0, 1.0) * MAP_SCALE) / MAP_SCALE).astype(np.float32)
