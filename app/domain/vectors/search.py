"""Nearest rows of a corpus: exact while that is cheap, by inverted lists beyond.

Arrays in, arrays out. Rows may be float32 or float16; an index keeps a reference to them and adds a few
bytes a row. Knows inner products (cosines of unit rows), and how many lists have to be looked into so that
the neighbours that decide are found: it measures that on the corpus itself. Does not know what rows mean.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import faiss
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from numpy import ndarray
from scipy.sparse import csr_array

from app.domain.vectors.half_precision import UnitRows

EXACT_ROWS = 100_000
"""Up to here every search is exact. A resource bound."""

ASKED_NEIGHBORS = 24
"""The neighbours that decide; the recall of an index is measured on so many."""

RECALL = 0.995
"""Share of them that an index has to find around rows of the corpus, and around what lies between two and
between four of them; .99 is promised for texts that are new."""

RECALL_SAMPLE_ROWS = 128
LISTS_PER_ROOT = 1.0
"""Lists for each square root of the rows: finding the lists then costs what looking into one does."""

LOOKED_INTO = 4
"""One row in so many is compared: measured on perturbed sentence vectors, 512 dimensions, 200,000 rows."""

TRAINED_ROWS_PER_LIST = 64
ROUNDS = 8
BLOCK_ROWS = 1 << 15
QUERY_BLOCK_ROWS = 1 << 12

Corpus: TypeAlias = Float[ndarray, "n d"] | UnitRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbors:
    """``indices`` (q, k) into the corpus, nearest first; ``similarities`` (q, k) cosine -1..1.

    Where the corpus holds fewer than k rows the surplus is index -1 and similarity -1.
    """

    indices: Int64[ndarray, "q k"]
    similarities: Float32[ndarray, "q k"]

    @property
    def present(self) -> Bool[ndarray, "q k"]:
        return self.indices >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A corpus that is asked many times. Without ``centroids`` the search is exact.

    ``members`` (n,) the rows of the corpus list by list, ``bounds`` (lists + 1,) where each list begins,
    ``probes`` lists looked into for a query, ``recall`` 0..1 as measured when it was built, on the worst kind.
    """

    corpus: Corpus
    centroids: Float32[ndarray, "l d"]
    members: Int64[ndarray, " m"]
    bounds: Int64[ndarray, " b"]
    probes: int
    recall: float

    @classmethod
    def build(cls, corpus: Corpus, *, exact_rows: int = EXACT_ROWS, seed: int = 0) -> Index:
        """Exact for up to ``exact_rows`` rows. Deterministic: one corpus, one seed, one index."""
        rows = corpus.shape[0]
        if rows <= exact_rows:
            return cls(
                corpus=corpus,
                centroids=np.empty((0, corpus.shape[1]), dtype=np.float32),
                members=np.empty(0, dtype=np.int64),
                bounds=np.zeros(1, dtype=np.int64),
                probes=0,
                recall=1.0,
            )
        rng = np.random.default_rng(seed)
        centroids = _centroids(corpus, max(1, round(LISTS_PER_ROOT * rows**0.5)), rng)
        of_row = np.concatenate([np.argmax(block @ centroids.T, axis=1) for block in _blocks(corpus)])
        bounds = np.concatenate([[0], np.cumsum(np.bincount(of_row, minlength=len(centroids)))])
        made = cls(
            corpus=corpus,
            centroids=centroids,
            members=np.argsort(of_row, kind="stable"),
            bounds=bounds,
            probes=len(centroids),
            recall=1.0,
        )
        return made._with_as_few_probes_as_do(rng)

    def _with_as_few_probes_as_do(self, rng: np.random.Generator) -> Index:
        rows = len(self.corpus)
        each = min(RECALL_SAMPLE_ROWS, rows)
        # Rows of the corpus, and what lies between two and between four: a case that nothing covers is the
        # hard one.
        asked = [
            self.corpus[rng.choice(rows, (n, each))].astype(np.float32, copy=False).sum(axis=0)
            for n in (1, 2, 4)
        ]
        queries = np.concatenate(asked)
        queries /= np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
        k = min(ASKED_NEIGHBORS + 1, rows)
        # A twin more or less as near is as good: what counts is how near the last one found has to be.
        needed = exact(queries, self.corpus, k).similarities - 1e-3
        probes, lists = 1, len(self.centroids)
        while True:
            found = self._listed(queries, k, probes).similarities
            recall = float((found >= needed).reshape(len(asked), -1).mean(axis=1).min())
            if recall >= RECALL or probes >= lists:
                return Index(
                    corpus=self.corpus,
                    centroids=self.centroids,
                    members=self.members,
                    bounds=self.bounds,
                    probes=probes,
                    recall=recall,
                )
            probes = min(lists, probes + 1 + probes // 3)

    def search(self, queries: Float[ndarray, "q d"], k: int) -> Neighbors:
        """The ``k`` nearest rows of each query, nearest first, of equally near ones the first."""
        if not len(self.centroids):
            return exact(queries, self.corpus, k)
        found = [
            self._listed(queries[start : start + QUERY_BLOCK_ROWS].astype(np.float32), k, self.probes)
            for start in range(0, len(queries), QUERY_BLOCK_ROWS)
        ]
        return Neighbors(
            indices=np.concatenate([np.empty((0, k), dtype=np.int64)] + [f.indices for f in found]),
            similarities=np.concatenate(
                [np.empty((0, k), dtype=np.float32)] + [f.similarities for f in found]
            ),
        )

    def _listed(self, queries: Float32[ndarray, "q d"], k: int, probes: int) -> Neighbors:
        """Look into the ``probes`` lists whose centroids are nearest, list by list for all queries."""
        lists = len(self.centroids)
        by_centroid = queries @ self.centroids.T
        probed = (
            np.argpartition(-by_centroid, probes - 1, axis=1)[:, :probes]
            if probes < lists
            else np.tile(np.arange(lists), (len(queries), 1))
        )
        order = np.argsort(probed.ravel(), kind="stable")
        asking = order // probes
        starts = np.searchsorted(probed.ravel()[order], np.arange(lists + 1))
        # The best so far only: what every list holds for every query would be most of the memory.
        similarities = np.full((len(queries), k), -2.0, dtype=np.float32)
        indices = np.full((len(queries), k), -1, dtype=np.int64)
        for number in np.flatnonzero(np.diff(starts)):
            members = self.members[self.bounds[number] : self.bounds[number + 1]]
            if not len(members):
                continue
            who = asking[starts[number] : starts[number + 1]]
            near = queries[who] @ self.corpus[members].astype(np.float32, copy=False).T
            best = _best(near, min(k, len(members)))
            near = np.concatenate([similarities[who], np.take_along_axis(near, best, axis=1)], axis=1)
            rows = np.concatenate([indices[who], members[best]], axis=1)
            best = _best(near, k)
            similarities[who] = np.take_along_axis(near, best, axis=1)
            indices[who] = np.take_along_axis(rows, best, axis=1)
        return self._completed(queries, _ordered(similarities, indices), k)

    def _completed(self, queries: Float32[ndarray, "q d"], found: Neighbors, k: int) -> Neighbors:
        """Queries whose lists held too few rows are asked of the whole corpus."""
        short = np.flatnonzero(found.present.sum(axis=1) < min(k, len(self.corpus)))
        if short.size:
            whole = exact(queries[short], self.corpus, k)
            found.indices[short], found.similarities[short] = whole.indices, whole.similarities
        return found

    def to_bytes(self) -> bytes:
        """What the build learnt, without the corpus; an npz file without pickles."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            centroids=self.centroids,
            members=self.members,
            bounds=self.bounds,
            probes=np.int64(self.probes),
            recall=np.float64(self.recall),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, corpus: Corpus) -> Index:
        """The index that gave ``content``, over the same rows in the same order."""
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            if len(file["centroids"]) and len(file["members"]) != len(corpus):
                raise ValueError(
                    f"the index was built over {len(file['members'])} rows and this corpus has {len(corpus)}; "
                    "build it again"
                )
            return cls(
                corpus=corpus,
                centroids=file["centroids"],
                members=file["members"],
                bounds=file["bounds"],
                probes=int(file["probes"]),
                recall=float(file["recall"]),
            )


def nearest(queries: Float[ndarray, "q d"], corpus: Corpus, k: int) -> Neighbors:
    """The ``k`` nearest rows of each query by inner product; with unit rows an inner product is a cosine.

    Exact, unless building an index and asking it costs less than half.
    """
    if _is_cheap(len(queries), len(corpus)):
        return exact(queries, corpus, k)
    return Index.build(corpus).search(queries, k)


def nearest_others(
    corpus: Corpus,
    k: int,
    rows: Int64[ndarray, " q"] | None = None,
    *,
    index: Index | None = None,
) -> Neighbors:
    """Leave-one-out search: the k nearest rows of each row (or of ``rows``), itself left out."""
    asked = np.arange(corpus.shape[0]) if rows is None else rows
    found = index.search(corpus[asked], k + 1) if index is not None else nearest(corpus[asked], corpus, k + 1)
    own = found.indices == asked[:, None]
    # A row with more than k exact twins may not find itself: then its last neighbour goes.
    own[~own.any(axis=1), -1] = True
    keep = ~own
    shape = (len(asked), k)
    return Neighbors(
        indices=found.indices[keep].reshape(shape), similarities=found.similarities[keep].reshape(shape)
    )


def exact(queries: Float[ndarray, "q d"], corpus: Corpus, k: int) -> Neighbors:
    """Every query against every row; float16 rows are widened a block at a time."""
    asked = np.ascontiguousarray(queries, dtype=np.float32)
    indices = np.full((len(asked), k), -1, dtype=np.int64)
    similarities = np.full((len(asked), k), -1.0, dtype=np.float32)
    found = min(k, len(corpus))
    if len(asked) and found:
        parts_near: list[ndarray] = []
        parts_where: list[ndarray] = []
        start = 0
        wide = not isinstance(corpus, UnitRows) and corpus.dtype == np.float32
        for block in iter([corpus[:]]) if wide else _blocks(corpus):
            near, where = faiss.knn(
                asked, np.ascontiguousarray(block), min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT
            )
            parts_near.append(near)
            parts_where.append(where + start)
            start += len(block)
        near, where = np.concatenate(parts_near, axis=1), np.concatenate(parts_where, axis=1)
        best = _best(near, found)
        ordered = _ordered(np.take_along_axis(near, best, axis=1), np.take_along_axis(where, best, axis=1))
        indices[:, :found], similarities[:, :found] = ordered.indices, ordered.similarities
    return Neighbors(indices=indices, similarities=similarities)


def _is_cheap(queries: int, rows: int) -> bool:
    """Counts inner products: those of all pairs against those of an index and its lists."""
    lists = LISTS_PER_ROOT * rows**0.5
    trained = ROUNDS * TRAINED_ROWS_PER_LIST * lists * lists
    built = trained + rows * lists + 3 * RECALL_SAMPLE_ROWS * rows
    return rows <= EXACT_ROWS or queries * rows <= 2 * (built + queries * rows / LOOKED_INTO)


def _best(values: Float32[ndarray, "q m"], k: int) -> Int64[ndarray, "q k"]:
    """Columns of the ``k`` largest values of each row, in no order."""
    if k >= values.shape[1]:
        return np.tile(np.arange(values.shape[1]), (len(values), 1))
    return np.argpartition(-values, k - 1, axis=1)[:, :k]


def _ordered(similarities: Float32[ndarray, "q k"], indices: Int64[ndarray, "q k"]) -> Neighbors:
    order = np.lexsort((indices, -similarities), axis=1)
    return Neighbors(
        indices=np.take_along_axis(indices, order, axis=1),
        similarities=np.clip(np.take_along_axis(similarities, order, axis=1), -1.0, 1.0),
    )


def _blocks(corpus: Corpus) -> Iterator[Float32[ndarray, "b d"]]:
    for start in range(0, len(corpus), BLOCK_ROWS):
        yield corpus[start : start + BLOCK_ROWS].astype(np.float32, copy=False)


def _centroids(corpus: Corpus, lists: int, rng: np.random.Generator) -> Float32[ndarray, "l d"]:
    """Spherical k-means (Dhillon and Modha 2001) on a sample; a list that nobody is in takes a row at random."""
    chosen = np.sort(rng.choice(len(corpus), min(len(corpus), lists * TRAINED_ROWS_PER_LIST), replace=False))
    sample = corpus[chosen].astype(np.float32, copy=False)
    centroids = sample[rng.choice(len(sample), lists, replace=False)]
    for _ in range(ROUNDS):
        of_row = np.concatenate([np.argmax(block @ centroids.T, axis=1) for block in _blocks(sample)])
        ones = np.ones(len(sample), dtype=np.float32)
        member = csr_array((ones, (of_row, np.arange(len(sample)))), shape=(lists, len(sample)))
        centroids = member @ sample
        norms = np.linalg.norm(centroids, axis=1)
        empty = np.flatnonzero(norms < 1e-12)
        centroids[empty] = sample[rng.choice(len(sample), len(empty))]
        norms[empty] = 1.0
        centroids /= norms[:, None]
    return centroids
