"""Mixtures: what a model is trained on, made from a dataset version by a recipe."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.dependencies import DatabaseSession, Maintainer, Page, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.pipeline import Mixture, NewMixture
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import MixtureRow
from app.db.repositories.pages import Page as PageOf
from app.services import listings
from app.services.training import mixtures
from app.services.work import lifecycle

router = APIRouter(prefix="/v1/mixtures", tags=["mixtures"], route_class=TransactionRoute)


@router.post("", status_code=202, response_model=Mixture)
def create_mixture(
    payload: NewMixture, caller: Maintainer, session: DatabaseSession, response: Response
) -> MixtureRow:
    row = mixtures.create(
        session,
        caller.project_id,
        dataset_version_id=payload.dataset_version_id,
        diagnosis_id=payload.diagnosis_id,
        recipe=payload.recipe,
    )
    return located(response, "/v1/mixtures", row)


@router.get("", response_model=ListOf[Mixture])
def list_mixtures(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    dataset_version_id: Id | None = None,
    cycle_id: Id | None = None,
) -> PageOf[MixtureRow]:
    return listings.in_project(
        session,
        caller.project_id,
        MixtureRow,
        page,
        status=status,
        dataset_version_id=dataset_version_id,
        cycle_id=cycle_id,
    )


@router.get("/{mixture_id}", response_model=Mixture)
def read_mixture(mixture_id: Id, caller: Reader, session: DatabaseSession) -> MixtureRow:
    return mixtures.get(session, caller.project_id, mixture_id)


@router.post("/{mixture_id}/cancel", response_model=Mixture)
def cancel_mixture(mixture_id: Id, caller: Maintainer, session: DatabaseSession) -> MixtureRow:
    return lifecycle.cancel(session, MixtureRow, caller.project_id, mixture_id)
