"""What the training service does for a fine-tuning job. All that this package knows of trainings is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.db.models import AdapterRow, FineTuningJobRow, TrainingJobRow
from app.services.training import adapters, training
from app.services.work import lifecycle

METRICS: tuple[str, ...] = (
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)

CHECKPOINTS_KEPT: Final = 3
"""States of a training that can be asked, the result among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A state of a training that can be asked as a model. ``metrics`` are those of ``METRICS``."""

    id: str
    created_at: datetime
    model: str
    step: int
    metrics: Mapping[str, float | None]


def start(
    session: Session,
    job: FineTuningJobRow,
    *,
    dataset_version_id: str,
    hyperparameters: Mapping[str, Any],
) -> TrainingJobRow:
    return training.create(
        session,
        job.project_id,
        base_model=job.base_model,
        dataset_version_id=dataset_version_id,
        validation_version_id=job.validation_version_id,
        hyperparameters={"keep_checkpoints": CHECKPOINTS_KEPT, **hyperparameters},
        init_adapter_id=job.init_adapter_id,
    )


def pause(session: Session, job: TrainingJobRow) -> None:
    lifecycle.pause(session, job.project_id, job.id)


def resume(session: Session, job: TrainingJobRow) -> None:
    lifecycle.resume(session, job.project_id, job.id)


def metrics_of(line: Mapping[str, Any]) -> dict[str, float | None]:
    """A line of a training's metrics log by the names of OpenAI's."""
    named = {**line, "train_loss": line.get("loss"), "train_mean_token_accuracy": line.get("token_accuracy")}
    return {name: named.get(name) for name in METRICS}


def checkpoints(session: Session, job: TrainingJobRow) -> list[Checkpoint]:
    """The newest first: of a finished training the adapter that came out, and the ends of the epochs before."""
    final = session.get(AdapterRow, job.adapter_id) if job.adapter_id else None
    kept = [*([final] if final is not None and final.deleted_at is None else [])]
    kept += adapters.checkpoints(session, job)
    return [_checkpoint(row, job) for row in kept[:CHECKPOINTS_KEPT]]


def _checkpoint(row: AdapterRow, job: TrainingJobRow) -> Checkpoint:
    # the log keeps the newest lines; what a checkpoint's step came to is on its card as well
    of_step = (line for line in reversed(job.metrics) if line["step"] == row.checkpoint_step)
    last = job.metrics[-1] if job.metrics else {}
    line = last if row.checkpoint_step is None else next(of_step, row.card["checkpoint"])
    return Checkpoint(
        id=row.id.replace("adp_", "ftckpt_"),
        created_at=row.created_at,
        model=row.id,
        step=int(line.get("step", 0)),
        metrics=metrics_of(line),
    )
