"""Starts a training as a child process, follows it, and says how it ended. No torch here.

A child, so that a crash in native code or the kernel's out-of-memory killer takes the training and not the
worker, and so that all of its memory comes back.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import StageCancelled
from workers.training.run_folder import (
    EXIT_DONE,
    EXIT_IN_USE,
    EXIT_STOPPED,
    PARENT_VARIABLE,
    RunFolder,
    read_json,
)

SECRET_VARIABLE = re.compile(r"(KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL|DATABASE_URL|DSN)", re.IGNORECASE)
LOG_TAIL_BYTES = 4_000
STOP_GRACE_SECONDS = 60.0


class TrainingFailed(Exception):
    """The training ended without an adapter. ``code`` is stable, the message says what is wrong and how to fix it."""

    def __init__(self, message: str, *, code: str = "internal") -> None:
        super().__init__(message)
        self.code = code


class TrainingKilled(TrainingFailed):
    """Somebody, most likely the kernel for want of memory, ended the training. Tried again, the run goes on from its
    checkpoint."""


class TrainingCancelled(StageCancelled):
    """Stopped on request. Its last checkpoint is kept: :func:`run_training` on the folder goes on from there."""


class TrainingInterrupted(Exception):
    """Not this time: the machine shuts down, or the child of a worker that was taken for dead still trains.
    Tried again later, the run goes on from its checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOutcome:
    """What a finished training says of itself. ``final_loss`` is the mean over the last tenth of the steps,
    nats per answer token; ``seconds`` is the time in the training loop, over all starts of the run."""

    final_loss: float
    steps: int
    epochs: float
    rows: int
    rows_skipped: int
    rows_truncated: int
    seconds: float
    tokens_per_second: float
    peak_memory_bytes: int
    device: str
    dtype: str
    trainable_parameters: int
    adapter_path: Path


def run_training(
    run_dir: Path,
    *,
    on_metrics: Callable[[list[dict[str, Any]]], None],
    should_cancel: Callable[[], bool],
    poll_seconds: float = 0.5,
    threads: int | None = None,
) -> TrainingOutcome:
    """Train what lies in ``run_dir`` (see :mod:`workers.training.run_folder`) and wait for the end.

    ``on_metrics`` gets the new lines of the metrics log, each once, in order. A run that had ended before is
    not started again; one that was cut off goes on from its last checkpoint. Raises
    :class:`TrainingFailed`, :class:`TrainingCancelled` where ``should_cancel`` said so, or
    :class:`TrainingInterrupted`.
    """
    folder = RunFolder(run_dir)
    lines = _LineFollower(folder.metrics)
    if not folder.done.exists():
        folder.failure.unlink(missing_ok=True)
        folder.cancel.unlink(missing_ok=True)
        _follow(folder, lines, on_metrics, should_cancel, poll_seconds, threads)
    rest = lines.new()
    if rest:
        on_metrics(rest)
    return TrainingOutcome(**read_json(folder.done), adapter_path=folder.adapter)


def _follow(
    folder: RunFolder,
    lines: _LineFollower,
    on_metrics: Callable[[list[dict[str, Any]]], None],
    should_cancel: Callable[[], bool],
    poll_seconds: float,
    threads: int | None,
) -> None:
    with folder.log.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "workers.training", str(folder.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(threads),
            start_new_session=True,  # an interrupt at the terminal is the worker's to pass on
        )
    try:
        while child.poll() is None:
            new = lines.new()
            if new:
                on_metrics(new)
            if not folder.cancel.exists() and should_cancel():
                folder.cancel.touch()
            try:
                child.wait(timeout=poll_seconds)
            except subprocess.TimeoutExpired:
                continue
    finally:
        _stop(child)
    _raise_unless_done(folder, child.returncode)


def _environment(threads: int | None) -> dict[str, str]:
    """The worker's own, without what a training has no use for: secrets, and a way to the network."""
    kept = {k: v for k, v in os.environ.items() if not SECRET_VARIABLE.search(k)}
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [kept.get("PYTHONPATH")])]
    kept |= {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # Threads that wait at a barrier sleep: spinning ones, on a machine that also does other work, keep
        # the core from the thread they wait for (measured with two busy neighbours on two cores: 5 times
        # slower and more).
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        PARENT_VARIABLE: str(os.getpid()),
    }
    if threads is not None:
        kept["OMP_NUM_THREADS"] = str(threads)
    return kept


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End a child that is still running because following it failed: first kindly, then not."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(timeout=STOP_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _raise_unless_done(folder: RunFolder, code: int) -> None:
    if code == EXIT_DONE and folder.done.exists():
        return
    if code == EXIT_STOPPED:
        if folder.cancel.exists():
            raise TrainingCancelled("the training was cancelled")
        raise TrainingInterrupted("the training was told to end by its machine")
    if code == EXIT_IN_USE:
        raise TrainingInterrupted(f"another training is still running in {folder.root.name}")
    if folder.failure.exists():
        failure = read_json(folder.failure)
        raise TrainingFailed(failure["message"], code=failure["code"])
    if code == -signal.SIGKILL:
        raise TrainingKilled(
            "the training was killed, most likely for using too much memory; "
            "lower batch_size or max_length, or give the worker more memory",
            code="killed",
        )
    ending = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    raise TrainingFailed(f"the training ended {ending}: {_tail(folder.log)}", code="crashed")


def _tail(path: Path) -> str:
    """The last lines of a log: the last paragraph is what a person wants to read."""
    if not path.exists():
        return "it wrote nothing"
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        text = stream.read().decode("utf-8", "replace")
    return "\n".join(text.strip().splitlines()[-12:]) or "it wrote nothing"


class _LineFollower:
    """Reads a growing ndjson file; a line that is still being written waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._file = 0
        self._last_step = -1

    def new(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        with self._path.open("rb") as stream:
            now = os.fstat(stream.fileno())
            if now.st_ino != self._file or now.st_size < self._offset:
                self._file, self._offset = now.st_ino, 0  # a restarted run cut the log back to its checkpoint
            stream.seek(self._offset)
            data = stream.read()
        end = data.rfind(b"\n") + 1
        self._offset += end
        found = [json.loads(line) for line in data[:end].splitlines() if line.strip()]
        fresh = [line for line in found if line["step"] > self._last_step]
        if fresh:
            self._last_step = fresh[-1]["step"]
        return fresh
