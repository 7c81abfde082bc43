"""A worker process: takes jobs from its queues and runs their stages.

Any number of workers, on any number of machines, join by pointing at the same database. One that dies is
noticed by its missing heartbeat, and its jobs go back to their queues.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import procrastinate
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.utils import utcnow

from app import logging
from app.artifacts import ArtifactStore
from app.db.embedded import database_url, libpq_url
from app.db.session import make_engine, make_sessions
from app.queue import RUN_STAGE, Queue, Stage
from app.settings import Settings, get_settings
from workers.run_stage import Resources, run_stage

log = logging.get_logger(__name__)

# what a killed process left half-written in the artifact store
ABANDONED_AFTER_SECONDS = 24 * 3600


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
    """The queue's worker side, with the one task that all jobs are."""
    settings = resources.settings
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=libpq_url(url), max_size=4))
    retry = procrastinate.RetryStrategy(
        max_attempts=settings.stage_attempts, exponential_wait=settings.retry_wait_seconds
    )

    @app.task(name=RUN_STAGE, retry=retry, pass_context=True)
    def run(context: JobContext, *, stage: str, subject_id: str) -> None:
        last = context.job.attempts + 1 >= settings.stage_attempts
        run_stage(resources, Stage(stage), subject_id, is_last_try=last)

    return app


async def work(settings: Settings, url: str, queues: Sequence[Queue], *, until_idle: bool = False) -> None:
    """Run jobs of ``queues`` until told to stop; ``until_idle`` ends when the queues are empty."""
    with open_resources(settings, url) as resources:
        await _run(make_app(resources, url), settings, queues, until_idle=until_idle)


async def _run(
    app: procrastinate.App, settings: Settings, queues: Sequence[Queue], *, until_idle: bool
) -> None:
    async with app.open_async():
        rescuer = asyncio.create_task(_rescue_forever(app, settings))
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
                shutdown_graceful_timeout=5.0,
            )
        finally:
            rescuer.cancel()


async def _rescue_forever(app: procrastinate.App, settings: Settings) -> None:
    """Put the jobs of dead workers back; every worker does this, whoever looks first."""
    while True:
        try:
            stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=settings.stalled_seconds)
            for job in stalled:
                log.warning("job.rescued", job=job.id, **job.task_kwargs)
                await app.job_manager.retry_job(job, retry_at=utcnow())
        except ConnectorException:
            log.warning("rescue.database_unreachable")
        await asyncio.sleep(max(0.5, settings.stalled_seconds / 5))


def main(queues: Sequence[str]) -> None:
    settings = get_settings()
    logging.configure(settings)
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars of libraries do not belong in a log
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(work(settings, database_url(settings), [Queue(q) for q in queues]))
