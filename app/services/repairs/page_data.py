"""What a page of a repair plan holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db.models import RepairActionRow, RepairRow, RepairRunRow
from app.db.repositories.pages import Page, PageRequest
from app.domain.job_status import Status
from app.services.repairs import plans, selection
from app.services.repairs.selection import ActionCount, ActionFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRead:
    """``state`` tells what may be done: planned, applying, reverting, applied, or the planning's status."""

    repair: RepairRow
    run: RepairRunRow | None
    state: str
    counts: Sequence[ActionCount]
    actions: Page[RepairActionRow]


def read(
    session: Session, project_id: str, repair_id: str, chosen: ActionFilter, request: PageRequest
) -> PlanRead:
    repair = plans.get(session, project_id, repair_id)
    run = plans.newest_run(session, repair_id)
    return PlanRead(
        repair=repair,
        run=run,
        state=_state(repair, run),
        counts=selection.counts(session, repair_id),
        actions=selection.page(session, repair_id, chosen, request),
    )


def _state(repair: RepairRow, run: RepairRunRow | None) -> str:
    if run is not None and not Status(run.status).is_final:
        return "applying" if run.kind == plans.RunKind.APPLY else "reverting"
    if repair.applied_at is not None:
        return "applied"
    return "planned" if repair.status == Status.SUCCEEDED else repair.status
