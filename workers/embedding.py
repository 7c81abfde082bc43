"""Vectors of training rows and cases, from the store where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from app.domain.diagnosis.views import Vectors, ViewTexts
from app.services import vectors
from workers.context import StageContext
from workers.scaleout import embedder_for


def kept_views(context: StageContext, texts: ViewTexts, progress: Callable[[float], None]) -> Vectors:
    """Every view's texts through the cache in one pass; the vectors of training rows as they are kept."""
    unique = texts.unique()
    table = vectors.half_vectors_for(
        context.sessions,
        context.store,
        embedder_for(context.settings.embedder),
        unique,
        progress=progress,
    )
    return Vectors.from_halves(texts, unique, table)


def embed_views(context: StageContext, texts: ViewTexts, progress: Callable[[float], None]) -> Vectors:
    """The same, all of it float32."""
    embedder = embedder_for(context.settings.embedder)
    names = [f.name for f in fields(texts)]
    parts = [list(getattr(texts, name)) for name in names]
    flat = [text for part in parts for text in part]
    table = vectors.vectors_for(
        context.sessions,
        context.store,
        embedder,
        flat,
        progress=progress,
    )
    bounds = np.cumsum([0, *(len(part) for part in parts)])
    return Vectors(**{name: table[bounds[i] : bounds[i + 1]] for i, name in enumerate(names)})
