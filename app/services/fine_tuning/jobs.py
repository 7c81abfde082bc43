"""Fine-tuning jobs as OpenAI's clients see them: files to validate first, then a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import AdapterRow, FineTuningJobRow, TrainingJobRow
from app.db.repositories.pages import Page, PageRequest, by_creation, of_project
from app.domain.job_status import Status
from app.domain.training_config import BUNDLED_MODEL, TrainingConfig, TrainingMethod
from app.errors import Conflict, InvalidInput, NotFound
from app.queue import Stage
from app.services import serving
from app.services.fine_tuning import files, training_side
from app.services.training import training
from app.services.work import lifecycle, work

LABEL: Final = "casemend"
"""The key of a job's metadata that says what is done about what the audit finds."""

REPAIR: Final = "repair"
_LABEL_VALUES: Final = ("audit", REPAIR)

METHODS: Final[Mapping[str, TrainingMethod]] = {
    "supervised": TrainingMethod.SFT,
    "dpo": TrainingMethod.DPO,
}
AUTO: Final = "auto"
_LEARNING_RATE: Final = TrainingConfig(base_model=BUNDLED_MODEL).learning_rate
"""What a multiplier multiplies."""

_MODEL_ERRORS: Final = frozenset({"base-model-not-found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job with the training that it led to; None while its files are validated."""

    row: FineTuningJobRow
    training: TrainingJobRow | None
    model: str | None

    @property
    def status(self) -> str:
        row = self.row if self.training is None else self.training
        if row.cancel_requested and row.status != Status.SUCCEEDED:
            return Status.CANCELLED.value
        if self.training is None:
            return row.status if Status(row.status).is_final else "validating_files"
        # a paused training has no name there: it waits
        known = row.status in {s.value for s in Status}
        return row.status if known else Status.QUEUED.value

    @property
    def finished_at(self) -> datetime | None:
        return (self.row if self.training is None else self.training).finished_at

    @property
    def error(self) -> dict[str, str | None] | None:
        problem = (self.row if self.training is None else self.training).error
        if problem is None or self.status != Status.FAILED:
            return None
        kind = str(problem.get("type", "")).rpartition("/")[2]
        param = problem.get("param") or ("model" if kind in _MODEL_ERRORS else None)
        code = "model_not_found" if kind in _MODEL_ERRORS else kind.replace("-", "_") or "server_error"
        return {"code": code, "message": str(problem.get("detail", "")), "param": param}

    @property
    def trained_tokens(self) -> int | None:
        said = (self.training.summary or {}) if self.training is not None else {}
        if "tokens_per_second" not in said:
            return None
        return round(said["tokens_per_second"] * said["seconds"])

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """As they were asked for, and once the training is set up, what "auto" came to."""
        shown = dict(self.row.hyperparameters)
        if self.training is not None:
            used = self.training.hyperparameters
            shown |= {
                "n_epochs": math.ceil(used["epochs"]),
                "batch_size": used["batch_size"],
                "learning_rate_multiplier": round(used["learning_rate"] / _LEARNING_RATE, 6),
            }
            if "beta" in shown:
                shown["beta"] = used["dpo_beta"]
        return shown

    def estimated_finish(self, now: float) -> int | None:
        if self.training is None or self.status != Status.RUNNING or not self.training.metrics:
            return None
        last = self.training.metrics[-1]
        rest = last["total_steps"] - last["step"]
        return round(last.get("time", now) + rest * last["seconds"] / max(1, last["step"]))


def create(
    session: Session,
    project_id: str,
    *,
    model: str,
    training_file: str,
    now: datetime,
    validation_file: str | None = None,
    suffix: str | None = None,
    seed: int | None = None,
    labels: Mapping[str, str] | None = None,
    method: str = "supervised",
    hyperparameters: Mapping[str, Any] | None = None,
) -> Job:
    """Queue the validation of the files; the training follows it."""
    base_model, adapter_id = _model(session, project_id, model)
    files.require_for_training(session, project_id, training_file, now, "training_file")
    if validation_file is not None:
        files.require_for_training(session, project_id, validation_file, now, "validation_file")
    wanted = (labels or {}).get(LABEL, _LABEL_VALUES[0])
    if wanted not in _LABEL_VALUES:
        raise _invalid(f"metadata.{LABEL}", f"is {wanted!r}; choose from {', '.join(_LABEL_VALUES)}")
    names = ("n_epochs", "batch_size", "learning_rate_multiplier", *(("beta",) if method == "dpo" else ()))
    row = FineTuningJobRow(
        project_id=project_id,
        model=model,
        base_model=base_model,
        init_adapter_id=adapter_id,
        training_file=training_file,
        validation_file=validation_file,
        suffix=suffix,
        seed=seed or 0,
        method=method,
        hyperparameters=dict.fromkeys(names, AUTO) | dict(hyperparameters or {}),
        labels=dict(labels or {}),
        repair=wanted == REPAIR,
    )
    training.check_hyperparameters(base_model, {}, config_of(row))
    work.enqueue(session, Stage.VALIDATE, row)
    return Job(row=row, training=None, model=None)


def config_of(row: FineTuningJobRow) -> dict[str, Any]:
    """The training's own hyperparameters that are asked for; what is "auto" is left to its defaults."""
    given = {name: value for name, value in row.hyperparameters.items() if value != AUTO}
    named: dict[str, Any] = {"method": METHODS[row.method].value, "seed": row.seed}
    for name, ours in (("n_epochs", "epochs"), ("batch_size", "batch_size"), ("beta", "dpo_beta")):
        if name in given:
            named[ours] = given[name]
    if "learning_rate_multiplier" in given:
        named["learning_rate"] = _LEARNING_RATE * given["learning_rate_multiplier"]
    return named


def _model(session: Session, project_id: str, name: str) -> tuple[str, str | None]:
    """Base model and adapter that ``name`` means. A hub id or a path that nothing was trained on yet is only known
    to the worker that trains."""
    try:
        found = serving.find_model(session, project_id, name)
    except serving.ModelNotFound:
        if "/" in name and not name.startswith(serving.FINE_TUNED):
            return name, None
        raise
    return found.base_model, found.id if found.adapter_uri is not None else None


def get(session: Session, project_id: str, job_id: str) -> Job:
    row = session.get(FineTuningJobRow, job_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no such fine-tuning job: {job_id}")
    return _with_trainings(session, [row])[0]


def list_page(
    session: Session, project_id: str, page: PageRequest, labels: Mapping[str, str] | None
) -> Page[Job]:
    """``labels``: only jobs with all of these in their metadata; None: only those without any."""
    statement = of_project(FineTuningJobRow, project_id)
    if labels is None:
        statement = statement.where(FineTuningJobRow.labels == {})
    elif labels:
        statement = statement.where(FineTuningJobRow.labels.contains(dict(labels)))  # pyright: ignore[reportArgumentType]
    found = by_creation(session, statement, FineTuningJobRow, page)
    jobs = _with_trainings(session, found.data)
    return Page(data=jobs, has_more=found.has_more, next_after=found.next_after)


def cancel(session: Session, project_id: str, job_id: str) -> Job:
    """Whichever part of the work is under way. Conflict once it is over."""
    job = get(session, project_id, job_id)
    # the validation may hand over to its training meanwhile: its row says which, once it is locked
    row = work.locked(session, FineTuningJobRow, job_id)
    assert row is not None
    if row.training_job_id is None:
        lifecycle.cancel(session, FineTuningJobRow, project_id, job_id)
    else:
        lifecycle.cancel(session, TrainingJobRow, project_id, row.training_job_id)
    return get(session, project_id, job.row.id)


def pause(session: Session, project_id: str, job_id: str) -> Job:
    training_side.pause(session, _training(session, project_id, job_id))
    return get(session, project_id, job_id)


def resume(session: Session, project_id: str, job_id: str) -> Job:
    training_side.resume(session, _training(session, project_id, job_id))
    return get(session, project_id, job_id)


def checkpoints(session: Session, project_id: str, job_id: str) -> list[training_side.Checkpoint]:
    job = get(session, project_id, job_id)
    return [] if job.training is None else training_side.checkpoints(session, job.training)


def _training(session: Session, project_id: str, job_id: str) -> TrainingJobRow:
    job = get(session, project_id, job_id)
    if job.training is None:
        raise Conflict(
            f"{job_id} is {job.status.replace('_', ' ')}; only a training can be paused and resumed"
        )
    return job.training


def _with_trainings(session: Session, rows: Sequence[FineTuningJobRow]) -> list[Job]:
    ids = [row.training_job_id for row in rows if row.training_job_id]
    trainings = {
        row.id: row for row in session.scalars(select(TrainingJobRow).where(TrainingJobRow.id.in_(ids)))
    }
    adapter_ids = [t.adapter_id for t in trainings.values() if t.adapter_id]
    adapters = {
        row.id: row for row in session.scalars(select(AdapterRow).where(AdapterRow.id.in_(adapter_ids)))
    }
    jobs: list[Job] = []
    for row in rows:
        made = trainings.get(row.training_job_id or "")
        adapter = adapters.get(made.adapter_id or "") if made is not None else None
        name = None if adapter is None else serving.fine_tuned_name(adapter, row.suffix)
        jobs.append(Job(row=row, training=made, model=name))
    return jobs


def _invalid(field: str, message: str) -> InvalidInput:
    pointer = f"/{field.replace('.', '/')}"
    return InvalidInput(f"{field} {message}", errors=[{"pointer": pointer, "message": message}])
