"""How the service itself is doing: is the database what this version needs, how much work waits."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.script import ScriptDirectory
from sqlalchemy import exc, text

from app.db import migrate
from app.db.session import SessionFactory

_WORKER_SILENCE_SECONDS = 30


class NotReady(Exception):
    """Requests would fail; the message says why, for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Jobs by (queue, state), and how many workers have been heard from in the last half minute."""

    jobs: dict[tuple[str, str], int]
    workers_alive: int


def require_ready(sessions: SessionFactory) -> None:
    try:
        with sessions() as session:
            if session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
                raise NotReady("the database is empty; run 'casemend migrate'")
            revision = session.scalar(text("SELECT version_num FROM alembic_version"))
            queue_is_there = session.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None
    except exc.SQLAlchemyError as error:
        raise NotReady("the database cannot be reached") from error
    head = _head()
    if revision != head:
        raise NotReady(
            f"the database is at revision {revision}, this version needs {head}; run 'casemend migrate'"
        )
    if not queue_is_there:
        raise NotReady("the job queue's tables are missing; run 'casemend migrate'")


def _head() -> str | None:
    return ScriptDirectory(str(migrate.MIGRATIONS)).get_current_head()


def read_backlog(sessions: SessionFactory) -> Backlog | None:
    """None when the database cannot be asked."""
    try:
        with sessions() as session:
            jobs = session.execute(
                text(
                    "SELECT queue_name, CAST(status AS text), count(*) FROM procrastinate_jobs"
                    " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2"
                )
            )
            counts = {(queue, status): count for queue, status, count in jobs}
            workers = session.scalar(
                text(
                    "SELECT count(*) FROM procrastinate_workers"
                    " WHERE last_heartbeat > now() - make_interval(secs => :silence)"
                ),
                {"silence": _WORKER_SILENCE_SECONDS},
            )
    except exc.SQLAlchemyError:
        return None
    return Backlog(jobs=counts, workers_alive=int(workers or 0))
