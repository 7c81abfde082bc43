"""A finished training's metrics as the file that a fine-tuning job hands out."""

from __future__ import annotations

import csv
import io

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import FineTuningJobRow, TrainingJobRow
from app.services.fine_tuning import files, training_side
from app.services.work import work


def write(session: Session, store: ArtifactStore, training: TrainingJobRow) -> None:
    """Write the file, where a fine-tuning job waits for it: in the transaction that saves the training's result."""
    job = session.scalar(select(FineTuningJobRow).where(FineTuningJobRow.training_job_id == training.id))
    if job is None:
        return
    text = io.StringIO(newline="")
    columns: tuple[str, ...] = ("step", *training_side.METRICS)
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for line in training.metrics:
        writer.writerow({"step": line["step"], **training_side.metrics_of(line)})
    made = files.create(
        session,
        job.project_id,
        store.put_bytes(text.getvalue().encode()),
        filename=f"{job.id}_metrics.csv",
        purpose=files.RESULTS,
        now=work.now(),
    )
    job.result_file_id = made.id
    session.flush()
