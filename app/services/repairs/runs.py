"""Applying and reverting in the request where that is quick, and by a worker where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow, RepairRunRow
from app.domain.job_status import Status
from app.errors import Conflict
from app.services.cycles import advance
from app.services.repairs import applying, plans, reverting
from app.services.repairs.applying import Preview
from app.services.versions import versions
from app.services.work import work


def apply(
    session: Session, project_id: str, repair_id: str, *, rows_in_request: int, if_revision: int | None
) -> DatasetVersionRow | RepairRunRow:
    """The version that the repair makes, or the run that will make it when its dataset version has more rows
    than ``rows_in_request``."""
    repair = plans.lock(session, project_id, repair_id)
    if repair.status == Status.SUCCEEDED and plans.result_of(session, repair) is None:
        running = plans.running(session, repair)
        if running is not None and running.kind == plans.RunKind.APPLY:
            return running
        plans.require_revision(repair, if_revision)
        parent = versions.require_alive(session, repair.dataset_version_id)
        if parent.rows > rows_in_request:
            return applying.apply_later(session, repair)
    return advance.apply_repair(session, project_id, repair_id, if_revision=if_revision)


def preview(session: Session, project_id: str, repair_id: str, *, limit: int) -> Preview:
    """What applying the repair would make, as it is decided now; nothing is written."""
    repair = plans.get(session, project_id, repair_id)
    plans.require_planned(repair)
    if repair.applied_at is not None:
        raise Conflict(f"repair {repair_id} is applied already; its version's diff tells what it changed")
    parent = versions.require_alive(session, repair.dataset_version_id)
    rows = applying.approved(session, repair_id)
    return applying.preview(session, repair, parent, rows, limit=limit)


def revert(
    session: Session,
    project_id: str,
    repair_id: str,
    *,
    action_ids: Sequence[str] | None,
    version_id: str | None,
    rows_in_request: int,
    now: datetime,
    if_revision: int | None,
) -> DatasetVersionRow | RepairRunRow:
    """The version in which the actions are undone, or the run that will make it."""
    repair = plans.lock(session, project_id, repair_id)
    made = plans.result_of(session, repair)
    if made is not None:
        running = plans.running(session, repair)
        if running is not None:
            if (running.action_ids, running.dataset_version_id) == (_listed(action_ids), version_id):
                return running
            raise Conflict(f"repair {repair_id} is being reverted; wait for it")
        if made.rows > rows_in_request and reverting.is_needed(
            session, project_id, repair, action_ids=action_ids, version_id=version_id
        ):
            plans.require_revision(repair, if_revision)
            run = RepairRunRow(
                kind=plans.RunKind.REVERT, dataset_version_id=version_id, action_ids=_listed(action_ids)
            )
            return applying.run_later(session, repair, run)
    return reverting.revert(
        session,
        project_id,
        repair_id,
        action_ids=action_ids,
        version_id=version_id,
        now=now,
        if_revision=if_revision,
    )


def carry_out(session: Session, run: RepairRunRow) -> None:
    """What a worker does with a run, in the transaction that finishes it."""
    if run.kind == plans.RunKind.APPLY:
        made = advance.apply_repair(session, run.project_id, run.repair_id)
    else:
        made = reverting.revert(
            session,
            run.project_id,
            run.repair_id,
            action_ids=run.action_ids,
            version_id=run.dataset_version_id,
            now=work.now(),
        )
    run.result_version_id = made.id


def _listed(action_ids: Sequence[str] | None) -> list[str] | None:
    return None if action_ids is None else list(action_ids)
