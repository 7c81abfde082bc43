"""Dataset versions: reading them, exporting them, and making a child with a reason for every change."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetRow, DatasetVersionRow
from app.db.repositories import bulk
from app.db.repositories import examples as example_rows
from app.db.repositories import versions as version_rows
from app.db.repositories.example_encoding import encode
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project, page_of, unknown_after
from app.domain.records import TrainingExample
from app.errors import NotFound, StageError
from app.services.statistics import RunningStatistics


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between a version and its parent.

    ``kind`` is ``added``, ``removed`` or ``changed``. ``example`` is the new content (added, changed); it
    gets a fresh id where its own is taken, as that of a copied row is. ``previous_example_id`` is the row of
    the parent (removed, changed).
    """

    kind: str
    reason: str
    example: TrainingExample | None = None
    previous_example_id: str | None = None
    action_id: str | None = None

    def __post_init__(self) -> None:
        kind = ChangeKind(self.kind)
        if (self.example is None) != (kind is ChangeKind.REMOVED):
            raise ValueError(f"{kind.value}: 'example' is the new content; only a removal has none")
        if (self.previous_example_id is None) != (kind is ChangeKind.ADDED):
            raise ValueError(
                f"{kind.value}: 'previous_example_id' names the parent's row; only an addition has none"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedExample:
    """An example where it stands in a version, as it is shown. ``position`` grows; gaps are dropped rows."""

    id: str
    position: int
    messages: list[Any]
    rejected: list[Any] | None
    tools: Any
    source_id: str | None
    metadata: dict[str, Any]
    content_hash: str


class ContentHash:
    """SHA-256 over the record hashes of a version's rows, a newline after each, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, record_hash: str) -> None:
        self._hash.update(record_hash.encode() + b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


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
        source_id=example.source_id,
        metadata=dict(example.metadata),
        content_hash=example.content_hash,
    )


def load_by_ids(session: Session, version_id: str, example_ids: Sequence[str]) -> list[TrainingExample]:
    """Those of ``example_ids`` that are in the version, in the order given."""
    found = example_rows.of_version(session, version_id, example_ids)
    return [found[i] for i in dict.fromkeys(example_ids) if i in found]


def create_child(
    session: Session,
    parent: DatasetVersionRow,
    *,
    changes: Sequence[Change],
    recipe: dict[str, Any],
    dataset_id: str | None = None,
) -> DatasetVersionRow:
    """A new version: the parent's rows without the removed ones, changed rows in their places, added ones last.

    Every change is written down with its reason. ``dataset_id`` defaults to the parent's.
    """
    dataset_id = dataset_id or parent.dataset_id
    new = _with_free_ids(session, changes)
    replaced = {
        change.previous_example_id: example
        for change, example in zip(changes, new, strict=True)
        if change.previous_example_id is not None
    }
    if len(replaced) != sum(change.previous_example_id is not None for change in changes):
        raise ValueError("two changes name the same previous_example_id; merge them into one")
    encoded = {example.id: encode(example) for example in new if example is not None}
    added = [e for c, e in zip(changes, new, strict=True) if e is not None and c.previous_example_id is None]

    content_hash, statistics, unseen = ContentHash(), RunningStatistics(), set(replaced)
    for row in example_rows.iter_placed(session, parent.id):
        kept, record_hash = row.example, row.record_hash
        if kept.id in replaced:
            unseen.discard(kept.id)
            now = replaced[kept.id]
            if now is None:
                continue
            kept, record_hash = now, encoded[now.id].record_hash
        content_hash.add(record_hash)
        statistics.add(kept)
    if unseen:
        raise ValueError(f"{len(unseen)} changed rows are not in {parent.id}, {min(unseen)} among them")
    for example in added:
        content_hash.add(encoded[example.id].record_hash)
        statistics.add(example)

    figures = statistics.as_dict(formats=parent.statistics.get("formats"))
    figures["changes"] = dict(Counter(ChangeKind(change.kind).value for change in changes))
    version = DatasetVersionRow(
        id=version_rows.new_version_id(),
        project_id=parent.project_id,
        dataset_id=dataset_id,
        parent_id=parent.id,
        rows=figures["rows"],
        content_hash=content_hash.hexdigest(),
        recipe=recipe,
        statistics=figures,
    )
    session.add(version)
    session.flush()
    bulk.copy_examples(session, dataset_id, ((e, encoded[e.id]) for e in new if e is not None))
    version_rows.inherit_members(
        session,
        version_id=version.id,
        parent_id=parent.id,
        replaced=[(was, None if now is None else now.id) for was, now in replaced.items()],
    )
    start = version_rows.last_position(session, parent.id) + 1
    bulk.copy_members(session, version.id, [e.id for e in added], start=start)
    bulk.copy_changes(
        session,
        (
            (
                version.id,
                ordinal,
                ChangeKind(change.kind).value,
                None if example is None else example.id,
                change.previous_example_id,
                change.reason,
                change.action_id,
            )
            for ordinal, (change, example) in enumerate(zip(changes, new, strict=True))
        ),
    )
    return version


def _with_free_ids(session: Session, changes: Sequence[Change]) -> list[TrainingExample | None]:
    """The new content of each change, under its own id or a fresh one where that is taken."""
    own = [change.example.id for change in changes if change.example is not None]
    taken = example_rows.existing_ids(session, own) | {i for i, n in Counter(own).items() if n > 1 or not i}
    fresh = version_rows.example_ids()
    return [
        replace(change.example, id=next(fresh))
        if change.example is not None and change.example.id in taken
        else change.example
        for change in changes
    ]
