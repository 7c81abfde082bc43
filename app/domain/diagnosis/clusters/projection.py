"""A map of the training set and the bad cases: two dimensions in which near prompts stay near.

Knows vectors and places. Does not know texts and how a map is drawn.

t-SNE (van der Maaten and Hinton 2008) lays landmarks out, by scikit-learn; every further row is placed between its
nearest landmarks, so that time grows with the number of rows. docs/experiments.md compares it with what was tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import KNeighborsRegressor

from app.domain.diagnosis.clusters import map_cases
from app.domain.vectors.half_precision import UnitVectors, blocks

MAP_SCALE = 65_535
"""Places are whole numbers 0..65,535 on both axes."""


LANDMARKS = 2_000
"""Rows laid out by t-SNE, some seconds on one core; the others are placed among them. A resource bound."""

COMPONENTS = 50
"""Principal components in which neighbours are looked for."""

PERPLEXITY = 30.0
ITERATIONS = 500
NEIGHBORS = 5
"""Landmarks between which a row is placed."""

FEW = 12
"""So few rows show nothing by themselves: they are laid out together with the cases."""

MARGIN = 0.03
JITTER = 1e-3


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
    if n <= FEW:
        together = np.concatenate([np.asarray(part[:], dtype=np.float32) for part in (vectors, case_vectors)])
        places = _on_the_map(_flat(_told_apart(together, rows_rng)))
        return Projection(examples=places[:n], cases=places[n:])
    if known is None or len(known) != n:
        known = _on_the_map(_layout(vectors, rows_rng))
    return Projection(
        examples=known, cases=_rounded(map_cases.join(vectors, known, case_vectors, rng=cases_rng))
    )


def _flat(points: Float32[ndarray, "m d"]) -> Float32[ndarray, "m 2"]:
    """The first two principal components."""
    if len(points) < 2:
        return np.zeros((len(points), 2), dtype=np.float32)
    made = PCA(min(2, *points.shape)).fit_transform(points).astype(np.float32)
    return np.pad(made, ((0, 0), (0, 2 - made.shape[1])))


def _told_apart(points: Float32[ndarray, "m d"], rng: np.random.Generator) -> Float32[ndarray, "m d"]:
    """Rows that equal each other need different places to be pushed apart from."""
    return points + rng.normal(0.0, JITTER, points.shape).astype(np.float32)


def _layout(vectors: UnitVectors, rng: np.random.Generator) -> Float32[ndarray, "n 2"]:
    """t-SNE of the landmarks; every other row between its nearest landmarks."""
    count = len(vectors)
    landmarks = np.arange(count)
    if count > LANDMARKS:
        landmarks = np.sort(rng.choice(count, LANDMARKS, replace=False))
    sample = _told_apart(vectors[landmarks].astype(np.float32), rng)
    pca = PCA(min(COMPONENTS, *sample.shape), svd_solver="covariance_eigh").fit(sample)
    points = pca.transform(sample).astype(np.float32)
    tsne = TSNE(
        perplexity=min(PERPLEXITY, (len(points) - 1) / 3),
        init="pca",
        max_iter=ITERATIONS,
        random_state=int(rng.integers(2**31)),
        n_jobs=1,
    )
    laid_out = tsne.fit_transform(points)
    if count == len(landmarks):
        return laid_out
    near = KNeighborsRegressor(NEIGHBORS, weights="distance", n_jobs=1).fit(points, laid_out)
    return np.concatenate(
        [near.predict(pca.transform(rows.astype(np.float32))) for _, rows in blocks(vectors)]
    ).astype(np.float32)


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
