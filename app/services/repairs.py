"""Repair plans: proposed by a worker, decided by people or policy, applied once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow
from app.domain.repair.apply import apply_actions
from app.domain.repair.plan import ActionKind, Decision, ProposedAction, RepairPlan, RepairPolicy
from app.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from app.queue import Stage
from app.services import diagnoses, events, versions, work


def create(
    session: Session,
    project_id: str,
    *,
    diagnosis_id: str,
    policy: Mapping[str, Any] | None = None,
    evaluation_dataset_version_id: str | None = None,
    cycle_id: str | None = None,
) -> RepairRow:
    """Queue the planning of a repair. Raises NotFound, and InvalidInput for a policy that is none.

    Rows that repeat a row of ``evaluation_dataset_version_id`` are planned to be dropped.
    """
    diagnosis = diagnoses.get_succeeded(session, project_id, diagnosis_id)
    check_policy(policy or {})
    if evaluation_dataset_version_id is not None:
        versions.require(session, project_id, evaluation_dataset_version_id)
    row = RepairRow(
        project_id=project_id,
        diagnosis_id=diagnosis.id,
        dataset_version_id=diagnosis.dataset_version_id,
        evaluation_dataset_version_id=evaluation_dataset_version_id,
        cycle_id=cycle_id,
        policy=dict(policy or {}),
    )
    work.enqueue(session, Stage.REPAIR, row)
    return row


def check_policy(policy: Mapping[str, Any]) -> RepairPolicy:
    try:
        return RepairPolicy.from_dict(policy)
    except (ValueError, TypeError) as error:
        raise InvalidInput(str(error), errors=[{"pointer": "/policy", "message": str(error)}]) from error


def get(session: Session, project_id: str, repair_id: str) -> RepairRow:
    row = session.get(RepairRow, repair_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no repair {repair_id} in this project")
    return row


def get_action(session: Session, project_id: str, action_id: str) -> RepairActionRow:
    row = session.get(RepairActionRow, action_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no repair action {action_id} in this project")
    return row


def save_plan(session: Session, row: RepairRow, plan: RepairPlan) -> None:
    """Write the plan's actions in their order."""
    now = work.now()
    session.add_all(
        RepairActionRow(
            id=new_id("ra"),
            project_id=row.project_id,
            repair_id=row.id,
            created_at=now,
            ordinal=ordinal,
            kind=action.kind.value,
            example_ids=list(action.example_ids),
            before=list(action.before),
            after=list(action.after),
            reason=action.reason,
            score=action.score,
            evidence=dict(action.evidence),
            decision=action.decision.value,
        )
        for ordinal, action in enumerate(plan.actions)
    )
    row.summary = dict(plan.summary)
    session.flush()


