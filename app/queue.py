"""The door to the job queue: a job is committed together with the row that it works on.

Knows names, queues and how to defer inside a transaction. Does not know what the stages do.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import procrastinate
from sqlalchemy import text
from sqlalchemy.orm import Session

RUN_STAGE = "casemend.run_stage"
DELIVER = "casemend.deliver"
NEWS_QUEUE = "news"


class Queue(StrEnum):
    CPU = "cpu"
    LLM = "llm"
    GPU = "gpu"


class Stage(StrEnum):
    """Every kind of long work, named by what is done."""

    IMPORT = "import"
    DIAGNOSE = "diagnose"
    REPAIR = "repair"
    APPLY = "apply"
    AUGMENT = "augment"
    MIX = "mix"
    TRAIN = "train"
    EVALUATE = "evaluate"
    VERIFY = "verify"
    MERGE = "merge"
    VALIDATE = "validate"
    INTEGRATE = "integrate"


QUEUE_OF: dict[Stage, Queue] = {
    Stage.IMPORT: Queue.CPU,
    Stage.DIAGNOSE: Queue.CPU,
    Stage.REPAIR: Queue.CPU,
    Stage.APPLY: Queue.CPU,
    Stage.AUGMENT: Queue.LLM,
    Stage.MIX: Queue.CPU,
    Stage.TRAIN: Queue.GPU,
    Stage.EVALUATE: Queue.GPU,
    Stage.VERIFY: Queue.GPU,
    Stage.MERGE: Queue.CPU,
    Stage.VALIDATE: Queue.CPU,
    Stage.INTEGRATE: Queue.CPU,
}

# Never opened: it only renders the INSERT, which then runs on the caller's own connection.
_app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer(session: Session, stage: Stage, subject_id: str, *, delay: timedelta | None = None) -> int:
    """Put ``stage`` for ``subject_id`` on its queue, inside the session's transaction.

    One subject is worked on by one worker at a time (the job's ``lock``).
    Returns the job's number in the queue.
    """
    session.flush()
    connection = session.connection().connection.driver_connection
    deferrer = _app.configure_task(
        RUN_STAGE,
        allow_unknown=True,
        queue=QUEUE_OF[stage].value,
        lock=subject_id,
        schedule_in={"seconds": int(delay.total_seconds())} if delay else None,
        connection=connection,
    )
    return deferrer.defer(stage=stage.value, subject_id=subject_id)


def defer_delivery(session: Session, delivery_id: str, *, delay: timedelta | None = None) -> None:
    """Have a message sent to its webhook, inside the session's transaction."""
    session.flush()
    _app.configure_task(
        DELIVER,
        allow_unknown=True,
        queue=NEWS_QUEUE,
        lock=delivery_id,
        schedule_in={"seconds": int(delay.total_seconds())} if delay else None,
        connection=session.connection().connection.driver_connection,
    ).defer(delivery_id=delivery_id)


def defer_again_for_dead_worker(
    session: Session, job_id: int, stage: Stage | None, subject_id: str, *, stalled_seconds: float
) -> bool:
    """Replace the job of a worker that is dead by a new one; False when it is alive after all. Without a ``stage``
    the subject is a message to a webhook.

    Replaced rather than reset: the dead worker, should it only have been slow, then ends a job that is
    gone, and not the one that its successor runs.
    """
    gone = session.execute(
        text(
            "DELETE FROM procrastinate_jobs AS job WHERE job.id = :id AND job.status = 'doing'"
            " AND NOT EXISTS (SELECT 1 FROM procrastinate_workers AS worker WHERE worker.id = job.worker_id"
            " AND worker.last_heartbeat > now() - make_interval(secs => :seconds)) RETURNING job.id"
        ),
        {"id": job_id, "seconds": stalled_seconds},
    ).first()
    if gone is None:
        return False
    if stage is None:
        defer_delivery(session, subject_id)
    else:
        defer(session, stage, subject_id)
    return True
