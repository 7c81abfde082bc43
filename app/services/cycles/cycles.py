"""Cycles as a user asks for them: created, read, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import CycleRow
from app.domain.job_status import Status
from app.domain.pipeline import CycleStage
from app.errors import Conflict, InvalidInput, NotFound
from app.services import events
from app.services.cycles import advance
from app.services.cycles.advance import AWAITING_APPROVAL, STAGE_OF
from app.services.cycles.stage_inputs import policy_of
from app.services.training import adapters
from app.services.versions import versions
from app.services.work import lifecycle


def create(
    session: Session,
    project_id: str,
    *,
    dataset_version_id: str,
    case_ids: Sequence[str],
    base_model: str,
    policy: Mapping[str, Any] | None = None,
) -> CycleRow:
    """Start the loop. Everything that can be checked is checked here, before any work is done."""
    versions.require(session, project_id, dataset_version_id)
    if not base_model.strip():
        raise InvalidInput("base_model: name a model, such as smollm2-135m-instruct or a local folder")
    parsed = policy_of(policy or {})
    if parsed.before_adapter_id is not None:
        before = adapters.get_adapter(session, project_id, parsed.before_adapter_id)
        if before.base_model != base_model:
            raise InvalidInput(
                f"policy.before_adapter_id: {before.id} belongs to {before.base_model!r}, not {base_model!r}"
            )
    for version_id in (parsed.retention_dataset_version_id, parsed.pool_dataset_version_id):
        if version_id is not None:
            versions.require(session, project_id, version_id)
    if not case_ids:
        raise InvalidInput("no bad case matches: send bad_case_ids, or a filter that some case meets")
    cycle = CycleRow(
        project_id=project_id,
        dataset_version_id=dataset_version_id,
        case_ids=list(case_ids),
        base_model=base_model,
        before_adapter_id=parsed.before_adapter_id,
        policy=dict(policy or {}),
        stage=CycleStage.DIAGNOSE.value,
        status=Status.QUEUED.value,
    )
    session.add(cycle)
    session.flush()
    events.append(session, project_id, cycle.id, "queued", {"cases": len(case_ids)})
    advance.open_stage(session, cycle, CycleStage.DIAGNOSE)
    return cycle


def get(session: Session, project_id: str, cycle_id: str) -> CycleRow:
    row = session.get(CycleRow, cycle_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no cycle {cycle_id} in this project")
    return row


def cancel(session: Session, project_id: str, cycle_id: str) -> CycleRow:
    """Stop the loop: what is queued never starts, what runs stops at its next look."""
    cycle = advance.lock(session, cycle_id)
    if cycle is None or cycle.project_id != project_id:
        raise NotFound(f"no cycle {cycle_id} in this project")
    if Status(cycle.status).is_final:
        raise Conflict(f"cycle {cycle_id} is {cycle.status} already")
    cycle.cancel_requested = True
    events.append(session, project_id, cycle.id, "cancel_requested", {})
    current = advance.current(cycle)
    if current["status"] == AWAITING_APPROVAL or current["name"] == CycleStage.QUESTIONS:
        advance.close_stage(cycle, "cancelled")
        advance.end(session, cycle, Status.CANCELLED)
    else:
        row_class = next(c for c, stage in STAGE_OF.items() if stage.value == current["name"])
        lifecycle.cancel(session, row_class, project_id, current["result_id"])  # pyright: ignore[reportArgumentType]
    return cycle
