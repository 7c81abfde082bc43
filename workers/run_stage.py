"""One stage, from claim to result: what a worker does with a job.

A stage loads, computes and saves. This module gives it its row, its way to say how far it is, its way
to hear that it should stop, and the one transaction in which its result is written once.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from procrastinate.exceptions import JobAborted
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore, StorageFull
from app.db.base import new_id
from app.db.session import SessionFactory, transaction
from app.domain.cycle_status import Status
from app.errors import ServiceError, StageCancelled, StageError, StageInterrupted
from app.logging import get_logger
from app.queue import Stage
from app.services import work
from app.services.work import Claim, OutdatedRun, WorkRow
from app.settings import Settings

log = get_logger(__name__)

PROGRESS_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a worker process has: opened once, shared by all its stages."""

    settings: Settings
    sessions: SessionFactory
    store: ArtifactStore


@dataclass(slots=True, kw_only=True)
class StageContext:
    resources: Resources
    claim: Claim
    should_stop: Callable[[], bool] = field(default=lambda: False)
    _last_report: float = field(default=0.0)
    _cancelled: bool = field(default=False)

    @property
    def settings(self) -> Settings:
        return self.resources.settings

    @property
    def sessions(self) -> SessionFactory:
        return self.resources.sessions

    @property
    def store(self) -> ArtifactStore:
        return self.resources.store

    def progress(self, fraction: float, step: str | None = None) -> None:
        """Say how far the stage is (0..1); raises StageCancelled when somebody asked for a stop.

        Called as often as the stage likes; the database hears of it once a second, and of every ``step``.
        """
        if self.should_stop():
            raise StageInterrupted(self.claim.subject_id)
        due = time.monotonic() - self._last_report >= PROGRESS_EVERY_SECONDS
        if due or step is not None:
            self._last_report = time.monotonic()
            with transaction(self.sessions) as session:
                self._cancelled = work.report_progress(session, self.claim, fraction, step)
        if self._cancelled:
            raise StageCancelled(self.claim.subject_id)

    def span(self, start: float, end: float) -> Callable[[float], None]:
        """A progress function for a part of the stage that fills ``start``..``end``."""
        return lambda fraction: self.progress(start + (end - start) * fraction)

    def should_cancel(self) -> bool:
        """The same question without the exception, for loops in child processes."""
        try:
            self.progress(self._fraction())
        except (StageCancelled, StageInterrupted):
            return True
        return False

    def _fraction(self) -> float:
        with self.sessions() as session:
            row = session.get(work.ROW_OF[self.claim.stage], self.claim.subject_id)
            return row.progress if row is not None else 0.0

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for loading; nothing is committed."""
        with self.sessions() as session:
            yield session

    @contextmanager
    def saving(self) -> Iterator[tuple[Session, WorkRow]]:
        """The transaction that writes the result and finishes the row: both, once, or neither."""
        with transaction(self.sessions) as session:
            row = work.held(session, self.claim, to_finish=True)
            if row.cancel_requested:
                raise StageCancelled(self.claim.subject_id)
            yield session, row
            work.finish(session, row, Status.SUCCEEDED)


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
    from workers.stages import RUN

    with transaction(resources.sessions) as session:
        claim = work.claim(
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
        _finish(resources, claim, Status.CANCELLED, None)
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


def _finish(resources: Resources, claim: Claim, status: Status, problem: dict[str, object] | None) -> None:
    try:
        with transaction(resources.sessions) as session:
            row = work.held(session, claim, to_finish=True)
            work.finish(session, row, status, error=problem)
    except OutdatedRun:
        log.warning("stage.outdated", stage=claim.stage.value, subject=claim.subject_id)
