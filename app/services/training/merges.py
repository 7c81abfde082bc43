"""Merged models: an adapter's weights added into its base model's, for servers that take whole models alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import MergeRow
from app.domain.job_status import Status
from app.errors import Conflict, NotFound
from app.queue import Stage
from app.services.training import adapters
from app.services.work import work

_USELESS = (Status.FAILED.value, Status.CANCELLED.value)


def create(session: Session, project_id: str, adapter_id: str) -> MergeRow:
    """Queue the merge of an adapter. It comes out the same each time, so one under way, or done, is given back."""
    adapter = adapters.get_adapter(session, project_id, adapter_id)
    found = session.scalar(
        select(MergeRow)
        .where(
            MergeRow.adapter_id == adapter.id,
            MergeRow.deleted_at.is_(None),
            MergeRow.cancel_requested.is_(False),
            MergeRow.status.not_in(_USELESS),
        )
        .limit(1)
    )
    if found is not None:
        return found
    row = MergeRow(project_id=project_id, adapter_id=adapter.id)
    work.enqueue(session, Stage.MERGE, row)
    return row


def get(session: Session, project_id: str, merge_id: str) -> MergeRow:
    row = session.get(MergeRow, merge_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no merge {merge_id} in this project")
    return row


def files(store: ArtifactStore, merge: MergeRow) -> dict[str, Callable[[], BinaryIO]]:
    """Each file of the merged model's folder by its name, to be opened when it is wanted. Conflict before the merge
    has succeeded, NotFound where its files are no longer kept."""
    if merge.uri is None:
        raise Conflict(f"merge {merge.id} is {merge.status}; there is nothing to fetch")
    return adapters.stored_files(store, merge.uri, f"merge {merge.id}")
