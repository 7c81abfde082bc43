"""What became of a version's rows on the way to a later one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow, RepairActionRow, VersionChangeRow
from app.db.repositories import versions as version_rows
from app.domain.repair.plan import ActionKind

# a tidied row says the same as before: it is no target of the repair
COSMETIC = (ActionKind.NORMALISE, ActionKind.MERGE)
# neither is a copy that only evens out how often a task or a language is seen
EVENING_OUT = "balance"


def became(session: Session, version_id: str, ids: Iterable[str], *, ancestor_id: str) -> frozenset[str]:
    """The ids that these rows of ``ancestor_id`` have in ``version_id``; rows that were dropped on the way have
    none."""
    version = session.get_one(DatasetVersionRow, version_id)
    standing = set(ids)
    for step in reversed(version_rows.chain(session, version, up_to=ancestor_id)):
        if step.id == ancestor_id or not standing:
            continue
        moved = session.execute(
            select(VersionChangeRow.example_id, VersionChangeRow.previous_example_id).where(
                VersionChangeRow.version_id == step.id, VersionChangeRow.previous_example_id.is_not(None)
            )
        )
        for example_id, previous_id in moved:
            if previous_id in standing:
                standing.discard(previous_id)
                standing.update([] if example_id is None or example_id == previous_id else [example_id])
    return frozenset(standing)


def taught_since(session: Session, version_id: str, *, ancestor_id: str) -> frozenset[str]:
    """Ids of the rows that ``version_id`` teaches anew since ``ancestor_id``: added, relabelled, redacted.

    A row that was changed or dropped and came back teaches what it taught before.
    """
    version = session.get_one(DatasetVersionRow, version_id)
    taught: set[str] = set()
    left: dict[str, bool] = {}  # rows that stood here once, and whether they taught anew
    for step in reversed(version_rows.chain(session, version, up_to=ancestor_id)):
        if step.id == ancestor_id:
            continue
        rows = session.execute(
            select(
                VersionChangeRow.example_id,
                VersionChangeRow.previous_example_id,
                RepairActionRow.kind,
                RepairActionRow.evidence["rule"].astext,
            )
            .join(RepairActionRow, RepairActionRow.id == VersionChangeRow.action_id, isouter=True)
            .where(VersionChangeRow.version_id == step.id)
        )
        for example_id, previous_id, kind, rule in rows:
            was_taught = previous_id in taught
            taught.discard(previous_id)
            cosmetic = kind in COSMETIC or rule == EVENING_OUT
            if previous_id is not None:
                left[previous_id] = was_taught
            if example_id is not None and left.get(example_id, not cosmetic or was_taught):
                taught.add(example_id)
    return frozenset(taught)
