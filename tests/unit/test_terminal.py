"""What is said of progress where there is no terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app import terminal


def test_a_line_at_the_start_every_ten_seconds_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with terminal.telling(Console(file=out, width=30)) as told:
        step = told.start("train")
        for second in range(31):
            now[0] = float(second)
            told.tell(step, max(0.01, second / 40), f"step {second}")
        told.tell(step, 1.0)
        told.tell(step, 1.0)
    assert out.getvalue().splitlines() == [
        "train: 1% after 0 s, step 0",
        "train: 25% after 10 s, step 10, about 30 s left",
        "train: 50% after 20 s, step 20, about 20 s left",
        "train: 75% after 30 s, step 30, about 10 s left",
        "train: 100% after 30 s",
    ]


def test_work_that_ran_before_is_foreseen_by_what_is_seen_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with terminal.telling(Console(file=out)) as told:
        step = told.start("[/] train")
        for second, completed in ((0, 0.5), (10, 0.51), (20, 0.6)):
            now[0] = float(second)
            told.tell(step, completed)
    assert out.getvalue().splitlines() == [
        "[/] train: 50% after 0 s",
        "[/] train: 51% after 10 s",
        "[/] train: 60% after 20 s, about 80 s left",
    ]


def test_the_note_of_a_training_is_its_last_step_and_loss() -> None:
    job = {"metrics": [{"step": 5, "loss": 2.5}, {"step": 10, "loss": 1.25}, {"step": 10, "eval_loss": 1.0}]}
    assert terminal.training_note(job) == "step 10, loss 1.250"
    assert terminal.training_note({"metrics": []}) == ""
    assert terminal.training_note({"progress": 0.5}) == ""
