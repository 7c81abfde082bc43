"""Vectors of texts, embedded once: float16 blocks in the artifact store, their places in PostgreSQL."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import VectorRow, VectorShardRow
from app.db.session import SessionFactory, transaction
from app.domain.records import Embedder

LOOKUP_BATCH = 5_000
EMBED_BATCH = 2_048


def vectors_for(
    sessions: SessionFactory,
    store: ArtifactStore,
    embedder: Embedder,
    texts: Sequence[str],
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> Float32[ndarray, "n d"]:
    """Unit vectors, one row for each text, in order; an empty text gets a zero row.

    Only texts that this embedder has never seen are embedded. Each block is committed as it is made, so
    a run that is killed keeps what it has.
    """
    hashes = [hashlib.sha256(t.encode("utf-8", "surrogatepass")).digest() for t in texts]
    unique = {h: t for h, t in zip(hashes, texts, strict=True) if t.strip()}
    with sessions() as session:
        known = _load(session, store, embedder, list(unique))
    missing = [h for h in unique if h not in known]
    for start in range(0, len(missing), EMBED_BATCH):
        block = missing[start : start + EMBED_BATCH]
        # float16 both when fresh and when read back: a second run gives the same result to the bit
        vectors = embedder.encode([unique[h] for h in block]).astype(np.float16)
        with transaction(sessions) as session:
            _save(session, store, embedder, block, vectors)
        known.update(zip(block, vectors, strict=True))
        progress((start + len(block)) / len(missing))
    result = np.zeros((len(texts), embedder.dimensions), dtype=np.float32)
    for row, text_hash in enumerate(hashes):
        vector = known.get(text_hash)
        if vector is not None:
            result[row] = vector
    norms = np.linalg.norm(result, axis=1, keepdims=True)
    np.divide(result, norms, out=result, where=norms > 0)
    return result


def _load(
    session: Session, store: ArtifactStore, embedder: Embedder, hashes: Sequence[bytes]
) -> dict[bytes, ndarray]:
    found: dict[bytes, ndarray] = {}
    blocks: dict[int, ndarray] = {}
    for start in range(0, len(hashes), LOOKUP_BATCH):
        rows = session.execute(
            select(VectorRow.text_hash, VectorRow.row, VectorShardRow.id, VectorShardRow.uri)
            .join(VectorShardRow, VectorShardRow.id == VectorRow.shard_id)
            .where(
                VectorRow.model == embedder.name,
                VectorRow.text_hash.in_(list(hashes[start : start + LOOKUP_BATCH])),
                VectorShardRow.dimensions == embedder.dimensions,
            )
        )
        for text_hash, row, shard_id, uri in rows:
            if shard_id not in blocks:
                blocks[shard_id] = _read_block(store, uri)
            found[bytes(text_hash)] = blocks[shard_id][row]
    return found


def _read_block(store: ArtifactStore, uri: str) -> ndarray:
    path = store.local_path(uri)
    if path is not None:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    with store.open(uri) as stream:
        return np.load(io.BytesIO(stream.read()), allow_pickle=False)


def _save(
    session: Session, store: ArtifactStore, embedder: Embedder, hashes: Sequence[bytes], vectors: ndarray
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, vectors, allow_pickle=False)
    artifact = store.put_bytes(buffer.getvalue())
    shard = VectorShardRow(
        model=embedder.name, uri=artifact.uri, rows=len(hashes), dimensions=embedder.dimensions
    )
    session.add(shard)
    session.flush()
    # two workers may embed one text at the same time: the first place wins
    session.execute(
        text(
            "INSERT INTO vectors (model, text_hash, shard_id, row)"
            " SELECT :model, h, :shard, r - 1 FROM unnest(CAST(:hashes AS bytea[])) WITH ORDINALITY AS t(h, r)"
            # in one order for everybody: two workers with the same texts wait for each other, not in a ring
            " ORDER BY h ON CONFLICT DO NOTHING"
        ),
        {"model": embedder.name, "shard": shard.id, "hashes": list(hashes)},
    )
