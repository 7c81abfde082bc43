"""A plan's approved actions become a version; what they would make is shown first. Knows no cycle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow, RepairRunRow
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.policy.decision import Decision
from app.queue import Stage
from app.services import events
from app.services.repairs import plans, selection
from app.services.versions import children, version_diff, versions
from app.services.versions.version_diff import ShownChange
from app.services.versions.versions import Change, ChangeKind
from app.services.work import work


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What applying would make. ``counts`` is over all changes, ``changes`` holds the first of them."""

    repair_id: str
    parent_id: str
    actions: int
    rows: int
    content_hash: str
    counts: dict[str, int]
    changes: list[ShownChange]


def approved(session: Session, repair_id: str) -> list[RepairActionRow]:
    return list(
        session.scalars(
            select(RepairActionRow)
            .where(RepairActionRow.repair_id == repair_id, RepairActionRow.decision == Decision.APPROVED)
            .order_by(RepairActionRow.ordinal)
        )
    )


def make_version(
    session: Session, repair: RepairRow, parent: DatasetVersionRow, rows: Sequence[RepairActionRow]
) -> DatasetVersionRow:
    return versions.create_child(
        session,
        parent,
        changes=changes_of(session, parent, rows),
        recipe={"kind": "repair", "repair_id": repair.id},
    )


def preview(
    session: Session,
    repair: RepairRow,
    parent: DatasetVersionRow,
    rows: Sequence[RepairActionRow],
    *,
    limit: int,
) -> Preview:
    """What ``make_version`` would make; nothing is written."""
    changes = changes_of(session, parent, rows)
    counts = Counter(change.kind for change in changes)
    outlook = children.outlook(session, parent, changes)
    return Preview(
        repair_id=repair.id,
        parent_id=parent.id,
        actions=len(rows),
        rows=outlook.rows,
        content_hash=outlook.content_hash,
        counts={kind.value: counts.get(kind.value, 0) for kind in ChangeKind},
        changes=version_diff.shown_planned(session, changes[:limit]),
    )


def changes_of(session: Session, parent: DatasetVersionRow, rows: Sequence[RepairActionRow]) -> list[Change]:
    touched = sorted({example_id for row in rows for example_id in row.example_ids})
    examples = versions.load_by_ids(session, parent.id, touched)
    applied = apply_actions(examples, [action_of(row) for row in rows], new_id=lambda: new_id("ex"))
    new_examples = {row.example.id: row.example for row in applied.rows}
    return [
        Change(
            kind=change.kind.value,
            example=None if change.kind.value == ChangeKind.REMOVED else new_examples[change.example_id],
            previous_example_id=change.previous_example_id,
            reason=change.reason,
            action_id=rows[change.action_index].id,
        )
        for change in applied.changes
    ]


def action_of(row: RepairActionRow) -> ProposedAction:
    return ProposedAction(
        kind=ActionKind(row.kind),
        example_ids=tuple(row.example_ids),
        before=tuple(row.before),
        after=tuple(row.after),
        reason=row.reason,
        score=row.score,
        evidence=row.evidence,
        decision=Decision(row.decision),
    )


def apply(
    session: Session, project_id: str, repair_id: str, *, if_revision: int | None = None
) -> DatasetVersionRow:
    """Make the version in which every approved action is carried out; a second call returns the same one.

    A repair without an approved action yields its own dataset version unchanged.
    """
    repair = plans.lock(session, project_id, repair_id)
    plans.require_planned(repair)
    made = plans.result_of(session, repair)
    if made is not None:
        return made
    plans.require_revision(repair, if_revision)
    parent = versions.require_alive(session, repair.dataset_version_id)
    rows = approved(session, repair_id)
    version = parent if not rows else make_version(session, repair, parent, rows)
    selection.update_actions(
        session,
        repair_id,
        [RepairActionRow.decision == Decision.APPROVED],
        decision=Decision.APPLIED.value,
    )
    repair.applied_at = work.now()
    repair.result_version_id = version.id
    repair.revision += 1
    events.append(
        session, project_id, repair_id, "applied", {"dataset_version_id": version.id, "actions": len(rows)}
    )
    session.flush()
    return version


def apply_later(session: Session, repair: RepairRow) -> RepairRunRow:
    """Have a worker apply the plan; the run that does so already where there is one. ``repair`` is locked."""
    running = plans.running(session, repair)
    if running is not None and running.kind == plans.RunKind.APPLY:
        return running
    return run_later(session, repair, RepairRunRow(kind=plans.RunKind.APPLY))


def run_later(session: Session, repair: RepairRow, run: RepairRunRow) -> RepairRunRow:
    run.project_id, run.repair_id = repair.project_id, repair.id
    work.enqueue(session, Stage.APPLY, run)
    return run
