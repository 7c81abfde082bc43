"""Verifications: the same prompts before and after, compared answer by answer."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import VerificationCaseRow, VerificationRow
from app.domain.verification.options import VerificationOptions
from app.errors import InvalidInput, NotFound
from app.queue import Stage
from app.services.diagnoses import diagnoses
from app.services.training import adapters
from app.services.versions import versions
from app.services.work import work


def create(
    session: Session,
    project_id: str,
    *,
    diagnosis_id: str,
    adapter_id: str,
    before_adapter_id: str | None = None,
    retention_version_id: str | None = None,
    options: VerificationOptions | None = None,
    cycle_id: str | None = None,
) -> VerificationRow:
    """Queue the check of ``adapter_id`` on the cases of a diagnosis and on a retention set."""
    diagnoses.get_succeeded(session, project_id, diagnosis_id)
    adapter = adapters.get_adapter(session, project_id, adapter_id)
    if before_adapter_id is not None:
        before = adapters.get_adapter(session, project_id, before_adapter_id)
        if before.base_model != adapter.base_model:
            raise InvalidInput("before_adapter_id: both adapters must be of one base model")
    if retention_version_id is not None:
        versions.require(session, project_id, retention_version_id)
    row = VerificationRow(
        project_id=project_id,
        diagnosis_id=diagnosis_id,
        cycle_id=cycle_id,
        adapter_id=adapter_id,
        before_adapter_id=before_adapter_id,
        retention_version_id=retention_version_id,
        options=(options or VerificationOptions()).given(),
    )
    work.enqueue(session, Stage.VERIFY, row)
    return row


def get(session: Session, project_id: str, verification_id: str) -> VerificationRow:
    row = session.get(VerificationRow, verification_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no verification {verification_id} in this project")
    return row


def list_cases(session: Session, verification_id: str) -> list[VerificationCaseRow]:
    return list(
        session.scalars(
            select(VerificationCaseRow)
            .where(VerificationCaseRow.verification_id == verification_id)
            .order_by(VerificationCaseRow.ordinal)
        )
    )
