"""Taking a repair back, whole or action by action: a further version in which the change is undone.

What stood before is found in the version that was repaired, what stands now by following the written
changes. A row that a later version changed is not touched: the revert is refused and names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow
from app.db.repositories import examples as example_rows
from app.db.repositories import versions as version_rows
from app.domain.records import TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.policy.decision import Decision
from app.errors import Conflict, InvalidInput, NotFound
from app.services import events
from app.services.repairs import plans, selection
from app.services.repairs.applying import action_of
from app.services.repairs.selection import ActionFilter
from app.services.versions import versions
from app.services.versions.versions import Change, ChangeKind

_ROWS_NAMED = 100
_IDS_IN_RECIPE = 100


def revert(
    session: Session,
    project_id: str,
    repair_id: str,
    *,
    action_ids: Sequence[str] | None = None,
    version_id: str | None = None,
    now: datetime,
    if_revision: int | None = None,
) -> DatasetVersionRow:
    """The version in which the actions (None = all of the repair) are undone; a second call returns it again.

    ``version_id``: where to undo them, the repaired version or one that comes from it; by default the
    newest one.
    """
    repair = plans.lock(session, project_id, repair_id)
    chosen, what = _read(session, project_id, repair, action_ids, version_id)
    undo, base = what.rows, what.base
    if not undo:
        return versions.require_alive(session, _last_reverted_in(chosen) or base.id)
    plans.require_revision(repair, if_revision)
    changes = _changes(session, what, whole=action_ids is None)
    version = base
    if changes:
        recipe: dict[str, Any] = {"kind": "revert", "repair_id": repair.id, "actions": len(undo)}
        if action_ids is not None and len(undo) <= _IDS_IN_RECIPE:
            recipe["action_ids"] = [row.id for row in undo]
        version = versions.create_child(session, base, changes=changes, recipe=recipe)
    _mark(session, repair, undo, version, now)
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class _Undo:
    """``line``: the versions from the repaired one to ``base``, oldest first."""

    repair: RepairRow
    base: DatasetVersionRow
    line: Sequence[DatasetVersionRow]
    rows: Sequence[RepairActionRow]


def is_needed(
    session: Session,
    project_id: str,
    repair: RepairRow,
    *,
    action_ids: Sequence[str] | None,
    version_id: str | None,
) -> bool:
    """Whether anything is left to undo; raises what ``revert`` would for a request that is none."""
    return bool(_read(session, project_id, repair, action_ids, version_id)[1].rows)


def _read(
    session: Session,
    project_id: str,
    repair: RepairRow,
    action_ids: Sequence[str] | None,
    version_id: str | None,
) -> tuple[list[RepairActionRow], _Undo]:
    """The actions that are meant, and what of them there is to undo."""
    made = plans.result_of(session, repair)
    if made is None:
        raise Conflict(f"repair {repair.id} is not applied; reject its actions instead")
    base, line = _base(session, project_id, repair, made, version_id)
    chosen = _chosen(session, repair, action_ids)
    line_ids = {version.id for version in line}
    undo = [row for row in chosen if not _is_undone(row, line_ids)]
    return chosen, _Undo(repair=repair, base=base, line=line, rows=undo)


def _base(
    session: Session,
    project_id: str,
    repair: RepairRow,
    made: DatasetVersionRow,
    version_id: str | None,
) -> tuple[DatasetVersionRow, list[DatasetVersionRow]]:
    if version_id is not None:
        base = versions.require(session, project_id, version_id)
    else:
        last = repair.reverted_version_id
        base = version_rows.newest_descendant(
            session, made if last is None else versions.require_alive(session, last)
        )
    line = version_rows.chain(session, base, up_to=made.id)
    if line[-1].id != made.id:
        detail = f"{base.id} does not come from {made.id}, which the repair made; name one that does"
        raise InvalidInput(detail, errors=[{"pointer": "/dataset_version_id", "message": detail}])
    return base, line[::-1]


def _chosen(session: Session, repair: RepairRow, action_ids: Sequence[str] | None) -> list[RepairActionRow]:
    statement = (
        select(RepairActionRow)
        .where(RepairActionRow.repair_id == repair.id)
        .order_by(RepairActionRow.ordinal)
        .execution_options(populate_existing=True)
    )
    if action_ids is None:
        return list(session.scalars(statement.where(RepairActionRow.decision == Decision.APPLIED)))
    rows = list(session.scalars(statement.where(*ActionFilter(action_ids=action_ids).conditions())))
    missing = set(action_ids) - {row.id for row in rows}
    if missing:
        raise NotFound(f"no action {min(missing)} in repair {repair.id}")
    for row in rows:
        if row.decision != Decision.APPLIED:
            raise Conflict(f"action {row.id} is {row.decision}, it was never carried out: nothing to revert")
    return rows


def _is_undone(row: RepairActionRow | Row[*tuple[Any, ...]], line_ids: set[str]) -> bool:
    return row.reverted_at is not None and row.reverted_in_version_id in line_ids


def _last_reverted_in(rows: Sequence[RepairActionRow]) -> str | None:
    marked = [(row.reverted_at, row.reverted_in_version_id) for row in rows if row.reverted_at is not None]
    return max(marked, key=lambda mark: mark[0])[1] if marked else None


def _changes(session: Session, undo: _Undo, *, whole: bool) -> list[Change]:
    touched = {example_id for row in undo.rows for example_id in row.example_ids}
    staying: list[RepairActionRow] = []
    if not whole:
        touched, staying = _with_what_stays(session, undo, touched)
    # An added row of an upsampling names the row that it copies, which itself is not changed.
    places = version_rows.positions_of(session, undo.repair.dataset_version_id, touched)
    ordered = sorted(places, key=lambda example_id: places[example_id])
    originals = versions.load_by_ids(session, undo.repair.dataset_version_id, ordered)
    targets = _targets(originals, staying)
    added = _added_rows(session, undo)
    added_places = version_rows.positions_of(session, undo.line[0].id, list(added))
    standing = _standing(session, undo, {**places, **added_places})
    why = _Reasons.of(undo.rows)
    current = example_rows.by_ids(session, [now for now in standing.values() if now is not None])

    changes: list[Change] = []
    for original in originals:
        now, target = standing[original.id], targets.get(original.id)
        reason, action_id = why.of_row(original.id)
        change = _change(original.id, now, target, places[original.id], reason, action_id)
        if change is not None and (now is None or target is None or not _same(current[now], change)):
            changes.append(change)
    for example_id, action_id in added.items():
        now = standing[example_id]
        if now is not None:
            reason = why.of_action(action_id)
            changes.append(
                Change(kind=ChangeKind.REMOVED, previous_example_id=now, reason=reason, action_id=action_id)
            )
    return changes


def _change(
    original_id: str, now: str | None, target: TrainingExample | None, place: int, reason: str, action_id: str
) -> Change | None:
    """From what stands now to what should stand."""
    if target is None:
        if now is None:
            return None
        return Change(kind=ChangeKind.REMOVED, previous_example_id=now, reason=reason, action_id=action_id)
    if now == target.id:
        return None
    return Change(
        kind=ChangeKind.ADDED if now is None else ChangeKind.CHANGED,
        example=target,
        stored=target.id == original_id,
        previous_example_id=now,
        place=place if now is None else None,
        reason=reason,
        action_id=action_id,
    )


def _same(current: TrainingExample, change: Change) -> bool:
    """Whether the row reads already as it should; the original itself is put back all the same."""
    return not change.stored and change.example is not None and current.content() == change.example.content()


def _with_what_stays(
    session: Session, undo: _Undo, touched: set[str]
) -> tuple[set[str], list[RepairActionRow]]:
    """The rows whose state the undone actions decide, and the other actions that still change them.

    Which row a merge keeps depends on what is dropped: a merge brings all its rows with it.
    """
    undone = {row.id for row in undo.rows}
    line_ids = {version.id for version in undo.line}
    light = session.execute(
        select(
            RepairActionRow.id,
            RepairActionRow.kind,
            RepairActionRow.example_ids,
            RepairActionRow.reverted_at,
            RepairActionRow.reverted_in_version_id,
        ).where(RepairActionRow.repair_id == undo.repair.id, RepairActionRow.decision == Decision.APPLIED)
    )
    others = [row for row in light if row.id not in undone and not _is_undone(row, line_ids)]
    grown = True
    while grown:
        merged = {
            example_id
            for row in others
            if row.kind == ActionKind.MERGE and not touched.isdisjoint(row.example_ids)
            for example_id in row.example_ids
        }
        grown = not merged <= touched
        touched = touched | merged
    ids = [
        row.id
        for row in others
        if row.kind not in (ActionKind.ADD, ActionKind.UPSAMPLE) and not touched.isdisjoint(row.example_ids)
    ]
    staying = session.scalars(
        select(RepairActionRow)
        .where(RepairActionRow.repair_id == undo.repair.id, *ActionFilter(action_ids=ids).conditions())
        .order_by(RepairActionRow.ordinal)
    )
    return touched, list(staying)


def _targets(
    originals: Sequence[TrainingExample], staying: Sequence[RepairActionRow]
) -> dict[str, TrainingExample]:
    """By the id of the original row: what it is when only ``staying`` is carried out; absent = dropped."""
    applied = apply_actions(originals, [action_of(row) for row in staying], new_id=lambda: new_id("ex"))
    return {
        (row.change.previous_example_id or "") if row.change else row.example.id: row.example
        for row in applied.rows
    }


def _added_rows(session: Session, undo: _Undo) -> dict[str, str]:
    """{row that an undone action added: the action}."""
    undone = {row.id for row in undo.rows}
    return {
        change.example_id: change.action_id
        for change in version_rows.changes_of(session, undo.line[0].id)
        if change.kind == ChangeKind.ADDED and change.example_id and change.action_id in undone
    }


def _standing(session: Session, undo: _Undo, places: Mapping[str, int]) -> dict[str, str | None]:
    """Under which id each row stands in the base now, None = it does not; Conflict for a row that another
    version changed since.

    Followed by its place, which a row keeps in all versions of a line.
    """
    at: dict[int, str] = {}
    ours: dict[int, str | None] = {}
    changed_by: dict[int, str] = {}
    for number, version in enumerate(undo.line):
        before, at = at, version_rows.at_places(session, version.id, places.values())
        is_ours = version.recipe.get("repair_id") == undo.repair.id
        for place in places.values():
            if number and at.get(place) == before.get(place):
                continue
            if is_ours:
                ours[place] = at.get(place)
            else:
                changed_by[place] = version.id
    taken = {key: place for key, place in places.items() if at.get(place) != ours[place]}
    if taken:
        _refuse(undo.repair, {key: changed_by[place] for key, place in taken.items()})
    return {key: at.get(place) for key, place in places.items()}


def _refuse(repair: RepairRow, changed_by: Mapping[str, str]) -> None:
    named = [
        {"pointer": f"/examples/{key}", "message": f"was changed again in {version_id}"}
        for key, version_id in list(changed_by.items())[:_ROWS_NAMED]
    ]
    shown = ", ".join(list(changed_by)[:3]) + (", ..." if len(changed_by) > 3 else "")
    raise Conflict(
        f"{len(changed_by)} rows that repair {repair.id} changed were changed again by a later version "
        f"({shown}); take that back first, or revert the other actions only",
        errors=named,
    )


@dataclass(slots=True)
class _Reasons:
    by_row: dict[str, list[RepairActionRow]] = field(default_factory=lambda: defaultdict(list))
    by_action: dict[str, RepairActionRow] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[RepairActionRow]) -> _Reasons:
        made = cls()
        for row in rows:
            made.by_action[row.id] = row
            for example_id in row.example_ids:
                made.by_row[example_id].append(row)
        return made

    def of_row(self, example_id: str) -> tuple[str, str]:
        # A row that only a merge brought along is changed because of all that is undone.
        actions = self.by_row.get(example_id) or list(self.by_action.values())
        reasons = dict.fromkeys(row.reason for row in actions[:10])
        return f"reverted: {'; '.join(reasons)}", actions[-1].id

    def of_action(self, action_id: str) -> str:
        return f"reverted: {self.by_action[action_id].reason}"


def _mark(
    session: Session,
    repair: RepairRow,
    undo: Sequence[RepairActionRow],
    version: DatasetVersionRow,
    now: datetime,
) -> None:
    conditions = ActionFilter(action_ids=[row.id for row in undo]).conditions()
    selection.update_actions(
        session, repair.id, conditions, reverted_at=now, reverted_in_version_id=version.id
    )
    actions = len(undo)
    repair.reverted_version_id = version.id
    repair.revision += 1
    left = selection.count_still_applied(session, repair.id)
    events.append(
        session,
        repair.project_id,
        repair.id,
        "reverted",
        {"dataset_version_id": version.id, "actions": actions, "still_applied": left},
    )
    session.flush()
