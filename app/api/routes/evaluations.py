"""Evaluations: a model answers every prompt of a dataset version."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.dependencies import DatabaseSession, Maintainer, Page, PageInOrder, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.pipeline import Answer, Evaluation, NewEvaluation
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import EvaluationRow
from app.db.repositories.pages import Page as PageOf
from app.services import listings
from app.services.training import evaluations
from app.services.work import lifecycle

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"], route_class=TransactionRoute)


@router.post("", status_code=202, response_model=Evaluation)
def create_evaluation(
    payload: NewEvaluation, caller: Maintainer, session: DatabaseSession, response: Response
) -> EvaluationRow:
    row = evaluations.create(
        session,
        caller.project_id,
        dataset_version_id=payload.dataset_version_id,
        base_model=payload.base_model,
        adapter_id=payload.adapter_id,
        options=payload.options,
    )
    return located(response, "/v1/evaluations", row)


@router.get("", response_model=ListOf[Evaluation])
def list_evaluations(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    dataset_version_id: Id | None = None,
    adapter_id: Id | None = None,
) -> PageOf[EvaluationRow]:
    return listings.in_project(
        session,
        caller.project_id,
        EvaluationRow,
        page,
        status=status,
        dataset_version_id=dataset_version_id,
        adapter_id=adapter_id,
    )


@router.get("/{evaluation_id}", response_model=Evaluation)
def read_evaluation(evaluation_id: Id, caller: Reader, session: DatabaseSession) -> EvaluationRow:
    return evaluations.get(session, caller.project_id, evaluation_id)


@router.get("/{evaluation_id}/answers", response_model=ListOf[Answer])
def list_answers(
    evaluation_id: Id,
    caller: Reader,
    session: DatabaseSession,
    page: PageInOrder,
    correct: bool | None = None,
) -> PageOf[listings.Answer]:
    """Every answer beside what the dataset says, in the dataset's order."""
    evaluations.get(session, caller.project_id, evaluation_id)
    return listings.answers(session, evaluation_id, page, correct=correct)


@router.post("/{evaluation_id}/cancel", response_model=Evaluation)
def cancel_evaluation(evaluation_id: Id, caller: Maintainer, session: DatabaseSession) -> EvaluationRow:
    return lifecycle.cancel(session, EvaluationRow, caller.project_id, evaluation_id)
