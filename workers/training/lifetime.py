"""A training dies with the worker that started it, and no two trainings share a folder."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from workers.training.run_folder import EXIT_STOPPED, PARENT_VARIABLE

PR_SET_PDEATHSIG = 1
PARENT_POLL_SECONDS = 1.0
LOCK_TIMEOUT_SECONDS = 20.0
"""The child of a worker that has just been killed may need a moment to be gone."""


class RunInUse(Exception):
    """Another training holds the folder."""


def die_with_parent() -> None:
    """End this process when its parent ends, however that ends.

    On Linux the kernel sees to it; elsewhere, and for a parent that was gone before the kernel was asked,
    a thread compares parents.
    """
    parent = int(os.environ.get(PARENT_VARIABLE, "0"))
    if not parent:
        return  # started by hand
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(EXIT_STOPPED)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_POLL_SECONDS)
        os._exit(EXIT_STOPPED)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


@contextmanager
def exclusive(lock: Path, *, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold ``lock`` (the kernel lets go of it when the process ends), or raise :class:`RunInUse`."""
    try:
        with FileLock(lock, timeout=timeout_seconds, is_singleton=False):
            yield
    except Timeout as error:
        raise RunInUse(f"another training is running in {lock.parent}") from error


class StopRequest:
    """Whether somebody wants the run to stop: the file ``cancel``, or SIGTERM."""

    def __init__(self, cancel: Path) -> None:
        self._cancel = cancel
        self._signalled = False

    def listen(self) -> None:
        """From now on SIGTERM asks for a stop instead of ending the process."""
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._signalled = True

    def __bool__(self) -> bool:
        return self._signalled or self._cancel.exists()
