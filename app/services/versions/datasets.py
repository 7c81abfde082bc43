"""Datasets: the named line of versions."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.db.models import DatasetRow
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.errors import NotFound


def create(session: Session, project_id: str, *, name: str, description: str | None = None) -> DatasetRow:
    dataset = DatasetRow(project_id=project_id, name=name, description=description)
    session.add(dataset)
    session.flush()
    return dataset


def get(session: Session, project_id: str, dataset_id: str) -> DatasetRow:
    dataset = session.get(DatasetRow, dataset_id)
    if dataset is None or dataset.project_id != project_id or dataset.deleted_at is not None:
        raise NotFound(f"no dataset {dataset_id} in this project")
    return dataset


def list_page(
    session: Session, project_id: str, page: PageRequest, *, name: str | None = None
) -> Page[DatasetRow]:
    statement = of_project(DatasetRow, project_id).where(DatasetRow.deleted_at.is_(None))
    if name is not None:
        statement = statement.where(DatasetRow.name == name)
    return by_creation(session, statement, DatasetRow, page)


def delete(session: Session, project_id: str, dataset_id: str) -> None:
    """The dataset and its versions are gone for every reader; work that runs on them fails with that reason."""
    get(session, project_id, dataset_id).deleted_at = datetime.now(UTC)
    session.flush()
