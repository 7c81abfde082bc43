"""Dataset versions: their membership and the changes between them, as set-based statements."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import DatasetRow, DatasetVersionRow, VersionChangeRow, VersionExampleRow

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def example_ids() -> Iterator[str]:
    """Fresh example ids in ascending order: a random series (60 bits) and a counter.

    Ascending keys fill the index from one side, which a bulk load notices; making them costs a tenth of
    drawing each at random.
    """
    series = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    number = 0
    while True:
        yield f"ex_{series}{number:010d}"
        number += 1


def new_version_id() -> str:
    return new_id("dsv")


def alive(session: Session, version_id: str) -> DatasetVersionRow | None:
    """The version, unless its dataset was deleted."""
    return session.scalar(
        select(DatasetVersionRow)
        .join(DatasetRow, DatasetRow.id == DatasetVersionRow.dataset_id)
        .where(DatasetVersionRow.id == version_id, DatasetRow.deleted_at.is_(None))
    )


def last_position(session: Session, version_id: str) -> int:
    """-1 for a version without rows."""
    statement = select(func.max(VersionExampleRow.position)).where(VersionExampleRow.version_id == version_id)
    last = session.scalar(statement)
    return -1 if last is None else last


def position_of(session: Session, version_id: str, example_id: str) -> int | None:
    return session.scalar(
        select(func.min(VersionExampleRow.position)).where(
            VersionExampleRow.version_id == version_id, VersionExampleRow.example_id == example_id
        )
    )


# `replaced` maps an example of the parent to the one that stands in its place now, or to null where none does.
_INHERIT = text(
    """
    INSERT INTO dataset_version_examples (version_id, position, example_id)
    SELECT :version_id, member.position, COALESCE(replaced.now, member.example_id)
    FROM dataset_version_examples AS member
    LEFT JOIN jsonb_to_recordset(CAST(:replaced AS jsonb)) AS replaced(was text, now text)
      ON replaced.was = member.example_id
    WHERE member.version_id = :parent_id AND (replaced.was IS NULL OR replaced.now IS NOT NULL)
    """
)


def inherit_members(
    session: Session, *, version_id: str, parent_id: str, replaced: Iterable[tuple[str, str | None]]
) -> None:
    """The parent's rows in their places, some replaced and some left out."""
    pairs = [{"was": was, "now": now} for was, now in replaced]
    session.execute(
        _INHERIT, {"version_id": version_id, "parent_id": parent_id, "replaced": json.dumps(pairs)}
    )


def chain(
    session: Session, version: DatasetVersionRow, *, up_to: str | None = None
) -> list[DatasetVersionRow]:
    """``version``, its parent, its parent's parent ... down to ``up_to`` or the first; newest first."""
    line = [version]
    while line[-1].id != up_to and line[-1].parent_id is not None:
        parent = session.get(DatasetVersionRow, line[-1].parent_id)
        if parent is None:
            break
        line.append(parent)
    return line


def changes_of(session: Session, version_id: str) -> Sequence[VersionChangeRow]:
    statement = (
        select(VersionChangeRow)
        .where(VersionChangeRow.version_id == version_id)
        .order_by(VersionChangeRow.ordinal)
    )
    return session.scalars(statement).all()


# Rows of one version whose content is nowhere in the other; `rank` puts removed rows before added ones.
UNRELATED_CHANGES = text(
    """
    SELECT kind, rank, position, example_id FROM (
      SELECT 'removed' AS kind, 0 AS rank, member.position, member.example_id, example.record_hash,
             :version_id AS other
      FROM dataset_version_examples AS member JOIN examples AS example ON example.id = member.example_id
      WHERE member.version_id = :against_id
      UNION ALL
      SELECT 'added', 1, member.position, member.example_id, example.record_hash, :against_id
      FROM dataset_version_examples AS member JOIN examples AS example ON example.id = member.example_id
      WHERE member.version_id = :version_id
    ) AS side
    WHERE NOT EXISTS (
      SELECT FROM dataset_version_examples AS member JOIN examples AS example ON example.id = member.example_id
      WHERE member.version_id = side.other AND example.record_hash = side.record_hash
    )
    ORDER BY rank, position
    """
)