def decide(
    session: Session,
    project_id: str,
    action_id: str,
    *,
    decision: Decision,
    key_id: str | None,
    now: datetime,
    if_revision: int | None = None,
) -> RepairActionRow:
    """Approve, reject or reopen one action. 409 once its repair is applied, 412 when read stale."""
    action = get_action(session, project_id, action_id)
    # the repair first, as apply does: a decision and an apply never pass each other by
    repair = _lock(session, project_id, action.repair_id)
    row = session.scalar(
        select(RepairActionRow)
        .where(RepairActionRow.id == action_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"no repair action {action_id} in this project")
    _refuse_applied_decision(decision)
    if row.decision == Decision.APPLIED or repair.applied_at is not None:
        raise Conflict(f"the repair of {action_id} is applied already; start another repair to change more")
    if if_revision is not None and if_revision != row.revision:
        raise PreconditionFailed(f"action {action_id} is at revision {row.revision}; read it again")
    row.decision = decision.value
    row.decided_by = key_id
    row.decided_at = now
    row.revision += 1
    session.flush()
    return row


def decide_many(
    session: Session,
    project_id: str,
    repair_id: str,
    *,
    decision: Decision,
    kind: str | None = None,
    current: str | None = None,
    min_score: float | None = None,
    action_ids: Sequence[str] | None = None,
    key_id: str | None,
    now: datetime,
) -> int:
    """Decide every action that meets all given filters; returns how many."""
    repair = _lock(session, project_id, repair_id)
    _refuse_applied_decision(decision)
    _require_planned(repair)
    if repair.applied_at is not None:
        raise Conflict(f"repair {repair_id} is applied already")
    statement = update(RepairActionRow).where(RepairActionRow.repair_id == repair_id)
    if kind is not None:
        statement = statement.where(RepairActionRow.kind == kind)
    if current is not None:
        statement = statement.where(RepairActionRow.decision == current)
    if min_score is not None:
        statement = statement.where(RepairActionRow.score >= min_score)
    if action_ids is not None:
        statement = statement.where(RepairActionRow.id.in_(list(action_ids)))
    result = session.execute(
        statement.values(
            decision=decision.value,
            decided_by=key_id,
            decided_at=now,
            revision=RepairActionRow.revision + 1,
        )
    )
    return int(result.rowcount)  # pyright: ignore[reportAttributeAccessIssue]


def apply(session: Session, project_id: str, repair_id: str) -> DatasetVersionRow:
    """Make the version in which every approved action is carried out; a second call returns the same one.

    A repair without an approved action yields its own dataset version unchanged.
    """
    repair = _lock(session, project_id, repair_id)
    _require_planned(repair)
    if repair.result_version_id is not None:
        return versions.require(session, project_id, repair.result_version_id)
    parent = versions.require_alive(session, repair.dataset_version_id)
    rows = list(
        session.scalars(
            select(RepairActionRow)
            .where(RepairActionRow.repair_id == repair_id, RepairActionRow.decision == Decision.APPROVED)
            .order_by(RepairActionRow.ordinal)
        )
    )
    version = parent if not rows else _make_version(session, repair, parent, rows)
    for row in rows:
        row.decision = Decision.APPLIED.value
        row.revision += 1
    repair.applied_at = work.now()
    repair.result_version_id = version.id
    events.append(
        session, project_id, repair_id, "applied", {"dataset_version_id": version.id, "actions": len(rows)}
    )
    session.flush()
    if repair.cycle_id is not None:
        from app.services import cycles

        cycles.repair_applied(session, repair.cycle_id, repair)
    return version


def _make_version(
    session: Session, repair: RepairRow, parent: DatasetVersionRow, rows: Sequence[RepairActionRow]
) -> DatasetVersionRow:
    touched = sorted({example_id for row in rows for example_id in row.example_ids})
    examples = versions.load_by_ids(session, parent.id, touched)
    applied = apply_actions(examples, [action_of(row) for row in rows], new_id=lambda: new_id("ex"))
    new_examples = {row.example.id: row.example for row in applied.rows}
    changes = [
        versions.Change(
            kind=change.kind.value,
            example=new_examples.get(change.example_id) if change.example_id else None,
            previous_example_id=change.previous_example_id,
            reason=change.reason,
            action_id=rows[change.action_index].id,
        )
        for change in applied.changes
    ]
    return versions.create_child(
        session, parent, changes=changes, recipe={"kind": "repair", "repair_id": repair.id}
    )


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


def count_actions(session: Session, repair_id: str) -> dict[str, dict[str, int]]:
    """{kind: {decision: count}} of a repair's actions."""
    counts: dict[str, dict[str, int]] = {}
    for kind, decision, count in session.execute(
        select(RepairActionRow.kind, RepairActionRow.decision, func.count())
        .where(RepairActionRow.repair_id == repair_id)
        .group_by(RepairActionRow.kind, RepairActionRow.decision)
    ):
        counts.setdefault(kind, {})[decision] = count
    return counts


def _lock(session: Session, project_id: str, repair_id: str) -> RepairRow:
    cycle_id = session.scalar(select(RepairRow.cycle_id).where(RepairRow.id == repair_id))
    work.lock_cycle(session, cycle_id)
    row = session.scalar(
        select(RepairRow)
        .where(RepairRow.id == repair_id, RepairRow.project_id == project_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(f"no repair {repair_id} in this project")
    return row


def _require_planned(repair: RepairRow) -> None:
    if repair.status != "succeeded":
        raise Conflict(f"repair {repair.id} is {repair.status}; its plan is not there yet")


def _refuse_applied_decision(decision: Decision) -> None:
    if decision is Decision.APPLIED:
        raise InvalidInput(
            "decision: only apply makes an action 'applied'; send approved, rejected or proposed"
        )
