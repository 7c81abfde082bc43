"""Augmentations: a dataset version grown where the diagnosis found gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import AugmentationRow
from app.domain.augmentation.plan import AugmentationOptions, AugmentedRow
from app.errors import NotFound
from app.queue import Stage
from app.services.diagnoses import diagnoses
from app.services.versions import versions
from app.services.work import work


def create(
    session: Session,
    project_id: str,
    *,
    diagnosis_id: str,
    dataset_version_id: str | None = None,
    options: AugmentationOptions | None = None,
    cycle_id: str | None = None,
) -> AugmentationRow:
    """Queue an augmentation of ``dataset_version_id`` (the diagnosed version when left out)."""
    diagnosis = diagnoses.get_succeeded(session, project_id, diagnosis_id)
    version = versions.require(session, project_id, dataset_version_id or diagnosis.dataset_version_id)
    options = options or AugmentationOptions()
    for version_id in (options.pool_dataset_version_id, options.excluded_dataset_version_id):
        if version_id is not None:
            versions.require(session, project_id, version_id)
    row = AugmentationRow(
        project_id=project_id,
        diagnosis_id=diagnosis.id,
        dataset_version_id=version.id,
        cycle_id=cycle_id,
        options=options.given(),
    )
    work.enqueue(session, Stage.AUGMENT, row)
    return row


def get(session: Session, project_id: str, augmentation_id: str) -> AugmentationRow:
    row = session.get(AugmentationRow, augmentation_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no augmentation {augmentation_id} in this project")
    return row


def save(
    session: Session, row: AugmentationRow, *, rows: Sequence[AugmentedRow], summary: Mapping[str, Any]
) -> None:
    """Add the new rows in a child version; without any, the result is the version itself."""
    parent = versions.require_alive(session, row.dataset_version_id)
    version = parent
    if rows:
        changes = [
            versions.Change(
                kind="added",
                example=added.example,
                previous_example_id=None,
                reason=added.reason,
                action_id=None,
            )
            for added in rows
        ]
        recipe = {"kind": "augmentation", "augmentation_id": row.id}
        version = versions.create_child(session, parent, changes=changes, recipe=recipe)
    row.result_version_id = version.id
    row.summary = dict(summary)
    session.flush()


def new_example_id() -> str:
    return new_id("ex")
