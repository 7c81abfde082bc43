"""Checkpoints that are whole. A process killed while it writes one leaves a folder that must not be used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

KEPT = 2
COMPLETE = "complete"
"""Empty file that is written into a checkpoint after everything else."""


class MarkComplete(TrainerCallback):
    """Marks each checkpoint once the trainer has written all of it."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def last_complete(checkpoints: Path) -> Path | None:
    """The whole checkpoint with the most steps; what is not whole is removed."""
    whole: dict[int, Path] = {}
    for folder in checkpoints.glob("checkpoint-*"):
        step = folder.name.rpartition("-")[2]
        if step.isdigit() and (folder / COMPLETE).exists():
            whole[int(step)] = folder
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return whole[max(whole)] if whole else None


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
