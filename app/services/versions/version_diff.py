"""What lies between two dataset versions, each change with its reason.

Along a line of parents and children the written changes are followed, so a row that was relabelled twice
shows up once, with both reasons. Between strangers (the same file uploaded twice) rows are compared by
content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow, VersionChangeRow
from app.db.repositories import examples as example_rows
from app.db.repositories import versions as version_rows
from app.db.repositories.pages import PageRequest, unknown_after
from app.domain.records import TrainingExample
from app.errors import InvalidInput
from app.services.versions import versions
from app.services.versions.versions import ChangeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that differs. ``previous_example_id`` is the row of the older side, where it has one."""

    kind: ChangeKind
    reason: str
    action_id: str | None = None
    example_id: str | None = None
    previous_example_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A change with the contents on both sides."""

    kind: str
    reason: str
    action_id: str | None
    example_id: str | None
    previous_example_id: str | None
    before: dict[str, object] | None
    after: dict[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """One page of changes; ``counts`` is over all pages."""

    dataset_version_id: str
    against: str
    added: list[ShownChange]
    removed: list[ShownChange]
    changed: list[ShownChange]
    counts: dict[str, int]
    has_more: bool
    next_after: str | None


def diff(session: Session, project_id: str, version_id: str, against: str | None, page: PageRequest) -> Diff:
    """From ``against`` (the parent when None) to the version."""
    version = versions.require(session, project_id, version_id)
    if against is None and version.parent_id is None:
        detail = f"{version_id} has no parent; name the version to compare with: ?against="
        raise InvalidInput(detail, errors=[{"pointer": "/against", "message": detail}])
    other = versions.require(session, project_id, against or version.parent_id or "")
    start = _ordinal(page.after)
    if other.id == version.parent_id:
        counts, changes = _from_parent(session, version, start, page.limit + 1)
    else:
        every = _between(session, version, other)
        counts = Counter(change.kind.value for change in every)
        changes = every[start : start + page.limit + 1]
    if page.after is not None and start > sum(counts.values()):
        raise unknown_after(page.after)
    shown = _with_contents(session, changes[: page.limit])
    has_more = len(changes) > page.limit
    return Diff(
        dataset_version_id=version.id,
        against=other.id,
        added=[c for c in shown if c.kind == ChangeKind.ADDED],
        removed=[c for c in shown if c.kind == ChangeKind.REMOVED],
        changed=[c for c in shown if c.kind == ChangeKind.CHANGED],
        counts={kind.value: counts.get(kind.value, 0) for kind in ChangeKind},
        has_more=has_more,
        next_after=str(start + page.limit) if has_more else None,
    )


def _ordinal(after: str | None) -> int:
    """Changes have no ids: 'after' counts the ones already seen."""
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= 12):
        raise unknown_after(after)
    return int(after)


def _from_parent(
    session: Session, version: DatasetVersionRow, start: int, limit: int
) -> tuple[dict[str, int], list[RowChange]]:
    counted = session.execute(
        select(VersionChangeRow.kind, func.count())
        .where(VersionChangeRow.version_id == version.id)
        .group_by(VersionChangeRow.kind)
    )
    rows = session.scalars(
        select(VersionChangeRow)
        .where(VersionChangeRow.version_id == version.id, VersionChangeRow.ordinal >= start)
        .order_by(VersionChangeRow.ordinal)
        .limit(limit)
    )
    return {row.kind: row[1] for row in counted}, [_recorded(row) for row in rows]


def _recorded(row: VersionChangeRow) -> RowChange:
    return RowChange(
        kind=ChangeKind(row.kind),
        reason=row.reason,
        action_id=row.action_id,
        example_id=row.example_id,
        previous_example_id=row.previous_example_id,
    )


def _between(session: Session, version: DatasetVersionRow, other: DatasetVersionRow) -> list[RowChange]:
    if version.id == other.id:
        return []
    upwards = version_rows.chain(session, version, up_to=other.id)
    if upwards[-1].id == other.id:
        return composed(_changes_along(session, upwards))
    downwards = version_rows.chain(session, other, up_to=version.id)
    if downwards[-1].id == version.id:
        return [_inverted(change) for change in composed(_changes_along(session, downwards))]
    return _by_content(session, version, other)


def _changes_along(session: Session, chain: Sequence[DatasetVersionRow]) -> Iterable[RowChange]:
    """Every written change from the oldest of the chain (which has none of its own here) to the newest."""
    for version in reversed(chain[:-1]):
        for row in version_rows.changes_of(session, version.id):
            yield _recorded(row)


def composed(changes: Iterable[RowChange]) -> list[RowChange]:
    """Changes in order as one step: what was added and removed again, or changed and changed back, is gone;
    reasons are joined."""
    # By the id of the row as it stands after the changes so far.
    standing: dict[str, RowChange] = {}
    # By the id of the row as it stood before.
    removed: dict[str, RowChange] = {}
    for change in changes:
        earlier = standing.pop(change.previous_example_id or "", None)
        if earlier is not None:
            reason = (
                earlier.reason if earlier.reason == change.reason else f"{earlier.reason}; {change.reason}"
            )
            merged = replace(change, reason=reason, previous_example_id=earlier.previous_example_id)
            if earlier.kind is ChangeKind.ADDED:
                if change.kind is ChangeKind.REMOVED:
                    continue
                merged = replace(merged, kind=ChangeKind.ADDED)
        else:
            merged = change
        if merged.example_id is None:
            removed[merged.previous_example_id or ""] = merged
        elif merged.kind is ChangeKind.ADDED and removed.pop(merged.example_id, None) is not None:
            continue  # it came back as it was
        elif merged.example_id != merged.previous_example_id:
            standing[merged.example_id] = merged
    return [*removed.values(), *standing.values()]


_OPPOSITE = {
    ChangeKind.ADDED: ChangeKind.REMOVED,
    ChangeKind.REMOVED: ChangeKind.ADDED,
    ChangeKind.CHANGED: ChangeKind.CHANGED,
}


def _inverted(change: RowChange) -> RowChange:
    return replace(
        change,
        kind=_OPPOSITE[change.kind],
        example_id=change.previous_example_id,
        previous_example_id=change.example_id,
    )


def _by_content(session: Session, version: DatasetVersionRow, other: DatasetVersionRow) -> list[RowChange]:
    rows = session.execute(version_rows.UNRELATED_CHANGES, {"version_id": version.id, "against_id": other.id})
    return [
        RowChange(
            kind=ChangeKind(row.kind),
            reason=f"not in {version.id if row.kind == ChangeKind.REMOVED else other.id}",
            example_id=row.example_id if row.kind == ChangeKind.ADDED else None,
            previous_example_id=row.example_id if row.kind == ChangeKind.REMOVED else None,
        )
        for row in rows
    ]


def shown_planned(session: Session, changes: Sequence[versions.Change]) -> list[ShownChange]:
    """Changes that are not written yet, with the contents on both sides."""
    previous = [c.previous_example_id for c in changes if c.previous_example_id is not None]
    contents = example_rows.by_ids(session, previous)
    return [
        ShownChange(
            kind=change.kind,
            reason=change.reason,
            action_id=change.action_id,
            example_id=None,
            previous_example_id=change.previous_example_id,
            before=_shown(contents.get(change.previous_example_id or "")),
            after=_shown(change.example),
        )
        for change in changes
    ]


def _with_contents(session: Session, changes: Sequence[RowChange]) -> list[ShownChange]:
    ids = [i for change in changes for i in (change.example_id, change.previous_example_id) if i]
    contents = example_rows.by_ids(session, ids)
    return [
        ShownChange(
            kind=change.kind.value,
            reason=change.reason,
            action_id=change.action_id,
            example_id=change.example_id,
            previous_example_id=change.previous_example_id,
            before=_shown(contents.get(change.previous_example_id or "")),
            after=_shown(contents.get(change.example_id or "")),
        )
        for change in changes
    ]


def _shown(example: TrainingExample | None) -> dict[str, object] | None:
    if example is None:
        return None
    return {**example.content(), "source_id": example.source_id, "metadata": dict(example.metadata)}
