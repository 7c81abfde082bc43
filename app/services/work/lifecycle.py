"""The first and the last move of work: claimed by one worker, finished once, cancelled.

The top of the package: finishing tells the cycle that the work belongs to, in the same transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import EvaluationRow, FineTuningJobRow, ImportRow, IntegrationDeliveryRow, RepairRunRow
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
    if isinstance(row, ImportRow | EvaluationRow | RepairRunRow | FineTuningJobRow | IntegrationDeliveryRow):
        return
    if row.cycle_id is not None:
        advance.work_finished(session, row.cycle_id, row)


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
