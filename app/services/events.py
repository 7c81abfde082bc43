"""What happened to a piece of long work, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.base import LongWork, WorkStatus
from app.db.models import (
    AugmentationRow,
    CycleRow,
    DiagnosisRow,
    EvaluationRow,
    EventRow,
    ImportRow,
    MergeRow,
    MixtureRow,
    RepairRow,
    TrainingJobRow,
    VerificationRow,
)
from app.errors import NotFound

SUBJECTS: Final[dict[str, type[LongWork]]] = {
    "imports": ImportRow,
    "diagnoses": DiagnosisRow,
    "repairs": RepairRow,
    "augmentations": AugmentationRow,
    "mixtures": MixtureRow,
    "training-jobs": TrainingJobRow,
    "evaluations": EvaluationRow,
    "verifications": VerificationRow,
    "merges": MergeRow,
    "cycles": CycleRow,
}
"""Every noun that has events, as it stands in the URL."""


def append(session: Session, project_id: str, subject_id: str, type: str, data: dict[str, Any]) -> EventRow:
    event = EventRow(project_id=project_id, subject_id=subject_id, type=type, data=data)
    session.add(event)
    session.flush()
    return event


def require_subject(session: Session, project_id: str, noun: str, subject_id: str) -> None:
    row = session.get(SUBJECTS[noun], subject_id)
    if row is None or row.project_id != project_id:  # pyright: ignore[reportAttributeAccessIssue]
        raise NotFound(f"no {subject_id} in this project")


def after(session: Session, subject_id: str, *, after_id: int, limit: int) -> Sequence[EventRow]:
    """The next events of a subject, oldest first."""
    statement = (
        select(EventRow)
        .where(EventRow.subject_id == subject_id, EventRow.id > after_id)
        .order_by(EventRow.id)
        .limit(limit)
    )
    return session.scalars(statement).all()


def latest(session: Session, subject_id: str, *, limit: int) -> Sequence[EventRow]:
    """The last events of a subject, newest first."""
    statement = select(EventRow).where(EventRow.subject_id == subject_id).order_by(EventRow.id.desc())
    return session.scalars(statement.limit(limit)).all()


def is_final(session: Session, noun: str, subject_id: str) -> bool:
    """Whether nothing more will happen to the subject; true when it is gone."""
    row_class = SUBJECTS[noun]
    status = session.scalar(select(row_class.status).where(row_class.id == subject_id))  # pyright: ignore[reportAttributeAccessIssue]
    return status is None or WorkStatus(status).is_final
