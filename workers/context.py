"""What a stage is given: its claim, its settings and stores, its way to say how far it is and to save once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import AdapterRow
from app.db.session import SessionFactory, transaction
from app.domain.job_status import Status
from app.errors import StageCancelled
from app.services.work import lifecycle, work
from app.services.work.work import Asked, Claim, WorkRow
from app.settings import Settings
from workers import heartbeat
from workers.heartbeat import Heartbeat

PROGRESS_EVERY_SECONDS = 1.0


class StageInterrupted(Exception):
    """The worker is told to end: the stage makes room and is run again by another worker."""


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
    _asked: Asked | None = field(default=None)
    fraction: float = field(default=0.0)
    """How far the stage was when it last said so."""
    _step: str | None = field(default=None)
    _heartbeat: Heartbeat | None = field(default=None)

    @property
    def settings(self) -> Settings:
        return self.resources.settings

    @property
    def sessions(self) -> SessionFactory:
        return self.resources.sessions

    @property
    def store(self) -> ArtifactStore:
        return self.resources.store

    def adapter_folder(self, adapter: AdapterRow) -> Path:
        """The adapter's files in a local folder, fetched once."""
        return self.store.folder(adapter.uri, self.settings.adapters_dir)

    def progress(self, fraction: float, step: str | None = None) -> None:
        """Say how far the stage is (0..1); raises StageCancelled when somebody asked for a stop.

        Called as often as the stage likes; the database hears of it once a second, and of every ``step``.
        """
        if self.should_stop():
            raise StageInterrupted(self.claim.subject_id)
        self.fraction = fraction
        due = time.monotonic() - self._last_report >= PROGRESS_EVERY_SECONDS
        if due or step is not None:
            self._last_report = time.monotonic()
            with transaction(self.sessions) as session:
                self._asked = work.report_progress(session, self.claim, fraction, step)
        if step is not None:
            self._step = step
            if self._heartbeat is not None:
                self._heartbeat.step_began()
        if self._asked is not None:
            raise StageCancelled(self.claim.subject_id)

    @property
    def is_paused(self) -> bool:
        """The stop that was asked for is a pause: what is needed to go on later has to stay."""
        return self._asked is Asked.PAUSE

    @contextmanager
    def beating(self) -> Iterator[None]:
        """While the stage runs, its readers hear at least every five seconds what it does."""
        self._heartbeat = Heartbeat(beat=self._beat, every_seconds=heartbeat.EVERY_SECONDS)
        self._heartbeat.start()
        try:
            yield
        finally:
            self._heartbeat.stop()

    def _beat(self, seconds: float) -> bool:
        with transaction(self.sessions) as session:
            return work.report_alive(session, self.claim, self.fraction, self._step, seconds=seconds)

    def span(self, start: float, end: float) -> Callable[[float], None]:
        """A progress function for a part of the stage that fills ``start``..``end``."""
        return lambda fraction: self.progress(start + (end - start) * fraction)

    def should_cancel(self) -> bool:
        """The same question without the exception, for loops in child processes."""
        try:
            self.progress(self.fraction)
        except (StageCancelled, StageInterrupted):
            return True
        return False

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
            if self._heartbeat is not None:
                self._heartbeat.stop()
            lifecycle.finish(session, row, Status.SUCCEEDED)
