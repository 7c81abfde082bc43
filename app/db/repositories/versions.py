"""Dataset versions: their membership and the changes between them, as set-based statements."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, func, select, text
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


# Over the whole line: the place of a row that was dropped is kept for it, should it come back.
_LAST_POSITION = text(
    """
    WITH RECURSIVE line AS (
      SELECT id, parent_id FROM dataset_versions WHERE id = :version_id
      UNION
      SELECT parent.id, parent.parent_id
      FROM dataset_versions AS parent JOIN line ON parent.id = line.parent_id
    )
    SELECT max(place.last) FROM line, LATERAL (
      SELECT max(position) AS last FROM dataset_version_examples WHERE version_id = line.id
    ) AS place
    """
)


def last_position(session: Session, version_id: str) -> int:
    """The highest place ever given in the version's line; -1 for one without rows."""
    last = session.scalar(_LAST_POSITION, {"version_id": version_id})
    return -1 if last is None else last


def positions_of(session: Session, version_id: str, example_ids: Collection[str]) -> dict[str, int]:
    """Where those of ``example_ids`` that are in the version stand."""
    rows = session.execute(
        select(VersionExampleRow.example_id, VersionExampleRow.position).where(
            VersionExampleRow.version_id == version_id,
            VersionExampleRow.example_id == func.any(bindparam(None, list(example_ids), type_=ARRAY(Text))),
        )
    )
    return {row.example_id: row.position for row in rows}


def at_places(session: Session, version_id: str, positions: Collection[int]) -> dict[int, str]:
    """Which example stands at those of ``positions`` that are taken."""
    wanted = bindparam(None, list(positions), type_=ARRAY(BigInteger))
    rows = session.execute(
        select(VersionExampleRow.position, VersionExampleRow.example_id).where(
            VersionExampleRow.version_id == version_id, VersionExampleRow.position == func.any(wanted)
        )
    )
    return {row.position: row.example_id for row in rows}


def newest_descendant(session: Session, version: DatasetVersionRow) -> DatasetVersionRow:
    """The youngest version of the same dataset that comes from ``version``; itself where none does."""
    found = session.scalar(_NEWEST_DESCENDANT, {"version_id": version.id, "dataset_id": version.dataset_id})
    return version if found is None else session.get_one(DatasetVersionRow, found)


_NEWEST_DESCENDANT = text(
    """
    WITH RECURSIVE line AS (
      SELECT id, created_at FROM dataset_versions WHERE id = :version_id
      UNION
      SELECT child.id, child.created_at
      FROM dataset_versions AS child JOIN line ON child.parent_id = line.id
      WHERE child.dataset_id = :dataset_id
    )
    SELECT id FROM line ORDER BY created_at DESC, id DESC LIMIT 1
    """
)


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
