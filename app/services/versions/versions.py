"""Dataset versions: reading them. Making a child of one is in children."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetRow, DatasetVersionRow
from app.db.repositories import examples as example_rows
from app.db.repositories import versions as version_rows
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project, page_of, unknown_after
from app.domain.records import TrainingExample
from app.errors import NotFound, StageError
from app.services.versions.children import Change, ChangeKind, ContentHash, create_child

__all__ = [
    "Change",
    "ChangeKind",
    "ContentHash",
    "PlacedExample",
    "create_child",
    "examples_page",
    "iter_examples",
    "list_page",
    "load_by_ids",
    "load_examples",
    "require",
    "require_alive",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedExample:
    """An example where it stands in a version, as it is shown. ``position`` grows; gaps are dropped rows."""

    id: str
    position: int
    messages: list[Any]
    rejected: list[Any] | None
    tools: Any
    desirable: bool | None
    source_id: str | None
    metadata: dict[str, Any]
    content_hash: str


def require(session: Session, project_id: str, version_id: str) -> DatasetVersionRow:
    """The version, or NotFound: of another project, of a deleted dataset, or not there at all."""
    version = version_rows.alive(session, version_id)
    if version is None or version.project_id != project_id:
        raise NotFound(f"no dataset version {version_id} in this project")
    return version


def list_page(
    session: Session, project_id: str, page: PageRequest, *, dataset_id: str | None = None
) -> Page[DatasetVersionRow]:
    statement = of_project(DatasetVersionRow, project_id)
    alive = select(DatasetRow.id).where(DatasetRow.project_id == project_id, DatasetRow.deleted_at.is_(None))
    statement = statement.where(DatasetVersionRow.dataset_id.in_(alive))
    if dataset_id is not None:
        statement = statement.where(DatasetVersionRow.dataset_id == dataset_id)
    return by_creation(session, statement, DatasetVersionRow, page)


def require_alive(session: Session, version_id: str) -> DatasetVersionRow:
    """The version that a stage works on; StageError when its dataset was deleted meanwhile."""
    version = version_rows.alive(session, version_id)
    if version is None:
        raise StageError(
            f"the dataset of version {version_id} was deleted; nothing was written",
            type="dataset-deleted",
            title="The dataset was deleted",
        )
    return version


def iter_examples(session: Session, version_id: str, batch: int = 2000) -> Iterator[TrainingExample]:
    """Every example in order; ``batch`` of them in memory at a time."""
    for row in example_rows.iter_placed(session, version_id, batch=batch):
        yield row.example


def load_examples(session: Session, version_id: str) -> list[TrainingExample]:
    return list(iter_examples(session, version_id, batch=5000))


def examples_page(
    session: Session, project_id: str, version_id: str, page: PageRequest
) -> Page[PlacedExample]:
    """A page of the version's rows in their order."""
    require(session, project_id, version_id)
    start = -1
    if page.after is not None:
        position = version_rows.position_of(session, version_id, page.after)
        if position is None:
            raise unknown_after(page.after)
        start = position
    placed = example_rows.batch_after(session, version_id, start, page.limit + 1)
    return page_of([_shown(row.position, row.example) for row in placed], page.limit)


def _shown(position: int, example: TrainingExample) -> PlacedExample:
    content = example.content()
    return PlacedExample(
        id=example.id,
        position=position,
        messages=content["messages"],
        rejected=content.get("rejected"),
        tools=example.tools,
        desirable=example.desirable,
        source_id=example.source_id,
        metadata=dict(example.metadata),
        content_hash=example.content_hash,
    )


def load_by_ids(session: Session, version_id: str, example_ids: Sequence[str]) -> list[TrainingExample]:
    """Those of ``example_ids`` that are in the version, in the order given."""
    found = example_rows.of_version(session, version_id, example_ids)
    return [found[i] for i in dict.fromkeys(example_ids) if i in found]
