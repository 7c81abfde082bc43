"""Repair plans: read, decided action by action or many at once, applied, taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api.action_filter import AskedActions
from app.api.dependencies import AppSettings, DatabaseSession, Maintainer, Page, PageInOrder, Reader
from app.api.problems import documented
from app.api.response_headers import if_match, located, versioned
from app.api.schemas.common import Id, ListOf
from app.api.schemas.datasets import DatasetVersion
from app.api.schemas.repairs import (
    ActionCount,
    AddedActions,
    Decided,
    NewDecision,
    NewDecisions,
    NewRepair,
    NewRevert,
    NewSimilar,
    Repair,
    RepairAction,
    RepairInFull,
    RepairPreview,
    RepairRun,
    RowQuality,
)
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import DatasetVersionRow, RepairActionRow, RepairRow, RepairRunRow, RowQualityRow
from app.db.repositories.pages import Page as PageOf
from app.domain.repair.draft.row_bands import Veto
from app.domain.repair.row_quality.scores import Use
from app.services import listings
from app.services.repairs import decisions, plans, runs, selection, similar
from app.services.repairs.selection import ActionFilter
from app.services.work import lifecycle

router = APIRouter(prefix="/v1", tags=["repairs"], route_class=TransactionRoute)

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100)]
_MADE_BY_A_WORKER: dict[int | str, dict[str, Any]] = {
    202: {"model": RepairRun, "description": "The version is large: a worker makes it. Watch the repair."},
    **documented([412]),
}


@router.post("/repairs", status_code=202, response_model=Repair)
def create_repair(
    payload: NewRepair, caller: Maintainer, session: DatabaseSession, response: Response
) -> RepairRow:
    """Plan a repair of the diagnosed dataset version, or audit a version alone; nothing is changed before it is
    applied."""
    row = plans.create(
        session,
        caller.project_id,
        diagnosis_id=payload.diagnosis_id,
        dataset_version_id=payload.dataset_version_id,
        policy=payload.policy.model_dump(mode="json", exclude_unset=True),
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
    dataset_version_id: Id | None = None,
    cycle_id: Id | None = None,
) -> PageOf[RepairRow]:
    return listings.in_project(
        session,
        caller.project_id,
        RepairRow,
        page,
        status=status,
        diagnosis_id=diagnosis_id,
        dataset_version_id=dataset_version_id,
        cycle_id=cycle_id,
    )


@router.get("/repairs/{repair_id}", response_model=RepairInFull)
def read_repair(repair_id: Id, caller: Reader, session: DatabaseSession, response: Response) -> RepairInFull:
    row = versioned(response, plans.get(session, caller.project_id, repair_id))
    run = plans.newest_run(session, repair_id)
    return RepairInFull(
        **Repair.model_validate(row).model_dump(),
        counts=[ActionCount.model_validate(c) for c in selection.counts(session, repair_id)],
        run=None if run is None else RepairRun.model_validate(run),
    )


@router.post("/repairs/{repair_id}/cancel", response_model=Repair)
def cancel_repair(repair_id: Id, caller: Maintainer, session: DatabaseSession) -> RepairRow:
    return lifecycle.cancel(session, RepairRow, caller.project_id, repair_id)


@router.get("/repairs/{repair_id}/actions", response_model=ListOf[RepairAction])
def list_actions(
    repair_id: Id,
    caller: Reader,
    session: DatabaseSession,
    chosen: AskedActions,
    page: PageInOrder,
) -> PageOf[RepairActionRow]:
    """The plan's actions in the order in which they are carried out."""
    plans.get(session, caller.project_id, repair_id)
    return selection.page(session, repair_id, chosen, page)


@router.get("/repairs/{repair_id}/quality", response_model=ListOf[RowQuality])
def list_row_quality(
    repair_id: Id,
    caller: Reader,
    session: DatabaseSession,
    page: PageInOrder,
    band: Use | None = None,
    veto: Veto | None = None,
) -> PageOf[RowQualityRow]:
    """Score, band and vetoes of every row of the version that the plan is of, in the version's order."""
    plans.get(session, caller.project_id, repair_id)
    return plans.row_quality(session, repair_id, page, band=band, veto=veto)


@router.post("/repairs/{repair_id}/decisions", response_model=Decided, responses=documented([412]))
def decide_many(
    repair_id: Id,
    payload: NewDecisions,
    caller: Maintainer,
    session: DatabaseSession,
    response: Response,
    if_match_header: IfMatch = None,
) -> Decided:
    """Decide every action that meets the conditions. Send the repair's ETag as If-Match to decide what you
    have read."""
    chosen = ActionFilter(
        kind=payload.kind,
        rule=payload.rule,
        decision=payload.current,
        min_score=payload.min_score,
        max_score=payload.max_score,
        reason=payload.reason,
        example_ids=payload.example_ids,
        action_ids=payload.action_ids,
    )
    common: dict[str, Any] = {
        "chosen": chosen,
        "key_id": caller.key_id,
        "now": datetime.now(UTC),
        "if_revision": if_match(if_match_header),
    }
    if payload.policy is not None:
        decided = decisions.decide_by_policy(session, caller.project_id, repair_id, payload.policy, **common)
    else:
        assert payload.decision is not None
        decided = decisions.decide_many(
            session, caller.project_id, repair_id, decision=payload.decision, **common
        )
    row = versioned(response, plans.get(session, caller.project_id, repair_id))
    return Decided(repair_id=repair_id, decided=decided, revision=row.revision)


