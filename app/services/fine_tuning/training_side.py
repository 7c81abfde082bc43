"""What the training service does for a fine-tuning job. All that this package knows of trainings is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import AdapterRow, FineTuningJobRow, TrainingJobRow
from app.errors import Conflict
from app.services.training import training

METRICS: tuple[str, ...] = (
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


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
        hyperparameters=hyperparameters,
        init_adapter_id=job.init_adapter_id,
    )


def pause(session: Session, job: TrainingJobRow) -> None:  # noqa: ARG001
    raise Conflict(f"{job.id}: a training cannot be paused here; cancel it")


def resume(session: Session, job: TrainingJobRow) -> None:  # noqa: ARG001
    raise Conflict(f"{job.id} is not paused")


def metrics_of(line: Mapping[str, Any]) -> dict[str, float | None]:
    """A line of a training's metrics log by the names of OpenAI's."""
    named = {**line, "train_loss": line.get("loss"), "train_mean_token_accuracy": line.get("token_accuracy")}
    return {name: named.get(name) for name in METRICS}


def checkpoints(session: Session, job: TrainingJobRow) -> list[Checkpoint]:
    """The newest first: of a finished training the adapter that came out."""
    adapter = session.get(AdapterRow, job.adapter_id) if job.adapter_id else None
    if adapter is None or adapter.deleted_at is not None:
        return []
    last = job.metrics[-1] if job.metrics else {}
    return [
        Checkpoint(
            id=adapter.id.replace("adp_", "ftckpt_"),
            created_at=adapter.created_at,
            model=adapter.id,
            step=int(last.get("step", 0)),
            metrics=metrics_of(last),
        )
    ]
