"""Repair plans: read, decided action by action or many at once, applied."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Response

from app.api.answers import if_match, located, versioned
from app.api.dependencies import DatabaseSession, Maintainer, Page, PageInOrder, Reader
from app.api.problems import documented
from app.api.schemas.common import Id, ListOf
from app.api.schemas.datasets import DatasetVersion
from app.api.schemas.repairs import Decided, NewDecision, NewDecisions, NewRepair, Repair, RepairAction
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow
from app.db.repositories.pages import Page as PageOf
from app.domain.repair.plan import ActionKind, Decision
from app.services import listings, repairs, work

router = APIRouter(prefix="/v1", tags=["repairs"], route_class=TransactionRoute)


@router.post("/repairs", status_code=202, response_model=Repair)
def create_repair(
    payload: NewRepair, caller: Maintainer, session: DatabaseSession, response: Response
) -> RepairRow:
    """Plan a repair of the diagnosed dataset version; nothing is changed before it is applied."""
    row = repairs.create(
        session,
        caller.project_id,
        diagnosis_id=payload.diagnosis_id,
        policy=payload.policy,
        evaluation_dataset_version_id=payload.evaluation_dataset_version_id,
    )
    return located(response, "/v1/repairs", row)


@router.get("/repairs", response_model=ListOf[Repair])
def list_repairs(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    diagnosis_id: Id | None = None,
    cycle_id: Id | None = None,
) -> PageOf[RepairRow]:
    return listings.in_project(
        session,
        caller.project_id,
        RepairRow,
        page,
        status=status,
        diagnosis_id=diagnosis_id,
        cycle_id=cycle_id,
    )


@router.get("/repairs/{repair_id}", response_model=Repair)
def read_repair(repair_id: Id, caller: Reader, session: DatabaseSession) -> RepairRow:
    return repairs.get(session, caller.project_id, repair_id)


@router.post("/repairs/{repair_id}/cancel", response_model=Repair)
def cancel_repair(repair_id: Id, caller: Maintainer, session: DatabaseSession) -> RepairRow:
    return work.cancel(session, RepairRow, caller.project_id, repair_id)


@router.get("/repairs/{repair_id}/actions", response_model=ListOf[RepairAction])
def list_actions(
    repair_id: Id,
    caller: Reader,
    session: DatabaseSession,
    page: PageInOrder,
    kind: ActionKind | None = None,
    decision: Decision | None = None,
) -> PageOf[RepairActionRow]:
    repairs.get(session, caller.project_id, repair_id)
    return listings.of_parent(
        session, RepairActionRow, {"repair_id": repair_id}, page, kind=kind, decision=decision
    )


@router.post("/repairs/{repair_id}/decisions", response_model=Decided)
def decide_many(
    repair_id: Id, payload: NewDecisions, caller: Maintainer, session: DatabaseSession
) -> Decided:
    """Decide every action that meets the conditions."""
    decided = repairs.decide_many(
        session,
        caller.project_id,
        repair_id,
        decision=payload.decision,
        kind=payload.kind,
        current=payload.current,
        min_score=payload.min_score,
        action_ids=payload.action_ids,
        key_id=caller.key_id,
        now=datetime.now(UTC),
    )
    return Decided(repair_id=repair_id, decided=decided)


@router.post("/repairs/{repair_id}/apply", response_model=DatasetVersion)
def apply_repair(
    repair_id: Id, caller: Maintainer, session: DatabaseSession, response: Response
) -> DatasetVersionRow:
    """Make the dataset version in which every approved action is carried out; a second call returns it again."""
    return located(response, "/v1/dataset-versions", repairs.apply(session, caller.project_id, repair_id))


@router.get("/repair-actions/{action_id}", response_model=RepairAction)
def read_action(
    action_id: Id, caller: Reader, session: DatabaseSession, response: Response
) -> RepairActionRow:
    return versioned(response, repairs.get_action(session, caller.project_id, action_id))


@router.patch("/repair-actions/{action_id}", response_model=RepairAction, responses=documented([412]))
def decide_action(
    action_id: Id,
    payload: NewDecision,
    caller: Maintainer,
    session: DatabaseSession,
    response: Response,
    if_match_header: Annotated[str | None, Header(alias="If-Match", max_length=100)] = None,
) -> RepairActionRow:
    """Approve or reject one action, or take that back. Send its ETag as If-Match to decide what you have read."""
    row = repairs.decide(
        session,
        caller.project_id,
        action_id,
        decision=payload.decision,
        key_id=caller.key_id,
        now=datetime.now(UTC),
        if_revision=if_match(if_match_header),
    )
    return versioned(response, row)
