"""The first and the last move of work: claimed by one worker, finished once, cancelled.

The top of the package: finishing tells the cycle that the work belongs to, in the same transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import queue
from app.db.models import (
    EvaluationRow,
    FineTuningJobRow,
    ImportRow,
    IntegrationDeliveryRow,
    MergeRow,
    RepairRunRow,
    TrainingJobRow,
    VerificationRow,
)
from app.domain.job_status import Status, move
from app.errors import Conflict, NotFound
from app.queue import Stage
from app.services import events
from app.services.cycles import advance
from app.services.webhooks import news
from app.services.work import work


def claim(
    session: Session, stage: Stage, subject_id: str, *, run_token: str, max_attempts: int
) -> work.Claim | None:
    """Take the work, or None when there is nothing left to do for this job.

    A row whose workers died ``max_attempts`` times is failed: something in it kills workers.
    """
    row = work.locked_with_cycle(session, stage, subject_id)
    if row is None or Status(row.status).is_final:
        return None
    if isinstance(row, TrainingJobRow) and row.paused_at is not None:
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
    row.started_at = row.started_at or work.now()
    row.progress = 0.0
    events.append(
        session, row.project_id, row.id, "taken_over" if taken_over else "running", {"attempt": row.attempts}
    )
    return work.Claim(
        stage=stage,
        subject_id=subject_id,
        project_id=row.project_id,
        run_token=run_token,
        attempts=row.attempts,
    )


def finish(
    session: Session, row: work.WorkRow, status: Status, *, error: dict[str, Any] | None = None
) -> None:
    """The last move of a row; tells the cycle that it belongs to, in the same transaction."""
    work.mark_finished(session, row, status, error=error)
    news.ended(session, row)
    if isinstance(row, ImportRow | EvaluationRow | RepairRunRow):
        return
    if isinstance(row, FineTuningJobRow | MergeRow | IntegrationDeliveryRow):
        return
    if row.cycle_id is not None:
        advance.work_finished(session, row.cycle_id, row)
    elif isinstance(row, VerificationRow) and status is Status.SUCCEEDED:
        advance.record_gate(session, row)


def cancel(session: Session, row_class: type[work.Row], project_id: str, subject_id: str) -> work.Row:
    """Queued work is cancelled at once, running work as soon as its stage looks up."""
    if hasattr(row_class, "cycle_id"):
        work.lock_cycle(session, session.scalar(select(row_class.cycle_id).where(row_class.id == subject_id)))  # pyright: ignore[reportAttributeAccessIssue]
    row = work.locked(session, row_class, subject_id)
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


def pause(session: Session, project_id: str, job_id: str) -> TrainingJobRow:
    """A queued training is parked at once, a running one after its step, with a checkpoint. Parked it holds no worker
    until :func:`resume`. Asked twice it is the same pause. Conflict once it is over or to be cancelled."""
    row = _live_training(session, project_id, job_id)
    if row.cancel_requested:
        raise Conflict(f"{job_id} is being cancelled")
    if row.paused_at is None and not row.pause_requested:
        if row.status == Status.QUEUED:
            _park(session, row)
        else:
            row.pause_requested = True
            events.append(session, project_id, job_id, "pause_requested", {})
    return row


def resume(session: Session, project_id: str, job_id: str) -> TrainingJobRow:
    """A parked training is queued again and goes on from its checkpoint; of one that is still stopping the pause is
    taken back. Conflict where nothing is paused."""
    row = _live_training(session, project_id, job_id)
    if row.paused_at is None and not row.pause_requested:
        raise Conflict(f"{job_id} is not paused")
    if row.paused_at is not None:
        row.paused_at = None
        queue.defer(session, Stage.TRAIN, row.id)
    row.pause_requested = False
    _tell(session, row, "resumed", {})
    return row


def stopped(session: Session, claim: work.Claim) -> None:
    """The stage has stopped because it was asked to: it is cancelled, parked, or, where the pause was taken back
    meanwhile, queued again."""
    row = work.held(session, claim, to_finish=True)
    if row.cancel_requested or not isinstance(row, TrainingJobRow):
        finish(session, row, Status.CANCELLED)
        return
    if not row.pause_requested:
        work.back_to_queue(session, claim, "the pause was taken back", counted=False)
        queue.defer(session, claim.stage, claim.subject_id)
        return
    row.attempts -= 1
    row.status = move(Status(row.status), Status.QUEUED)
    _park(session, row)


def _park(session: Session, row: TrainingJobRow) -> None:
    row.pause_requested = False
    row.paused_at = work.now()
    _tell(session, row, "paused", {"progress": row.progress})


def _tell(session: Session, row: TrainingJobRow, type: str, data: dict[str, Any]) -> None:
    """To the readers of the training, and to those of its cycle, which waits meanwhile."""
    events.append(session, row.project_id, row.id, type, data)
    if row.cycle_id is not None:
        of = {"stage": Stage.TRAIN.value, "subject_id": row.id}
        events.append(session, row.project_id, row.cycle_id, f"training_{type}", {**of, **data})


def _live_training(session: Session, project_id: str, job_id: str) -> TrainingJobRow:
    row = work.locked(session, TrainingJobRow, job_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no {job_id} in this project")
    if Status(row.status).is_final:
        raise Conflict(f"{job_id} is {row.status} already")
    return row
