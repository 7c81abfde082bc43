"""The stages, each: load, compute, save. A new stage is one file and one line here.

``domain.pipeline`` names the other places that it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from app.queue import Stage
from workers.context import StageContext


def _stage(module: str) -> Callable[[StageContext], None]:
    """A stage's ``run``, its module imported when it is first needed: a worker that never trains or
    generates never loads torch."""

    def run(context: StageContext) -> None:
        import_module(f"workers.stages.{module}").run(context)

    return run


RUN: dict[Stage, Callable[[StageContext], None]] = {
    Stage.IMPORT: _stage("import_dataset"),
    Stage.DIAGNOSE: _stage("diagnose"),
    Stage.REPAIR: _stage("repair"),
    Stage.APPLY: _stage("apply_repair"),
    Stage.AUGMENT: _stage("augment"),
    Stage.MIX: _stage("mix"),
    Stage.TRAIN: _stage("train"),
    Stage.EVALUATE: _stage("evaluate"),
    Stage.VERIFY: _stage("verify"),
    Stage.MERGE: _stage("merge"),
    Stage.VALIDATE: _stage("validate_files"),
    Stage.INTEGRATE: _stage("integrate"),
}
