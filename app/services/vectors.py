"""Vectors of texts, embedded once: float16 blocks in the artifact store, their places in PostgreSQL."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float16, Float32, Int64, UInt8
from numpy import ndarray
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import VectorShardRow
from app.db.session import SessionFactory, transaction
from app.domain.vectors.embedder import Embedder
from app.domain.vectors.half_precision import unit

LOOKUP_BATCH = 1 << 16
EMBED_BATCH = 1 << 13
"""Texts embedded between two commits: some seconds, and enough that their common n-grams are shared."""

Hashes: TypeAlias = UInt8[ndarray, "n 32"]

_PLACE = np.dtype([("text", ">i4"), ("shard", ">i8"), ("row", ">i4")])
"""Where the vector of a text stands, as PostgreSQL writes numbers."""

# The hashes travel as one value, and so do the places found: lists and rows cost more than the look-up.
_FIND = text(
    "SELECT string_agg(int4send(t.i) || int8send(v.shard_id) || int4send(v.row), '')"
    " FROM (SELECT i, substring(CAST(:hashes AS bytea) FROM i * 32 + 1 FOR 32) AS h"
    " FROM generate_series(0, :last) i) t JOIN vectors v ON v.model = :model AND v.text_hash = t.h"
)

# Two workers may embed one text at the same time: the first place wins. In one order for everybody: two
# workers with the same texts wait for each other, not in a ring.
_ADD = text(
    "INSERT INTO vectors (model, text_hash, shard_id, row)"
    " SELECT :model, substring(CAST(:hashes AS bytea) FROM i * 32 + 1 FOR 32) AS h, :shard, i"
    " FROM generate_series(0, :last) i ORDER BY h ON CONFLICT DO NOTHING"
)


def cache_key(embedder: Embedder) -> str:
    """What tells the vectors of one embedder from another's: other weights under one name are another one."""
    return f"{embedder.name[-180:]}@{embedder.fingerprint}"


