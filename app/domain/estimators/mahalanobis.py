"""How far a prompt lies from what the rows of a task look like, taking the shape of that cloud into account.

Mahalanobis distances: to the task as one Gaussian, and to the nearest of its labels relative to that (Lee et
al. 2018; Ren et al. 2021, "A simple fix to Mahalanobis distance"); and the angle to the nearest label in the
space where labels are round. A training row's own measures are corrected for having been part of the fit
(Sherman and Morrison 1950), so that rows and new prompts compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from app.domain.estimators.ridge_leave_one_out import MAX_LEVERAGE
from app.domain.vectors import half_precision
from app.domain.vectors.half_precision import UnitVectors

_COVARIANCE_SHRINKAGE: Final = 0.01

MEASURES = ("task_distance", "label_distance", "label_angle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One task's rows. ``whiten`` (d, d) and ``whiten_within`` (d, d): x @ W has unit scatter; ``centres``
    (c, d) are the label means in the second of these spaces, of ``members`` (c,) rows each."""

    rows: int
    mean: Float32[ndarray, " d"]
    whiten: Float32[ndarray, "d d"]
    whiten_within: Float32[ndarray, "d d"]
    centres: Float32[ndarray, "c d"]
    members: Int64[ndarray, " c"]
    labels: Int64[ndarray, " c"]

    def distances(
        self, vectors: Float32[ndarray, "q d"], own: Int64[ndarray, " q"] | None = None
    ) -> tuple[Float64[ndarray, "q 3"], Int64[ndarray, " q"]]:
        """One column for each of ``MEASURES``, larger = less covered; and the nearest label, -1 = there is
        none. ``own``: the vectors are rows of the cloud with these labels (-1 = the whole task)."""
        whole = np.square((vectors - self.mean) @ self.whiten).sum(axis=1).astype(np.float64)
        inner = (vectors - self.mean) @ self.whiten_within
        length = np.square(inner).sum(axis=1)
        sizes = np.square(self.centres).sum(axis=1)
        along = inner @ self.centres.T
        squares = np.maximum((length[:, None] - 2.0 * along + sizes[None]).astype(np.float64), 0.0)
        cosines = along / np.maximum(np.sqrt(length)[:, None] * np.sqrt(sizes)[None], 1e-9)
        if own is not None:
            whole = _left_out(whole, self.rows)
            place = np.searchsorted(self.labels, own)
            known = np.flatnonzero(
                (place < len(self.labels)) & (self.labels[np.minimum(place, len(self.labels) - 1)] == own)
            )
            mine = place[known]
            members = self.members[mine]
            cosines[known, mine] = _left_out_cosine(inner[known], self.centres[mine], members)
            squares[known, mine] = _left_out(squares[known, mine], members)
        nearest = squares.min(axis=1)
        label = self._nearest_label(squares)
        whole, nearest = whole * self.rows, nearest * self.rows
        relative = nearest if len(self.labels) == 1 else nearest - whole
        return np.column_stack([whole, relative, 1.0 - cosines.max(axis=1)]), label

    def _nearest_label(self, squares: Float64[ndarray, "q c"]) -> Int64[ndarray, " q"]:
        named = np.flatnonzero(self.labels >= 0)
        if not named.size:
            return np.full(len(squares), -1, dtype=np.int64)
        return self.labels[named[squares[:, named].argmin(axis=1)]]


def _left_out(
    leverage: Float64[ndarray, " q"], members: int | Int64[ndarray, " q"]
) -> Float64[ndarray, " q"]:
    """z' S^-1 z of a row whose own part is taken out of its mean and of the scatter S."""
    grown = members / np.maximum(np.asarray(members) - 1.0, 0.5)
    return grown**2 * leverage / np.maximum(1.0 - grown * leverage, 1.0 - MAX_LEVERAGE)


def _left_out_cosine(
    inner: Float32[ndarray, "q d"], centres: Float32[ndarray, "q d"], members: Int64[ndarray, " q"]
) -> Float64[ndarray, " q"]:
    """Cosine of rows to their own centre, both without the rows, in the metric of the scatter without them."""
    own = inner - centres
    left = centres - own / np.maximum(members - 1.0, 0.5)[:, None]
    part = members / np.maximum(members - 1.0, 0.5)
    leverage = np.square(own).sum(axis=1)
    gain = part / np.maximum(1.0 - part * leverage, 1.0 - MAX_LEVERAGE)

    def product(a: ndarray, b: ndarray) -> Float64[ndarray, " q"]:
        through = (a * own).sum(axis=1) * (b * own).sum(axis=1)
        return ((a * b).sum(axis=1) + gain * through).astype(np.float64)

    return product(inner, left) / np.maximum(np.sqrt(product(inner, inner) * product(left, left)), 1e-9)


def cloud(vectors: UnitVectors, labels: Int64[ndarray, " n"]) -> Cloud:
    """``labels``: class of each row, -1 = none. Classes of a single row join the task's own centre."""
    rows, dimensions = vectors.shape
    names, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    lone = (counts < 2) & (names >= 0)
    labels = np.where(lone[inverse], -1, labels)
    names, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    mean = half_precision.mean(vectors)
    centres = half_precision.class_sums(vectors, inverse, len(names)) / counts[:, None]
    centres = np.where((names == -1)[:, None], mean, centres).astype(np.float32)
    whiten = _whitening(half_precision.scatter(vectors, mean[None]), rows, dimensions)
    whiten_within = whiten
    if len(names) > 1:
        whiten_within = _whitening(half_precision.scatter(vectors, centres, inverse), rows, dimensions)
    return Cloud(
        rows=rows,
        mean=mean,
        whiten=whiten,
        whiten_within=whiten_within,
        centres=(centres - mean) @ whiten_within,
        members=counts.astype(np.int64),
        labels=names,
    )


def _whitening(scatter: Float32[ndarray, "d d"], rows: int, dimensions: int) -> Float32[ndarray, "d d"]:
    # Shrunk towards a sphere, the more so the fewer rows there are for each dimension.
    share = _COVARIANCE_SHRINKAGE * (1.0 + 10.0 * dimensions / max(1, rows))
    ridge = share * np.trace(scatter) / dimensions + 1e-6
    lower = np.linalg.cholesky(scatter.astype(np.float64) + ridge * np.eye(dimensions))
    return np.linalg.inv(lower).T.astype(np.float32)
