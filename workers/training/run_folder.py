"""The files through which a training run speaks with whoever started it. No torch here.

config.json   model.json   train.jsonl          in: what to train
valid.jsonl                                     in, where there is one: rows whose loss is measured and not learnt
cancel                                          in: stop at the next step
metrics.jsonl checkpoints/ adapter/ log.txt     out, while it runs
kept/step-N/                                    out, while it runs: the adapter at the end of an epoch
done.json | failure.json                        out: how it ended
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_STOPPED = 3
"""Stopped on request, a checkpoint behind it: started again, the run goes on from there."""
EXIT_IN_USE = 4

PARENT_VARIABLE = "CASEMEND_TRAINING_PARENT"
"""Process id of the parent, so that a child that starts after its parent's death notices."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run's files."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.json"

    @property
    def model(self) -> Path:
        return self.root / "model.json"

    @property
    def rows(self) -> Path:
        return self.root / "train.jsonl"

    @property
    def validation(self) -> Path:
        return self.root / "valid.jsonl"

    @property
    def kept(self) -> Path:
        return self.root / "kept"

    @property
    def cancel(self) -> Path:
        return self.root / "cancel"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def adapter(self) -> Path:
        return self.root / "adapter"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def done(self) -> Path:
        return self.root / "done.json"

    @property
    def failure(self) -> Path:
        return self.root / "failure.json"


def kept_steps(kept: Path) -> list[tuple[int, Path]]:
    """The adapters of ``kept`` by their step; one still being written is not among them."""
    return sorted((int(f.name.removeprefix("step-")), f) for f in kept.glob("step-*"))


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Written aside, synced, renamed: a reader sees all of it or nothing."""
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
