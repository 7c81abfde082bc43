"""Adapters that training jobs made: what each was made from and came to, and its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactNotFound, ArtifactStore, InvalidArtifactUri
from app.db.base import WorkStatus
from app.db.models import AdapterRow, DatasetRow, DatasetVersionRow, TrainingJobRow, VerificationRow
from app.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterHistory:
    """An adapter with what stands on record about it. ``dataset`` and ``verified`` are None where the dataset was
    deleted, or nothing has verified it; ``verified`` is the result of its newest verification."""

    id: str
    base_model: str
    card: Mapping[str, Any]
    gate: str | None
    dataset: str | None
    verified: Mapping[str, Any] | None


def get_adapter(session: Session, project_id: str, adapter_id: str) -> AdapterRow:
    row = session.get(AdapterRow, adapter_id)
    if row is None or row.project_id != project_id or row.deleted_at is not None:
        raise NotFound(f"no adapter {adapter_id} in this project")
    return row


def checkpoints(session: Session, job: TrainingJobRow, *, deleted: bool = False) -> Sequence[AdapterRow]:
    """What is kept of the training's way, the newest first; not what came out of it. ``deleted``: also what was
    kept once."""
    statement = (
        select(AdapterRow)
        .where(AdapterRow.training_job_id == job.id, AdapterRow.checkpoint_step.is_not(None))
        .order_by(AdapterRow.checkpoint_step.desc())
    )
    return session.scalars(statement if deleted else statement.where(AdapterRow.deleted_at.is_(None))).all()


def history(session: Session, adapter: AdapterRow) -> AdapterHistory:
    dataset = session.scalar(
        select(DatasetRow.name)
        .join(DatasetVersionRow, DatasetVersionRow.dataset_id == DatasetRow.id)
        .where(DatasetVersionRow.id == adapter.card.get("dataset_version_id"))
    )
    verified = session.scalar(
        select(VerificationRow.result)
        .where(VerificationRow.adapter_id == adapter.id, VerificationRow.status == WorkStatus.SUCCEEDED)
        .order_by(VerificationRow.created_at.desc(), VerificationRow.id.desc())
        .limit(1)
    )
    return AdapterHistory(
        id=adapter.id,
        base_model=adapter.base_model,
        card=adapter.card,
        gate=adapter.gate,
        dataset=dataset,
        verified=verified,
    )


def files(store: ArtifactStore, adapter: AdapterRow) -> dict[str, Callable[[], BinaryIO]]:
    """Each file of the adapter's PEFT folder by its name, to be opened when it is wanted."""
    return stored_files(store, adapter.uri, f"adapter {adapter.id}")


def stored_files(store: ArtifactStore, uri: str, owner: str) -> dict[str, Callable[[], BinaryIO]]:
    """NotFound where a retention has removed the folder."""
    try:
        stored = store.files(uri)
    except (ArtifactNotFound, InvalidArtifactUri):
        raise NotFound(f"the files of {owner} are no longer kept") from None
    return {name: partial(store.open, file.uri) for name, file in stored.items()}
