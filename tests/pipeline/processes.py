"""Real worker processes for tests, and ways to kill them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg

from app.db.embedded import libpq_url
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """``python -m workers`` on a test's database."""

    def __init__(self, settings: Settings, *, queues: str = "cpu,llm,gpu") -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": libpq_url(str(settings.database_url)),
            "CASEMEND_DATA_DIR": str(settings.data_dir),
            "CASEMEND_HEARTBEAT_SECONDS": "0.3",
            "CASEMEND_STALLED_SECONDS": "1.5",
            "CASEMEND_RETRY_WAIT_SECONDS": "1",
            "CASEMEND_STAGE_ATTEMPTS": "8",
            "CASEMEND_TRAINING_THREADS": "1",
        }
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.log = settings.data_dir / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers", "--queues", queues],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.kill()

    def kill(self) -> None:
        """SIGKILL: no handler runs, no transaction is ended politely; its children must die of it too."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive, f"children outlived their worker: {alive}"

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


class Watch:
    """A look into the database that is quick enough to see short stages run."""

    def __init__(self, settings: Settings) -> None:
        self._connection = psycopg.connect(libpq_url(str(settings.database_url)), autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._connection.close()

    def value(self, query: str, *arguments: object) -> object:
        row = self._connection.execute(query, arguments).fetchone()  # pyright: ignore[reportArgumentType]
        return row[0] if row else None

    def until(self, question: Callable[[], bool], what: str, *, seconds: float, worker: Worker) -> None:
        end = time.monotonic() + seconds
        while not question():
            assert worker.process.poll() is None, f"the worker ended by itself: {worker.tail()}"
            assert time.monotonic() < end, f"{what}: not within {seconds} s\n{worker.tail()}"
            time.sleep(0.002)
