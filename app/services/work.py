"""Long work: queued by a request, claimed by a worker, finished once.

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
    ImportRow,
    MixtureRow,
    RepairRow,
    RepairRunRow,
    TrainingJobRow,
    VerificationRow,
)
from app.domain.cycle_status import Status, move
from app.errors import Conflict, NotFound
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


def _locked(session: Session, row_class: type[Row], subject_id: str) -> Row | None:
    return session.scalar(
        select(row_class)
        .where(row_class.id == subject_id)  # pyright: ignore[reportAttributeAccessIssue]
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _locked_with_cycle(session: Session, stage: Stage, subject_id: str) -> WorkRow | None:
    """The row, locked after its cycle: everybody locks in this order, so nobody waits in a ring."""
    row_class = ROW_OF[stage]
    if hasattr(row_class, "cycle_id"):
        lock_cycle(session, session.scalar(select(row_class.cycle_id).where(row_class.id == subject_id)))  # pyright: ignore[reportAttributeAccessIssue]
    return _locked(session, row_class, subject_id)


def lock_cycle(session: Session, cycle_id: str | None) -> None:
    if cycle_id is not None:
        session.execute(select(CycleRow.id).where(CycleRow.id == cycle_id).with_for_update())


def claim(
    session: Session, stage: Stage, subject_id: str, *, run_token: str, max_attempts: int
) -> Claim | None:
    """Take the work, or None when there is nothing left to do for this job.

    A row whose workers died ``max_attempts`` times is failed: something in it kills workers.
    """
    row = _locked_with_cycle(session, stage, subject_id)
    if row is None or Status(row.status).is_final:
        return None
    if row.cancel_requested:
        finish(session, row, Status.CANCELLED)
        return None
    if row.attempts >= max_attempts:
        problem = {
            "type": "/problems/attempts-exhausted",
            "title": "The job was given up",
            "status": 500,
            "detail": f"tried {row.attempts} times; the last worker died or could not reach what it needs",
        }
        finish(session, row, Status.FAILED, error=problem)
        return None
    taken_over = row.status == Status.RUNNING
    row.status = move(Status(row.status), Status.RUNNING)
    row.run_token = run_token
    row.attempts += 1
    row.started_at = row.started_at or now()
    row.progress = 0.0
    events.append(
        session, row.project_id, row.id, "taken_over" if taken_over else "running", {"attempt": row.attempts}
    )
    return Claim(
        stage=stage,
        subject_id=subject_id,
        project_id=row.project_id,
        run_token=run_token,
        attempts=row.attempts,
    )


def held(session: Session, claim: Claim, *, to_finish: bool = False) -> WorkRow:
    """The claimed row, locked; raises OutdatedRun when the claim is no longer the one that counts.

    ``to_finish`` locks the cycle of the row first, as finishing moves it.
    """
    lock = _locked_with_cycle(session, claim.stage, claim.subject_id) if to_finish else None
    row = lock or _locked(session, ROW_OF[claim.stage], claim.subject_id)
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


def finish(session: Session, row: WorkRow, status: Status, *, error: dict[str, Any] | None = None) -> None:
    """The last move of a row; tells the cycle that it belongs to, in the same transaction."""
    row.status = move(Status(row.status), status)
    row.error = error
    row.finished_at = now()
    if status is Status.SUCCEEDED:
        row.progress = 1.0
    events.append(session, row.project_id, row.id, status.value, {"error": error} if error else {})
    session.flush()
    if not isinstance(row, ImportRow | EvaluationRow | RepairRunRow) and row.cycle_id is not None:
        from app.services import cycles  # a cycle starts work, and finished work moves its cycle

        cycles.work_finished(session, row.cycle_id, row)


def cancel(session: Session, row_class: type[Row], project_id: str, subject_id: str) -> Row:
    """Queued work is cancelled at once, running work as soon as its stage looks up."""
    if hasattr(row_class, "cycle_id"):
        lock_cycle(session, session.scalar(select(row_class.cycle_id).where(row_class.id == subject_id)))  # pyright: ignore[reportAttributeAccessIssue]
    row = _locked(session, row_class, subject_id)
    if row is None or row.project_id != project_id:  # pyright: ignore[reportAttributeAccessIssue]
        raise NotFound(f"no {subject_id} in this project")
    if Status(row.status).is_final:
        raise Conflict(f"{subject_id} is {row.status} already")
    row.cancel_requested = True
    if row.status == Status.QUEUED:
        finish(session, row, Status.CANCELLED)  # pyright: ignore[reportArgumentType]
    else:
        events.append(session, project_id, subject_id, "cancel_requested", {})
    return row


def delay_before_retry(attempts: int, *, wait_seconds: int) -> timedelta:
    """Exponential back-off: ``wait_seconds`` after the first try, doubled after each further one, at most
    ten minutes."""
    return timedelta(seconds=min(600, wait_seconds * 2 ** min(20, max(0, attempts - 1))))


def without_job(session: Session) -> list[tuple[Stage, str]]:
    """Work that is not done and that no job in the queue stands for; locked, so that one finder mends it."""
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
