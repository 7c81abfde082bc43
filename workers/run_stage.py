"""One stage, from claim to result: what a worker does with a job.

A stage loads, computes and saves. This module gives it its row, its way to say how far it is, its way
to hear that it should stop, and the one transaction in which its result is written once.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from procrastinate.exceptions import JobAborted

from app.artifacts import StorageFull
from app.db.base import new_id
from app.db.session import transaction
from app.domain.job_status import Status
from app.errors import ServiceError, StageCancelled, StageError
from app.logging import get_logger
from app.queue import Stage
from app.services.work import lifecycle, work
from app.services.work.work import Claim, OutdatedRun
from workers.context import Resources, StageContext, StageInterrupted
from workers.stages import RUN

log = get_logger(__name__)


def run_stage(
    resources: Resources,
    stage: Stage,
    subject_id: str,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Run ``stage`` for one row. Re-raises a passing failure, so that the queue tries again later.

    ``should_stop``: whether this worker is told to end; the stage is then put back and JobAborted raised.
    """
    with transaction(resources.sessions) as session:
        claim = lifecycle.claim(
            session,
            stage,
            subject_id,
            run_token=new_id("run"),
            max_attempts=resources.settings.stage_attempts,
        )
    if claim is None:
        return
    context = StageContext(resources=resources, claim=claim, should_stop=should_stop)
    is_last_try = claim.attempts >= resources.settings.stage_attempts
    started = time.monotonic()
    try:
        with context.beating():
            RUN[stage](context)
        log.info(
            "stage.succeeded",
            stage=stage.value,
            subject=subject_id,
            seconds=round(time.monotonic() - started, 1),
        )
    except OutdatedRun:
        log.warning("stage.outdated", stage=stage.value, subject=subject_id)
    except (StageCancelled, StageInterrupted) as error:
        if should_stop():
            _make_room(resources, claim)
            raise JobAborted from error
        _stopped(resources, claim)
    except (StageError, ServiceError) as error:
        log.warning("stage.failed", stage=stage.value, subject=subject_id, type=error.type)
        _finish(resources, claim, Status.FAILED, error.as_problem())
    except Exception as error:
        log.exception("stage.crashed", stage=stage.value, subject=subject_id)
        problem = StageError(f"{type(error).__name__} in stage {stage.value}", type="stage-crashed")
        if _is_full_disk(error):
            problem = StageError(
                "no room left on the disk", type="storage-exhausted", title="The disk is full"
            )
        _retry_or_fail(resources, claim, error, problem, is_last_try=is_last_try)


def _retry_or_fail(
    resources: Resources, claim: Claim, error: Exception, problem: StageError, *, is_last_try: bool
) -> None:
    if is_last_try:
        _finish(resources, claim, Status.FAILED, problem.as_problem())
        return
    try:
        with transaction(resources.sessions) as session:
            work.back_to_queue(session, claim, problem.detail)
    except OutdatedRun:
        log.warning("stage.outdated", stage=claim.stage.value, subject=claim.subject_id)
        return
    raise error


def _make_room(resources: Resources, claim: Claim) -> None:
    try:
        with transaction(resources.sessions) as session:
            work.back_to_queue(session, claim, "the worker is stopped", counted=False)
    except OutdatedRun:
        log.warning("stage.outdated", stage=claim.stage.value, subject=claim.subject_id)


def _is_full_disk(error: Exception) -> bool:
    """Of the artifact store, of a scratch folder, or of the database's own disk (SQLSTATE 53100)."""
    if isinstance(error, StorageFull) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return True
    return getattr(getattr(error, "orig", None), "sqlstate", None) == "53100"


def _stopped(resources: Resources, claim: Claim) -> None:
    try:
        with transaction(resources.sessions) as session:
            lifecycle.stopped(session, claim)
    except OutdatedRun:
        log.warning("stage.outdated", stage=claim.stage.value, subject=claim.subject_id)


def _finish(resources: Resources, claim: Claim, status: Status, problem: dict[str, object] | None) -> None:
    try:
        with transaction(resources.sessions) as session:
            row = work.held(session, claim, to_finish=True)
            lifecycle.finish(session, row, status, error=problem)
    except OutdatedRun:
        log.warning("stage.outdated", stage=claim.stage.value, subject=claim.subject_id)
