"""A stage that works on one thing for long says so: its readers see that it moves, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.logging import get_logger

log = get_logger(__name__)

EVERY_SECONDS: Final = 4.0
"""A little under the five seconds within which a reader hears something."""


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """Calls ``beat`` with the seconds that the running step has taken, whenever nothing was said for a while.

    ``beat`` answers whether the stage is still this worker's; after False it is not called again.
    """

    beat: Callable[[float], bool]
    every_seconds: float
    _began: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def step_began(self) -> None:
        """The stage has itself said what it does now."""
        self._began = self._said = time.monotonic()

    def stop(self) -> None:
        """After this nothing is said any more. May be called twice."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        wait = self.every_seconds
        while not self._ended.wait(wait):
            now = time.monotonic()
            wait = self._said + self.every_seconds - now
            if wait > 0:
                continue
            self._said, wait = now, self.every_seconds
            try:
                if not self.beat(round(now - self._began, 1)):
                    return
            except SQLAlchemyError as error:  # the stage itself hears of a database that is away
                log.warning("heartbeat.failed", error=type(error).__name__)
