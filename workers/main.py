"""A worker process: takes jobs from its queues and runs their stages.

Any number of workers, on any number of machines, join by pointing at the same database. One that dies is
noticed by its missing heartbeat, and its jobs go back to their queues.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import procrastinate
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app import logging, queue
from app.artifacts import ArtifactStore
from app.db.embedded import database_url, libpq_url
from app.db.models import TrainingJobRow
from app.db.session import make_engine, make_sessions, transaction
from app.domain.job_status import Status
from app.queue import DELIVER, RUN_STAGE, Queue, Stage
from app.services.training import retention
from app.services.webhooks import deliveries
from app.services.work import work as work_rows
from app.settings import Settings, get_settings
from workers import news
from workers.context import Resources
from workers.priority import stand_back
from workers.run_stage import run_stage

log = logging.get_logger(__name__)

# what a killed process left half-written in the artifact store
ABANDONED_AFTER_SECONDS = 24 * 3600
LOOK_FOR_LOST_WORK_SECONDS = 60.0
REMOVE_EXPIRED_SECONDS = 3600.0


class BackOff(procrastinate.BaseRetryStrategy):
    """Waits longer after each try and never gives up: the row counts its tries, and ``claim`` fails it.

    So the queue cannot drop a job whose row still waits for it.
    """

    def __init__(self, wait_seconds: int) -> None:
        self._wait_seconds = wait_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision:  # noqa: ARG002
        wait = work_rows.delay_before_retry(job.attempts + 1, wait_seconds=self._wait_seconds)
        return procrastinate.RetryDecision(retry_in={"seconds": int(wait.total_seconds())})


@contextmanager
def open_resources(settings: Settings, url: str) -> Iterator[Resources]:
    engine = make_engine(url, pool_size=5)
    store = ArtifactStore(settings.artifact_store_url)
    store.delete_abandoned(older_than_seconds=ABANDONED_AFTER_SECONDS)
    try:
        yield Resources(settings=settings, sessions=make_sessions(engine), store=store)
    finally:
        engine.dispose()


def make_app(resources: Resources, url: str) -> procrastinate.App:
    """The queue's worker side: one task for all stages, and one for messages to webhooks."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=libpq_url(url), max_size=4))
    retry = BackOff(resources.settings.retry_wait_seconds)
    news.add_task(app, resources, retry)

    @app.task(name=RUN_STAGE, retry=retry, pass_context=True)
    def run(context: JobContext, *, stage: str, subject_id: str) -> None:
        run_stage(resources, Stage(stage), subject_id, should_stop=context.should_abort)

    return app


async def work(settings: Settings, url: str, queues: Sequence[Queue], *, until_idle: bool = False) -> None:
    """Run jobs of ``queues`` until told to stop; ``until_idle`` ends when the queues are empty."""
    with open_resources(settings, url) as resources:
        tidy_up(resources)
        await _run(make_app(resources, url), resources, queues, until_idle=until_idle)


async def _run(
    app: procrastinate.App, resources: Resources, queues: Sequence[Queue], *, until_idle: bool
) -> None:
    settings = resources.settings
    async with app.open_async():
        beside = [asyncio.create_task(_rescue_forever(app, resources))]
        if Queue.CPU in queues:
            beside.append(asyncio.create_task(news.run(app, settings)))
        try:
            await app.run_worker_async(
                queues=[q.value for q in queues],
                concurrency=1,
                wait=not until_idle,
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=settings.heartbeat_seconds,
                stalled_worker_timeout=settings.stalled_seconds,
                install_signal_handlers=True,
                delete_jobs="successful",
                shutdown_graceful_timeout=1.0,
            )
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _rescue_forever(app: procrastinate.App, resources: Resources) -> None:
    """Put the jobs of dead workers back, and make jobs for work that lost its own; every worker looks."""
    settings = resources.settings
    looked_at = time.monotonic()
    removed_at = looked_at
    while True:
        try:
            stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=settings.stalled_seconds)
            for job in stalled:
                await asyncio.to_thread(_rescue, resources, job)
            if time.monotonic() - looked_at > LOOK_FOR_LOST_WORK_SECONDS:
                looked_at = time.monotonic()
                await asyncio.to_thread(_find_lost_work, resources)
            if time.monotonic() - removed_at > REMOVE_EXPIRED_SECONDS:
                removed_at = time.monotonic()
                await asyncio.to_thread(tidy_up, resources)
        except (ConnectorException, DBAPIError) as error:
            log.warning("rescue.database_unreachable", error=type(error).__name__)
        await asyncio.sleep(max(0.5, settings.stalled_seconds / 5))


def _rescue(resources: Resources, job: Job) -> None:
    if job.task_name == DELIVER:
        stage, subject_id = None, str(job.task_kwargs["delivery_id"])
    else:
        stage, subject_id = Stage(str(job.task_kwargs["stage"])), str(job.task_kwargs["subject_id"])
    assert job.id is not None
    with transaction(resources.sessions) as session:
        rescued = queue.defer_again_for_dead_worker(
            session, job.id, stage, subject_id, stalled_seconds=resources.settings.stalled_seconds
        )
    if rescued:
        log.warning("job.rescued", task=stage.value if stage else "deliver", subject=subject_id)


def _find_lost_work(resources: Resources) -> None:
    with transaction(resources.sessions) as session:
        for stage, subject_id in work_rows.without_job(session):
            queue.defer(session, stage, subject_id)
            log.warning("work.found_without_job", stage=stage.value, subject=subject_id)
        for delivery_id in deliveries.defer_lost(session):
            log.warning("webhook.found_without_job", delivery=delivery_id)


def tidy_up(resources: Resources) -> None:
    """What nobody needs any more; when a worker starts, and every hour."""
    remove_run_folders(resources)
    _remove_expired(resources)


def remove_run_folders(resources: Resources) -> None:
    """Of trainings that are over: one that is cancelled while it is parked, or whose worker died, ends where nobody
    holds its folder and the checkpoints in it."""
    folders = {folder.name: folder for folder in resources.settings.runs_dir.glob("*") if folder.is_dir()}
    if not folders:
        return
    with resources.sessions() as session:
        over = session.scalars(
            select(TrainingJobRow.id).where(
                TrainingJobRow.id.in_(folders),
                TrainingJobRow.status.in_([s.value for s in Status if s.is_final]),
            )
        ).all()
    for job_id in over:
        shutil.rmtree(folders[job_id], ignore_errors=True)


def _remove_expired(resources: Resources) -> None:
    days = resources.settings.artifact_retention_days
    if days is None:
        return
    before = datetime.now(UTC) - timedelta(days=days)
    with transaction(resources.sessions) as session:
        models = retention.remove_expired(session, resources.store, before=before)
    if models:
        log.info("artifacts.expired", models=models)


def main(queues: Sequence[str]) -> None:
    settings = get_settings()
    stand_back()
    logging.configure(settings)
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars of libraries do not belong in a log
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(work(settings, database_url(settings), [Queue(q) for q in queues]))
