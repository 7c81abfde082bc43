"""The closed loop: from bad cases to a verified fix."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.dependencies import DatabaseSession, Maintainer, Page, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.cycles import Cycle, NewCycle
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import CycleRow
from app.db.repositories.pages import Page as PageOf
from app.services import bad_cases, listings
from app.services.cycles import cycles

router = APIRouter(prefix="/v1/cycles", tags=["cycles"], route_class=TransactionRoute)


@router.post("", status_code=202, response_model=Cycle)
def create_cycle(
    payload: NewCycle, caller: Maintainer, session: DatabaseSession, response: Response
) -> CycleRow:
    """Diagnose, repair, augment, mix, train, verify. Watch the cycle at ``Location``."""
    case_ids = bad_cases.resolve_selection(
        session, caller.project_id, payload.bad_case_ids, payload.filter and payload.filter.to_filter()
    )
    row = cycles.create(
        session,
        caller.project_id,
        dataset_version_id=payload.dataset_version_id,
        case_ids=case_ids,
        base_model=payload.base_model,
        policy=payload.policy.given(),
    )
    return located(response, "/v1/cycles", row)


@router.get("", response_model=ListOf[Cycle])
def list_cycles(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    dataset_version_id: Id | None = None,
) -> PageOf[CycleRow]:
    return listings.in_project(
        session, caller.project_id, CycleRow, page, status=status, dataset_version_id=dataset_version_id
    )


@router.get("/{cycle_id}", response_model=Cycle)
def read_cycle(cycle_id: Id, caller: Reader, session: DatabaseSession) -> CycleRow:
    return cycles.get(session, caller.project_id, cycle_id)


@router.post("/{cycle_id}/cancel", response_model=Cycle)
def cancel_cycle(cycle_id: Id, caller: Maintainer, session: DatabaseSession) -> CycleRow:
    """What is queued never starts; what runs stops at its worker's next look."""
    return cycles.cancel(session, caller.project_id, cycle_id)
