"""Files, uploads and fine-tuning jobs in the shapes of OpenAI's API. Times are seconds since 1970."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from app.api.schemas.common import Body
from app.db.models import FileRow, UploadRow
from app.domain.section import Whole
from app.services.fine_tuning import uploads
from app.services.fine_tuning.job_events import JobEvent
from app.services.fine_tuning.jobs import METHODS, Job
from app.services.fine_tuning.training_side import Checkpoint

Item = TypeVar("Item")
Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
PURPOSES: tuple[str, ...] = get_args(Purpose)
"""What a client may upload a file for. Only ``fine-tune`` is read here."""

MIN_EXPIRY_SECONDS, MAX_EXPIRY_SECONDS = 3600, 2_592_000


class Listed(BaseModel, Generic[Item]):
    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool
    first_id: str | None
    last_id: str | None

    @classmethod
    def of(cls, data: list[Item], *, has_more: bool) -> Listed[Item]:
        ids: list[str] = [item.id for item in data]  # pyright: ignore[reportAttributeAccessIssue]
        return cls(
            data=data, has_more=has_more, first_id=next(iter(ids), None), last_id=ids[-1] if ids else None
        )


def _seconds(when: datetime | None) -> int | None:
    return None if when is None else int(when.timestamp())


def _at(when: datetime) -> int:
    return int(when.timestamp())


class File(BaseModel):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"] = "processed"
    status_details: str | None = None

    @classmethod
    def of(cls, row: FileRow) -> File:
        return cls(
            id=row.id,
            bytes=row.bytes,
            created_at=_at(row.created_at),
            expires_at=_seconds(row.expires_at),
            filename=row.filename,
            purpose=row.purpose,
        )


class DeletedFile(BaseModel):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


class ExpiresAfter(Body):
    anchor: Literal["created_at"]
    seconds: Annotated[Whole, Field(ge=MIN_EXPIRY_SECONDS, le=MAX_EXPIRY_SECONDS)]


class NewUpload(Body):
    filename: Annotated[str, Field(min_length=1, max_length=1000)]
    purpose: Purpose
    bytes: Annotated[Whole, Field(ge=1, le=2**63 - 1)]
    mime_type: Annotated[str, Field(min_length=1, max_length=200)]
    expires_after: ExpiresAfter | None = None


class CompleteUpload(Body):
    part_ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=100_000)]
    md5: Annotated[str, Field(max_length=64)] | None = None


class Upload(BaseModel):
    id: str
    object: Literal["upload"] = "upload"
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    status: str
    file: File | None

    @classmethod
    def of(cls, row: UploadRow, now: datetime, file: FileRow | None = None) -> Upload:
        return cls(
            id=row.id,
            bytes=row.bytes,
            created_at=_at(row.created_at),
            expires_at=_at(row.expires_at),
            filename=row.filename,
            purpose=row.purpose,
            status=uploads.status(row, now),
            file=None if file is None else File.of(file),
        )


class UploadPart(BaseModel):
    id: str
    object: Literal["upload.part"] = "upload.part"
    created_at: int
    upload_id: str


def _number(value: object) -> object:
    """A whole number is a number: 1 for 1.0."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


Auto = Literal["auto"]
Epochs = Auto | Annotated[Whole, Field(ge=1, le=1000)]
BatchSize = Auto | Annotated[Whole, Field(ge=1, le=4096)]
Multiplier = Auto | Annotated[float, BeforeValidator(_number), Field(gt=0, le=1000)]
Beta = Auto | Annotated[float, BeforeValidator(_number), Field(ge=1e-4, le=100)]


class Hyperparameters(Body):
    n_epochs: Epochs | None = None
    batch_size: BatchSize | None = None
    learning_rate_multiplier: Multiplier | None = None


class DpoHyperparameters(Hyperparameters):
    beta: Beta | None = None


class Supervised(Body):
    hyperparameters: Hyperparameters | None = None


class Dpo(Body):
    hyperparameters: DpoHyperparameters | None = None


class Method(Body):
    type: str
    supervised: Supervised | None = None
    dpo: Dpo | None = None
    reinforcement: Any = None

    @field_validator("type")
    @classmethod
    def _known(cls, type: str) -> str:
        if type not in METHODS:
            raise ValueError(f"{type[:40]!r} is not carried out here; use {' or '.join(METHODS)}")
        return type

    @field_validator("reinforcement")
    @classmethod
    def _not_carried_out(cls, given: Any) -> None:
        if given is not None:
            raise ValueError("reinforcement and its graders are not carried out here; use supervised or dpo")


Label = Annotated[str, Field(max_length=64)]