@router.post(
    "/repairs/{repair_id}/apply",
    response_model=DatasetVersion | RepairPreview | RepairRun,
    responses=_MADE_BY_A_WORKER,
)
def apply_repair(
    repair_id: Id,
    caller: Maintainer,
    session: DatabaseSession,
    settings: AppSettings,
    response: Response,
    dry_run: Annotated[bool, Query(description="Only tell what the version would be.")] = False,
    changes: Annotated[int, Query(ge=0, le=1000, description="How many changes a dry run shows.")] = 20,
    if_match_header: IfMatch = None,
) -> DatasetVersion | RepairPreview | RepairRun:
    """Make the dataset version in which every approved action is carried out; a second call returns it again.

    A large version is made by a worker: 202, and the repair's ``run`` tells how far it is.
    """
    if dry_run:
        preview = runs.preview(session, caller.project_id, repair_id, limit=changes)
        return RepairPreview.model_validate(preview)
    made = runs.apply(
        session,
        caller.project_id,
        repair_id,
        rows_in_request=settings.apply_rows_in_request,
        if_revision=if_match(if_match_header),
    )
    return _made(response, made)


@router.post(
    "/repairs/{repair_id}/revert",
    response_model=DatasetVersion | RepairRun,
    responses=_MADE_BY_A_WORKER,
)
def revert_repair(
    repair_id: Id,
    caller: Maintainer,
    session: DatabaseSession,
    settings: AppSettings,
    response: Response,
    payload: NewRevert | None = None,
    if_match_header: IfMatch = None,
) -> DatasetVersion | RepairRun:
    """Make a further version in which the repair, or some of its actions, are undone; a second call returns it
    again. 409 names the rows that a later version changed since."""
    payload = payload or NewRevert()
    made = runs.revert(
        session,
        caller.project_id,
        repair_id,
        action_ids=payload.action_ids,
        version_id=payload.dataset_version_id,
        rows_in_request=settings.apply_rows_in_request,
        now=datetime.now(UTC),
        if_revision=if_match(if_match_header),
    )
    return _made(response, made)


def _made(response: Response, made: DatasetVersionRow | RepairRunRow) -> DatasetVersion | RepairRun:
    """The version, or 202 and the repair to watch."""
    if isinstance(made, DatasetVersionRow):
        return DatasetVersion.model_validate(located(response, "/v1/dataset-versions", made))
    response.status_code = 202
    response.headers["Location"] = f"/v1/repairs/{made.repair_id}"
    return RepairRun.model_validate(made)


@router.get("/repair-actions/{action_id}", response_model=RepairAction)
def read_action(
    action_id: Id, caller: Reader, session: DatabaseSession, response: Response
) -> RepairActionRow:
    return versioned(response, plans.get_action(session, caller.project_id, action_id))


@router.patch("/repair-actions/{action_id}", response_model=RepairAction, responses=documented([412]))
def decide_action(
    action_id: Id,
    payload: NewDecision,
    caller: Maintainer,
    session: DatabaseSession,
    response: Response,
    if_match_header: IfMatch = None,
) -> RepairActionRow:
    """Approve or reject one action, or take that back. Send its ETag as If-Match to decide what you have read.

    With ``answer`` the rows of a relabel or a merge get that one: those too that the plan wanted to be followed.
    """
    row = decisions.decide(
        session,
        caller.project_id,
        action_id,
        decision=payload.decision,
        answer=payload.answer,
        key_id=caller.key_id,
        now=datetime.now(UTC),
        if_revision=if_match(if_match_header),
    )
    return versioned(response, row)


@router.post(
    "/repair-actions/{action_id}/revert",
    response_model=DatasetVersion | RepairRun,
    responses=_MADE_BY_A_WORKER,
)
def revert_action(
    action_id: Id,
    caller: Maintainer,
    session: DatabaseSession,
    settings: AppSettings,
    response: Response,
    if_match_header: IfMatch = None,
) -> DatasetVersion | RepairRun:
    """Make a further version in which this one action is undone."""
    row = plans.get_action(session, caller.project_id, action_id)
    plans.require_action_revision(row, if_match(if_match_header))
    made = runs.revert(
        session,
        caller.project_id,
        row.repair_id,
        action_ids=[action_id],
        version_id=None,
        rows_in_request=settings.apply_rows_in_request,
        now=datetime.now(UTC),
        if_revision=None,
    )
    return _made(response, made)


@router.post(
    "/repair-actions/{action_id}/apply-to-similar",
    response_model=AddedActions,
    responses=documented([412]),
)
def apply_to_similar(
    action_id: Id,
    caller: Maintainer,
    session: DatabaseSession,
    response: Response,
    payload: NewSimilar | None = None,
    if_match_header: IfMatch = None,
) -> AddedActions:
    """Fix all like this: propose the same change for every row that it fits. Nothing is approved by it."""
    added = similar.add_similar(
        session,
        caller.project_id,
        action_id,
        limit=(payload or NewSimilar()).limit,
        if_revision=if_match(if_match_header),
    )
    versioned(response, added.repair)
    return AddedActions(
        repair_id=added.repair.id,
        modelled_on=action_id,
        added=len(added.actions),
        left_out=added.left_out,
        revision=added.repair.revision,
        data=[RepairAction.model_validate(row) for row in added.actions],
    )
