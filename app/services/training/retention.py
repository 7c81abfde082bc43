"""Files of adapters and merged models that nobody needs any more leave the artifact store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.artifacts import Artifact, ArtifactNotFound, ArtifactStore
from app.db.models import AdapterRow, MergeRow

_LOCK: Final = 0x636D7274  # any number that nothing else locks


def hold(session: Session, store: ArtifactStore, artifact: Artifact, folder: Path) -> None:
    """Called in the transaction that stores ``artifact``'s address: no file of it, which was stored from ``folder``
    before, is removed until then as one of an expired model's; one that just was is stored again."""
    session.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    whole = store.exists(artifact.uri) and all(
        store.exists(file.uri) for file in store.files(artifact.uri).values()
    )
    if not whole:
        store.put_directory(folder)


def remove_expired(session: Session, store: ArtifactStore, *, before: datetime) -> int:
    """Delete the files of adapters deleted, and of models merged, before ``before``; returns how many these were.

    The store keeps one copy of equal files, a tokenizer's for instance: what another model's folder names stays.
    """
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    adapters = session.scalars(
        select(AdapterRow).where(AdapterRow.deleted_at < before, AdapterRow.uri != "")
    ).all()
    merges = session.scalars(
        select(MergeRow).where(MergeRow.finished_at < before, MergeRow.uri.is_not(None))
    ).all()
    if not adapters and not merges:
        return 0
    gone = {row.uri for row in adapters} | {str(row.uri) for row in merges}
    expired = [row.id for row in (*adapters, *merges)]
    living = {
        *session.scalars(select(AdapterRow.uri).where(AdapterRow.uri != "", AdapterRow.id.not_in(expired))),
        *session.scalars(select(MergeRow.uri).where(MergeRow.uri.is_not(None), MergeRow.id.not_in(expired))),
    }
    kept = _files(store, living) | living
    for uri in (_files(store, gone) | gone) - kept:
        store.delete(uri)
    for adapter in adapters:
        adapter.uri = ""
    for merge in merges:
        merge.uri, merge.deleted_at = None, before
    session.flush()
    return len(expired)


def _files(store: ArtifactStore, folders: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for uri in folders:
        try:
            found |= {file.uri for file in store.files(uri).values()}
        except ArtifactNotFound:
            continue  # removed by hand
    return found
