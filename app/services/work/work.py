"""Rows of long work: queued, locked, their progress, and the last move of the row itself.

Every function here runs inside the caller's transaction and locks the row that it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
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
    MergeRow,
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
    | MergeRow
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
    Stage.MERGE: MergeRow,
    Stage.INTEGRATE: IntegrationDeliveryRow,
}

Row = TypeVar("Row", bound=LongWork)


class OutdatedRun(Exception):
    """Another run has taken this work over, or it is final: what this run computed is thrown away."""


class Asked(StrEnum):
    """Why running work is to stop: for good, or until somebody resumes it."""

    CANCEL = "cancel"
    PAUSE = "pause"


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


def report_progress(
    session: Session, claim: Claim, progress: float, message: str | None = None
) -> Asked | None:
    """Write progress 0..1; returns whether somebody asked for a stop."""
    row = held(session, claim)
    row.progress = max(0.0, min(1.0, progress))
    if message is not None:
        _tell_progress(
            session, claim, getattr(row, "cycle_id", None), {"progress": row.progress, "step": message}
        )
    if row.cancel_requested:
        return Asked.CANCEL
    return Asked.PAUSE if isinstance(row, TrainingJobRow) and row.pause_requested else None


def report_alive(
    session: Session, claim: Claim, progress: float, message: str | None, *, seconds: float
) -> bool:
    """Say that the step ``message`` is still under way after ``seconds``; False where the claim counts no longer.

    Without a lock: it is said also while the result is being written.
    """
    row_class = ROW_OF[claim.stage]
    row = session.get(row_class, claim.subject_id)
    if row is None or row.run_token != claim.run_token or row.status != Status.RUNNING:
        return False
    step = message or claim.stage.value
    _tell_progress(
        session,
        claim,
        getattr(row, "cycle_id", None),
        {"progress": max(row.progress, min(1.0, progress)), "step": step, "seconds": seconds},
    )
    return True


def _tell_progress(session: Session, claim: Claim, cycle_id: str | None, data: dict[str, Any]) -> None:
    """To the readers of the work, and to those of the cycle that it is a stage of."""
    events.append(session, claim.project_id, claim.subject_id, "progress", data)
    if cycle_id is not None:
        of = {"stage": claim.stage.value, "subject_id": claim.subject_id}
        events.append(session, claim.project_id, cycle_id, "progress", {**of, **data})


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
    if isinstance(row, TrainingJobRow):
        row.paused_at, row.pause_requested = None, False
    if status is Status.SUCCEEDED:
        row.progress = 1.0
    events.append(session, row.project_id, row.id, status.value, {"error": error} if error else {})
    session.flush()


def delay_before_retry(attempts: int, *, wait_seconds: int) -> timedelta:
    """Exponential back-off: ``wait_seconds`` after the first try, doubled after each further one, at most
    ten minutes."""
    return timedelta(seconds=min(600, wait_seconds * 2 ** min(20, max(0, attempts - 1))))


def without_job(session: Session) -> list[tuple[Stage, str]]:
    """Work that is not done and that no job in the queue stands for; locked, so that one finder re-queues it.
    A paused training waits for nobody but its user."""
    lost: list[tuple[Stage, str]] = []
    for stage, row_class in ROW_OF.items():
        abandoned = text(
            "NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS job"  # noqa: S608 - a table's own name
            f" WHERE job.lock = {row_class.__tablename__}.id AND job.status IN ('todo', 'doing'))"
        )
        statement = select(row_class.id).where(
            row_class.status.in_([Status.QUEUED.value, Status.RUNNING.value]), abandoned
        )
        if row_class is TrainingJobRow:
            statement = statement.where(TrainingJobRow.paused_at.is_(None))
        rows = session.scalars(statement.with_for_update(skip_locked=True))
        lost += [(stage, subject_id) for subject_id in rows]
    return lost
