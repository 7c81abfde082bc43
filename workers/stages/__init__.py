"""The stages, each: load, compute, save. A new stage is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from app.queue import Stage
from workers.run_stage import StageContext
from workers.stages import augment, diagnose, evaluate, import_dataset, mix, repair, train, verify

RUN: dict[Stage, Callable[[StageContext], None]] = {
    Stage.IMPORT: import_dataset.run,
    Stage.DIAGNOSE: diagnose.run,
    Stage.REPAIR: repair.run,
    Stage.AUGMENT: augment.run,
    Stage.MIX: mix.run,
    Stage.TRAIN: train.run,
    Stage.EVALUATE: evaluate.run,
    Stage.VERIFY: verify.run,
}
