"""How far long work is: bars on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

LINE_EVERY_SECONDS = 10.0
FORESEEN_FROM = 0.05
"""What is done before, the start of a process above all, says nothing about the time that the rest takes."""


class Told(Protocol):
    """Where the progress of steps is told. ``completed`` is 0..1, ``note`` what else there is to say of it."""

    def start(self, text: str) -> int: ...

    def tell(self, step: int, completed: float, note: str = "") -> None: ...


class Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self, text: str) -> int:
        return int(self._progress.add_task(text, total=1.0, note=""))

    def tell(self, step: int, completed: float, note: str = "") -> None:
        self._progress.update(TaskID(step), completed=completed, note=note)


@dataclass(slots=True)
class Lines:
    """A line of a step at its start, every ten seconds and at its end, with the time that is left."""

    console: Console
    _steps: list[tuple[str, float]] = field(default_factory=list)
    _spoke: dict[int, float] = field(default_factory=dict)
    _found_at: dict[int, float] = field(default_factory=dict)
    _done: set[int] = field(default_factory=set)

    def start(self, text: str) -> int:
        self._steps.append((text, time.monotonic()))
        return len(self._steps) - 1

    def tell(self, step: int, completed: float, note: str = "") -> None:
        text, started = self._steps[step]
        now = time.monotonic()
        last = self._spoke.get(step)
        if step in self._done or (completed < 1 and last is not None and now - last < LINE_EVERY_SECONDS):
            return
        self._spoke[step] = now
        elapsed = now - started
        # Of work that ran before anybody looked, only what is done since then says how fast it is.
        found_at = self._found_at.setdefault(step, completed if completed >= FORESEEN_FROM else 0.0)
        seen = completed - found_at
        if completed >= 1:
            self._done.add(step)
            left = ""
        else:
            left = f", about {elapsed * (1 - completed) / seen:.0f} s left" if seen >= FORESEEN_FROM else ""
        said = f", {note}" if note else ""
        line = f"{text}: {completed:.0%} after {elapsed:.0f} s{said}{left}"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def telling(console: Console) -> Iterator[Told]:
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)


def training_note(job: Any) -> str:
    """Step and loss of a training job as far as it has logged them."""
    metrics = job.get("metrics") if isinstance(job, dict) else getattr(job, "metrics", None)
    logged = [line for line in metrics or () if "loss" in line]
    return f"step {logged[-1]['step']}, loss {logged[-1]['loss']:.3f}" if logged else ""