def vectors_for(
    sessions: SessionFactory,
    store: ArtifactStore,
    embedder: Embedder,
    texts: Sequence[str],
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> Float32[ndarray, "n d"]:
    """Unit vectors, one row for each text, in order; an empty text gets a zero row."""
    return unit(half_vectors_for(sessions, store, embedder, texts, progress=progress))


def half_vectors_for(
    sessions: SessionFactory,
    store: ArtifactStore,
    embedder: Embedder,
    texts: Sequence[str],
    *,
    progress: Callable[[float], None] = lambda _: None,
    embed_batch: int = EMBED_BATCH,
    lookup_batch: int = LOOKUP_BATCH,
) -> Float16[ndarray, "n d"]:
    """The vectors as they are kept, half as large: norm 1 to three digits.

    Only texts that this embedder has never seen are embedded. Each block is committed as it is made, so
    a run that is killed keeps what it has.
    """
    unique, of_text = _distinct(texts)
    hashes = _hashes(unique)
    # float16 both when fresh and when read back: a second run gives the same result to the bit
    table = np.zeros((len(unique) + 1, embedder.dimensions), dtype=np.float16)
    with sessions() as session:
        known = _load(session, store, embedder, hashes, table, lookup_batch)
    # In the order of the alphabet: like texts are cheaper side by side, and a block of the same texts is
    # the same block.
    missing = sorted(np.flatnonzero(~known).tolist(), key=unique.__getitem__)
    blocks = [missing[start : start + embed_batch] for start in range(0, len(missing), embed_batch)]
    done = 0
    for block, rows in zip(blocks, _encoded(embedder, [[unique[i] for i in b] for b in blocks]), strict=True):
        table[block] = rows
        with transaction(sessions) as session:
            _save(session, store, embedder, hashes[block], table[block])
        done += len(block)
        progress(done / len(missing))
    if len(of_text) == len(unique) and (of_text == np.arange(len(unique))).all():
        return table[:-1]
    return table[of_text]  # -1: the last row, all zeros


def _distinct(texts: Sequence[str]) -> tuple[list[str], Int64[ndarray, " n"]]:
    """Every text that says something once, and which of them each text is; -1 = it says nothing."""
    number_of: dict[str, int] = {}
    numbers = (number_of.setdefault(t, len(number_of)) if t.strip() else -1 for t in texts)
    of_text = np.fromiter(numbers, dtype=np.int64, count=len(texts))
    return list(number_of), of_text


@runtime_checkable
class BlockEmbedder(Embedder, Protocol):
    """An embedder that works on several blocks at once."""

    def encode_blocks(self, blocks: Sequence[Sequence[str]]) -> Iterator[Float32[ndarray, "n d"]]:
        """Each block as ``encode`` would have it, in order, as soon as it is there."""
        ...


def _encoded(embedder: Embedder, blocks: Sequence[Sequence[str]]) -> Iterator[Float32[ndarray, "n d"]]:
    if isinstance(embedder, BlockEmbedder):
        yield from embedder.encode_blocks(blocks)
    else:
        for block in blocks:
            yield embedder.encode(block)


def _hashes(texts: Sequence[str]) -> Hashes:
    """SHA-256 of each text, side by side: a million bytes objects are twice as large."""
    made = bytearray()
    for said in texts:
        made += hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()
    return np.frombuffer(made, dtype=np.uint8).reshape(-1, 32)


def _load(
    session: Session,
    store: ArtifactStore,
    embedder: Embedder,
    hashes: Hashes,
    into: Float16[ndarray, "m d"],
    batch: int,
) -> ndarray:
    """Fill the rows of ``into`` whose texts are known; which those are."""
    known = np.zeros(len(hashes), dtype=bool)
    places = np.concatenate(
        [np.empty(0, dtype=_PLACE)]
        + [
            _places(session, embedder, hashes[start : start + batch], start)
            for start in range(0, len(hashes), batch)
        ]
    )
    places = places[np.argsort(places["shard"], kind="stable")]
    shards, starts = np.unique(places["shard"], return_index=True)
    uris = _uris(session, shards)
    for shard, group in zip(shards.tolist(), np.split(places, starts[1:]), strict=False):
        numbers, rows = group["text"].astype(np.int64), group["row"].astype(np.int64)
        into[numbers] = _read_block(store, uris[shard])[rows]
        known[numbers] = True
    return known


def _places(session: Session, embedder: Embedder, hashes: Hashes, first: int) -> ndarray:
    given = {"hashes": hashes.tobytes(), "last": len(hashes) - 1, "model": cache_key(embedder)}
    found = session.scalar(_FIND, given)
    places = np.frombuffer(bytes(found or b""), dtype=_PLACE).copy()
    places["text"] += first
    return places


def _uris(session: Session, shards: Int64[ndarray, " s"]) -> dict[int, str]:
    rows = session.execute(
        select(VectorShardRow.id, VectorShardRow.uri).where(VectorShardRow.id.in_(shards.tolist()))
    )
    return {row.id: row.uri for row in rows}


def _read_block(store: ArtifactStore, uri: str) -> Float16[ndarray, "r d"]:
    path = store.local_path(uri)
    if path is not None:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    with store.open(uri) as stream:
        return np.load(io.BytesIO(stream.read()), allow_pickle=False)


def _save(
    session: Session, store: ArtifactStore, embedder: Embedder, hashes: Hashes, vectors: ndarray
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, vectors, allow_pickle=False)
    artifact = store.put_bytes(buffer.getvalue())
    shard = VectorShardRow(
        model=cache_key(embedder), uri=artifact.uri, rows=len(hashes), dimensions=embedder.dimensions
    )
    session.add(shard)
    session.flush()
    given = {"hashes": hashes.tobytes(), "last": len(hashes) - 1, "model": cache_key(embedder)}
    session.execute(_ADD, {**given, "shard": shard.id})
