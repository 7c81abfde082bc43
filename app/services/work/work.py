"""Rows of long work: queued, locked, their progress, and the last move of the row itself.

Every function here runs inside the caller's transaction and locks the row that it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import queue
from app.db.base import LongWork
from app.db.models import (
    AugmentationRow,
    CycleRow,
    DiagnosisRow,
    EvaluationRow,
    FineTuningJobRow,
    ImportRow,
    IntegrationDeliveryRow,
    MixtureRow,
    RepairRow,
    RepairRunRow,
    TrainingJobRow,
    VerificationRow,
)
from app.domain.job_status import Status, move
from app.queue import Stage
from app.services import events

WorkRow = (
    ImportRow
    | DiagnosisRow
    | RepairRow
    | RepairRunRow
    | AugmentationRow
    | MixtureRow
    | TrainingJobRow
    | EvaluationRow
    | VerificationRow
    | FineTuningJobRow
    | IntegrationDeliveryRow
)

ROW_OF: dict[Stage, type[WorkRow]] = {
    Stage.IMPORT: ImportRow,
    Stage.DIAGNOSE: DiagnosisRow,
    Stage.REPAIR: RepairRow,
    Stage.APPLY: RepairRunRow,
    Stage.AUGMENT: AugmentationRow,
    Stage.MIX: MixtureRow,
    Stage.TRAIN: TrainingJobRow,
    Stage.EVALUATE: EvaluationRow,
    Stage.VERIFY: VerificationRow,
    Stage.VALIDATE: FineTuningJobRow,
    Stage.INTEGRATE: IntegrationDeliveryRow,
}

Row = TypeVar("Row", bound=LongWork)


class OutdatedRun(Exception):
    """Another run has taken this work over, or it is final: what this run computed is thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right of one run to work on a row and to write its result."""

    stage: Stage
    subject_id: str
    project_id: str
    run_token: str
    attempts: int


def enqueue(session: Session, stage: Stage, row: WorkRow) -> None:
    """Store the row and its job together."""
    session.add(row)
    session.flush()
    events.append(session, row.project_id, row.id, "queued", {})
    queue.defer(session, stage, row.id)


def now() -> datetime:
    return datetime.now(UTC)


def locked(session: Session, row_class: type[Row], subject_id: str) -> Row | None:
    return session.scalar(
        select(row_class)
        .where(row_class.id == subject_id)  # pyright: ignore[reportAttributeAccessIssue]
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def locked_with_cycle(session: Session, stage: Stage, subject_id: str) -> WorkRow | None:
    """The row, locked after its cycle: lock order is cycle, then row, which prevents deadlocks."""
    row_class = ROW_OF[stage]
    if hasattr(row_class, "cycle_id"):
        lock_cycle(session, session.scalar(select(row_class.cycle_id).where(row_class.id == subject_id)))  # pyright: ignore[reportAttributeAccessIssue]
    return locked(session, row_class, subject_id)


def lock_cycle(session: Session, cycle_id: str | None) -> None:
    if cycle_id is not None:
        session.execute(select(CycleRow.id).where(CycleRow.id == cycle_id).with_for_update())


def held(session: Session, claim: Claim, *, to_finish: bool = False) -> WorkRow:
    """The claimed row, locked; raises OutdatedRun when the claim is no longer the one that counts.

    ``to_finish`` locks the cycle of the row first, as finishing moves it.
    """
    lock = locked_with_cycle(session, claim.stage, claim.subject_id) if to_finish else None
    row = lock or locked(session, ROW_OF[claim.stage], claim.subject_id)
    if row is None or row.run_token != claim.run_token or row.status != Status.RUNNING:
        raise OutdatedRun(claim.subject_id)
    return row


def report_progress(session: Session, claim: Claim, progress: float, message: str | None = None) -> bool:
    """Write progress 0..1; returns whether somebody asked for a cancel."""
    row = held(session, claim)
    row.progress = max(0.0, min(1.0, progress))
    if message is not None:
        events.append(
            session, row.project_id, row.id, "progress", {"progress": row.progress, "step": message}
        )
    return row.cancel_requested


def back_to_queue(session: Session, claim: Claim, reason: str, *, counted: bool = True) -> None:
    """A try failed for a passing reason: the queue will try again. One that only made room for a restart
    is not counted as a try."""
    row = held(session, claim)
    if not counted:
        row.attempts -= 1
    row.status = move(Status(row.status), Status.QUEUED)
    events.append(session, row.project_id, row.id, "retrying", {"reason": reason})


def mark_finished(
    session: Session, row: WorkRow, status: Status, *, error: dict[str, Any] | None = None
) -> None:
    """The last move of a row. Only ``lifecycle`` calls it, which tells the row's cycle as well."""
    row.status = move(Status(row.status), status)
    row.error = error
    row.finished_at = now()
    if status is Status.SUCCEEDED:
        row.progress = 1.0
    events.append(session, row.project_id, row.id, status.value, {"error": error} if error else {})
    session.flush()


def delay_before_retry(attempts: int, *, wait_seconds: int) -> timedelta:
    """Exponential back-off: ``wait_seconds`` after the first try, doubled after each further one, at most
    ten minutes."""
    return timedelta(seconds=min(600, wait_seconds * 2 ** min(20, max(0, attempts - 1))))


def without_job(session: Session) -> list[tuple[Stage, str]]:
    """Work that is not done and that no job in the queue stands for; locked, so that one finder re-queues it."""
    lost: list[tuple[Stage, str]] = []
    for stage, row_class in ROW_OF.items():
        abandoned = text(
            "NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS job"  # noqa: S608 - a table's own name
            f" WHERE job.lock = {row_class.__tablename__}.id AND job.status IN ('todo', 'doing'))"
        )
        rows = session.scalars(
            select(row_class.id)
            .where(row_class.status.in_([Status.QUEUED.value, Status.RUNNING.value]), abandoned)
            .with_for_update(skip_locked=True)
        )
        lost += [(stage, subject_id) for subject_id in rows]
    return lost
