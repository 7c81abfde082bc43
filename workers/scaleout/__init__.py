"""Embedding and signatures on a Ray cluster, where ``RAY_ADDRESS`` names one; here otherwise.

The same functions run on the same blocks in both places, so the results are the same to the bit on machines
of one kind. Without the variable nothing imports ray.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from jaxtyping import UInt32
from numpy import ndarray

from app.domain.language import ngram_frequencies
from app.domain.language.ngram_frequencies import Lexicon
from app.domain.near_duplicates import signatures
from app.domain.near_duplicates.signatures import Signatures
from app.domain.vectors.embedder import Embedder
from workers.models.embedder import load_embedder

ADDRESS = "RAY_ADDRESS"


def embedder_for(name: str) -> Embedder:
    """The embedder of that name, on the cluster where there is one."""
    embedder = load_embedder(name)
    if not os.environ.get(ADDRESS):
        return embedder
    from workers.scaleout.ray_stages import ClusterEmbedder

    return ClusterEmbedder(embedder)


def read_texts(texts: Sequence[str]) -> tuple[UInt32[ndarray, "n p"], Lexicon]:
    """:func:`app.domain.language.ngram_frequencies.read`, on the cluster where there is one."""
    if not os.environ.get(ADDRESS):
        return ngram_frequencies.read(texts)
    from workers.scaleout.ray_stages import cluster_read

    return cluster_read(texts)


def read_signatures(texts: Sequence[str]) -> Signatures:
    """:func:`app.domain.near_duplicates.signatures.read`, on the cluster where there is one."""
    if not os.environ.get(ADDRESS):
        return signatures.read(texts)
    from workers.scaleout.ray_stages import cluster_signatures

    return cluster_signatures(texts)
