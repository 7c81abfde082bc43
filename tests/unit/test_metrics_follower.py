"""The metrics log as the parent of a training follows it."""

from __future__ import annotations

import json
from pathlib import Path

from workers.training.launch import _LineFollower  # pyright: ignore[reportPrivateUsage]
from workers.training.metrics_log import cut_back


def _write(path: Path, steps: range, **more: object) -> None:
    with path.open("a") as stream:
        stream.writelines(json.dumps({"step": step, "seconds": 1.0, **more}) + "\n" for step in steps)


def test_a_log_that_was_cut_back_and_has_grown_again_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    _write(path, range(1, 26))
    lines = _LineFollower(path)
    assert [line["step"] for line in lines.new()] == list(range(1, 26))
    cut_back(path, 20)
    _write(path, range(21, 40), loss=0.25)  # between two looks more than was cut, in longer lines
    assert [line["step"] for line in lines.new()] == list(range(26, 40))
