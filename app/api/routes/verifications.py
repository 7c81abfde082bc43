"""Verifications: is the case fixed, and was anything forgotten?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.dependencies import DatabaseSession, Maintainer, Page, PageInOrder, Reader
from app.api.response_headers import located
from app.api.schemas.common import Id, ListOf
from app.api.schemas.pipeline import NewVerification, Verification, VerificationCase
from app.api.transaction_route import TransactionRoute
from app.db.base import WorkStatus
from app.db.models import VerificationCaseRow, VerificationRow
from app.db.repositories.pages import Page as PageOf
from app.services import listings
from app.services.training import verifications
from app.services.work import lifecycle

router = APIRouter(prefix="/v1/verifications", tags=["verifications"], route_class=TransactionRoute)

_Word = Annotated[str | None, Query(max_length=16)]


@router.post("", status_code=202, response_model=Verification)
def create_verification(
    payload: NewVerification, caller: Maintainer, session: DatabaseSession, response: Response
) -> VerificationRow:
    row = verifications.create(
        session,
        caller.project_id,
        diagnosis_id=payload.diagnosis_id,
        adapter_id=payload.adapter_id,
        before_adapter_id=payload.before_adapter_id,
        retention_version_id=payload.retention_version_id,
        options=payload.options,
    )
    return located(response, "/v1/verifications", row)


@router.get("", response_model=ListOf[Verification])
def list_verifications(
    caller: Reader,
    session: DatabaseSession,
    page: Page,
    status: WorkStatus | None = None,
    diagnosis_id: Id | None = None,
    adapter_id: Id | None = None,
    cycle_id: Id | None = None,
) -> PageOf[VerificationRow]:
    return listings.in_project(
        session,
        caller.project_id,
        VerificationRow,
        page,
        status=status,
        diagnosis_id=diagnosis_id,
        adapter_id=adapter_id,
        cycle_id=cycle_id,
    )


@router.get("/{verification_id}", response_model=Verification)
def read_verification(verification_id: Id, caller: Reader, session: DatabaseSession) -> VerificationRow:
    return verifications.get(session, caller.project_id, verification_id)


@router.get("/{verification_id}/cases", response_model=ListOf[VerificationCase])
def list_verification_cases(
    verification_id: Id,
    caller: Reader,
    session: DatabaseSession,
    page: PageInOrder,
    split: _Word = None,
    verdict: _Word = None,
    bad_case_id: Id | None = None,
) -> PageOf[VerificationCaseRow]:
    """Every prompt that was answered before and after."""
    verifications.get(session, caller.project_id, verification_id)
    return listings.of_parent(
        session,
        VerificationCaseRow,
        {"verification_id": verification_id},
        page,
        split=split,
        verdict=verdict,
        bad_case_id=bad_case_id,
    )


@router.post("/{verification_id}/cancel", response_model=Verification)
def cancel_verification(verification_id: Id, caller: Maintainer, session: DatabaseSession) -> VerificationRow:
    return lifecycle.cancel(session, VerificationRow, caller.project_id, verification_id)
