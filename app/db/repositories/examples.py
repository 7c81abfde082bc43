"""Training examples: rows to records and back, and reading a version's rows in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BindParameter, Row, Text, bindparam, func, select
from sqlalchemy.orm import Session

from app.db.models import ExampleRow, VersionExampleRow
from app.domain.records import Message, Role, TrainingExample

_COLUMNS = (
    ExampleRow.id,
    ExampleRow.messages,
    ExampleRow.rejected,
    ExampleRow.tools,
    ExampleRow.desirable,
    ExampleRow.instruction_length,
    ExampleRow.source_id,
    ExampleRow.extra.label("extra"),
)


def message(value: Mapping[str, Any]) -> Message:
    role, content = Role(value["role"]), value["content"]
    if len(value) == 2:
        return Message(role=role, content=content)
    extra = {k: v for k, v in value.items() if k not in ("role", "content")}
    return Message(role=role, content=content, extra=extra)


def messages(values: Sequence[Mapping[str, Any]] | None) -> tuple[Message, ...]:
    return tuple(message(value) for value in values or ())


def to_record(row: Row[*tuple[Any, ...]] | ExampleRow) -> TrainingExample:
    return TrainingExample(
        id=row.id,
        messages=messages(row.messages),
        rejected=messages(row.rejected),
        tools=row.tools[0] if row.tools else None,
        desirable=row.desirable,
        instruction_length=row.instruction_length,
        source_id=row.source_id,
        metadata=row.extra,
    )


class Placed(NamedTuple):
    """An example where it stands in a version."""

    position: int
    example: TrainingExample
    record_hash: str


def batch_after(session: Session, version_id: str, position: int, limit: int) -> list[Placed]:
    """The next ``limit`` rows of a version after ``position`` (-1: from the start)."""
    rows = session.execute(
        select(VersionExampleRow.position, ExampleRow.record_hash, *_COLUMNS)
        .join(ExampleRow, ExampleRow.id == VersionExampleRow.example_id)
        .where(VersionExampleRow.version_id == version_id, VersionExampleRow.position > position)
        .order_by(VersionExampleRow.position)
        .limit(limit)
    )
    return [Placed(row.position, to_record(row), row.record_hash) for row in rows]


def iter_placed(session: Session, version_id: str, *, batch: int = 2000) -> Iterator[Placed]:
    """Every row of a version in order, ``batch`` rows in memory at a time.

    Read by position instead of through one long cursor: a version never changes, so the batches fit
    together whatever happens between them.
    """
    position = -1
    while True:
        placed = batch_after(session, version_id, position, batch)
        yield from placed
        if len(placed) < batch:
            return
        position = placed[-1].position


def iter_hashes(session: Session, version_id: str) -> Iterator[Placed]:
    """Every row of a version in order by id and record hash alone; the examples are empty."""
    rows = session.execute(
        select(VersionExampleRow.position, VersionExampleRow.example_id, ExampleRow.record_hash)
        .join(ExampleRow, ExampleRow.id == VersionExampleRow.example_id)
        .where(VersionExampleRow.version_id == version_id)
        .order_by(VersionExampleRow.position)
    )
    for position, example_id, record_hash in rows:
        yield Placed(position, TrainingExample(id=example_id, messages=()), record_hash)


def by_ids(session: Session, example_ids: Collection[str]) -> dict[str, TrainingExample]:
    """Those of ``example_ids`` that exist, by id."""
    rows = session.execute(select(*_COLUMNS).where(ExampleRow.id == func.any(_array(example_ids)))).all()
    return {row.id: to_record(row) for row in rows}


def existing_ids(session: Session, example_ids: Collection[str]) -> set[str]:
    return set(session.scalars(select(ExampleRow.id).where(ExampleRow.id == func.any(_array(example_ids)))))


def of_version(session: Session, version_id: str, example_ids: Collection[str]) -> dict[str, TrainingExample]:
    """Those of ``example_ids`` that are in the version, by id."""
    members = select(VersionExampleRow.example_id).where(
        VersionExampleRow.version_id == version_id,
        VersionExampleRow.example_id == func.any(_array(example_ids)),
    )
    rows = session.execute(select(*_COLUMNS).where(ExampleRow.id.in_(members))).all()
    return {row.id: to_record(row) for row in rows}


def _array(values: Collection[str]) -> BindParameter[Any]:
    # One parameter: an IN list of 100,000 would be 100,000 of them, and PostgreSQL takes 65,535.
    return bindparam(None, list(set(values)), type_=ARRAY(Text))
