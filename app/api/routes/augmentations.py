"""Augmentations: a dataset version grown where the diagnosis found gaps."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.dependencies import DatabaseSession, Maintainer, Page, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.pipeline import Augmentation, NewAugmentation
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import AugmentationRow
from app.db.repositories.pages import Page as PageOf
from app.services import listings
from app.services.training import augmentations
from app.services.work import lifecycle

router = APIRouter(prefix="/v1/augmentations", tags=["augmentations"], route_class=TransactionRoute)


@router.post("", status_code=202, response_model=Augmentation)
def create_augmentation(
    payload: NewAugmentation, caller: Maintainer, session: DatabaseSession, response: Response
) -> AugmentationRow:
    row = augmentations.create(
        session,
        caller.project_id,
        diagnosis_id=payload.diagnosis_id,
        dataset_version_id=payload.dataset_version_id,
        options=payload.options,
    )
    return located(response, "/v1/augmentations", row)


@router.get("", response_model=ListOf[Augmentation])
def list_augmentations(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    diagnosis_id: Id | None = None,
    cycle_id: Id | None = None,
) -> PageOf[AugmentationRow]:
    return listings.in_project(
        session,
        caller.project_id,
        AugmentationRow,
        page,
        status=status,
        diagnosis_id=diagnosis_id,
        cycle_id=cycle_id,
    )


@router.get("/{augmentation_id}", response_model=Augmentation)
def read_augmentation(augmentation_id: Id, caller: Reader, session: DatabaseSession) -> AugmentationRow:
    return augmentations.get(session, caller.project_id, augmentation_id)


@router.post("/{augmentation_id}/cancel", response_model=Augmentation)
def cancel_augmentation(augmentation_id: Id, caller: Maintainer, session: DatabaseSession) -> AugmentationRow:
    return lifecycle.cancel(session, AugmentationRow, caller.project_id, augmentation_id)
