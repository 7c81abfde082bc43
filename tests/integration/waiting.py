"""Two sessions at once: what one does while the other holds a lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.session import SessionFactory, transaction

Result = TypeVar("Result")


def in_thread(
    pool: ThreadPoolExecutor, sessions: SessionFactory, call: Callable[[Session], Result]
) -> Future[Result]:
    """``call`` in a transaction of its own, in another thread."""

    def run() -> Result:
        with transaction(sessions) as session:
            return call(session)

    return pool.submit(run)


def until_blocked_or_done(sessions: SessionFactory, future: Future[Result], *, seconds: float = 5.0) -> None:
    """Return when ``future`` is done, or when a backend of this database waits for a lock."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not future.done():
        with sessions() as session:
            waiting = session.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
            )
        if waiting:
            return
        time.sleep(0.01)
    assert future.done(), "the other session neither finished nor waits for a lock"