class NewFineTuningJob(Body):
    """``metadata={"casemend": "repair"}`` repairs the training file before it is trained on."""

    model: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="A base model, or an adapter (id, alias or fine-tuned name) to go on from."
    )
    training_file: Annotated[str, Field(min_length=1, max_length=100)]
    validation_file: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: Annotated[dict[Label, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None = (
        None
    )
    method: Method | None = None
    hyperparameters: Hyperparameters | None = Field(default=None, description="Deprecated; use `method`.")
    integrations: Annotated[list[Any], Field(max_length=100)] | None = None

    @field_validator("integrations")
    @classmethod
    def _none_carried_out(cls, given: list[Any] | None) -> None:
        if given:
            kind = given[0].get("type") if isinstance(given[0], dict) else None
            raise ValueError(
                f"{kind or 'this one'} is not carried out here; read the job's events for its metrics"
            )

    @property
    def method_name(self) -> str:
        return "supervised" if self.method is None else self.method.type

    @property
    def wanted(self) -> dict[str, Any]:
        """The hyperparameters that are given, whichever way."""
        given = self.hyperparameters
        if self.method is not None:
            chosen = self.method.dpo if self.method.type == "dpo" else self.method.supervised
            if chosen is not None and chosen.hyperparameters is not None:
                given = chosen.hyperparameters
        return {} if given is None else given.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _one_method(self) -> NewFineTuningJob:
        for name in METHODS:
            if (
                self.method is not None
                and name != self.method.type
                and getattr(self.method, name) is not None
            ):
                raise ValueError(f"method.{name}: the method's type is {self.method.type}; leave it out")
        return self


class JobError(BaseModel):
    code: str
    message: str
    param: str | None


class ShownHyperparameters(BaseModel):
    n_epochs: int | Auto
    batch_size: int | Auto
    learning_rate_multiplier: float | Auto


class ShownDpoHyperparameters(ShownHyperparameters):
    beta: float | Auto


class ShownSupervised(BaseModel):
    hyperparameters: ShownHyperparameters


class ShownDpo(BaseModel):
    hyperparameters: ShownDpoHyperparameters


class ShownMethod(BaseModel):
    type: Literal["supervised", "dpo"]
    supervised: ShownSupervised | None = None
    dpo: ShownDpo | None = None
    reinforcement: None = None


class FineTuningJob(BaseModel):
    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    error: JobError | None
    estimated_finish: int | None
    fine_tuned_model: str | None = Field(description="A model to ask, once the job has succeeded.")
    finished_at: int | None
    hyperparameters: ShownHyperparameters
    integrations: list[Any] = Field(default_factory=list)
    metadata: dict[str, str]
    method: ShownMethod
    model: str
    organization_id: str
    result_files: list[str]
    seed: int
    status: Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]
    trained_tokens: int | None
    training_file: str
    validation_file: str | None

    @classmethod
    def of(cls, job: Job, now: datetime) -> FineTuningJob:
        row, used = job.row, job.hyperparameters
        return cls(
            id=row.id,
            created_at=_at(row.created_at),
            error=None if job.error is None else JobError.model_validate(job.error),
            estimated_finish=job.estimated_finish(now.timestamp()),
            fine_tuned_model=job.model,
            finished_at=_seconds(job.finished_at),
            hyperparameters=ShownHyperparameters.model_validate(used),
            metadata=row.labels,
            method=ShownMethod.model_validate({"type": row.method, row.method: {"hyperparameters": used}}),
            model=row.model,
            organization_id=row.project_id,
            result_files=[row.result_file_id] if row.result_file_id else [],
            seed=row.seed,
            status=job.status,  # pyright: ignore[reportArgumentType]
            trained_tokens=job.trained_tokens,
            training_file=row.training_file,
            validation_file=row.validation_file,
        )


class FineTuningEvent(BaseModel):
    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    data: dict[str, Any]
    type: Literal["message", "metrics"]

    @classmethod
    def of(cls, event: JobEvent) -> FineTuningEvent:
        return cls(
            id=event.id,
            created_at=_at(event.created_at),
            level=event.level,
            message=event.message,
            data=event.data,
            type=event.type,
        )


class CheckpointMetrics(BaseModel):
    step: float
    train_loss: float | None
    train_mean_token_accuracy: float | None
    valid_loss: float | None
    valid_mean_token_accuracy: float | None
    full_valid_loss: float | None
    full_valid_mean_token_accuracy: float | None


class FineTuningCheckpoint(BaseModel):
    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    metrics: CheckpointMetrics
    step_number: int

    @classmethod
    def of(cls, checkpoint: Checkpoint, job_id: str) -> FineTuningCheckpoint:
        return cls(
            id=checkpoint.id,
            created_at=_at(checkpoint.created_at),
            fine_tuned_model_checkpoint=checkpoint.model,
            fine_tuning_job_id=job_id,
            metrics=CheckpointMetrics.model_validate({"step": checkpoint.step, **checkpoint.metrics}),
            step_number=checkpoint.step,
        )
