"""What grows, mixes, trains and checks, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.schemas.common import Body, Id, LongWork, Resource
from app.domain.augmentation.plan import AugmentationOptions
from app.domain.mixing.mixture import MixtureRecipe
from app.domain.training_config import Hyperparameters
from app.domain.verification.options import EvaluationOptions, VerificationOptions

BaseModelName = Annotated[str, Field(min_length=1, max_length=1000)]


class NewAugmentation(Body):
    diagnosis_id: Id
    dataset_version_id: Id | None = Field(default=None, description="The diagnosed version when left out.")
    options: AugmentationOptions = Field(default_factory=AugmentationOptions)


class Augmentation(LongWork):
    object: Literal["augmentation"] = "augmentation"
    diagnosis_id: str
    dataset_version_id: str
    cycle_id: str | None
    options: dict[str, Any]
    summary: dict[str, Any] | None
    result_version_id: str | None


class NewMixture(Body):
    dataset_version_id: Id
    diagnosis_id: Id | None = None
    recipe: MixtureRecipe = Field(default_factory=MixtureRecipe)


class Mixture(LongWork):
    object: Literal["mixture"] = "mixture"
    dataset_version_id: str
    diagnosis_id: str | None
    cycle_id: str | None
    recipe: dict[str, Any]
    rows: int | None
    counts: dict[str, Any] | None
    content_hash: str | None


class NewTrainingJob(Body):
    """Trains on a mixture, or on a whole dataset version."""

    base_model: BaseModelName
    dataset_version_id: Id | None = None
    mixture_id: Id | None = None
    init_adapter_id: Id | None = None
    validation_version_id: Id | None = Field(
        default=None,
        description="Rows whose loss is measured while the training runs, and which are not learnt.",
    )
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)


class TrainingJob(LongWork):
    object: Literal["training_job"] = "training_job"
    dataset_version_id: str | None
    mixture_id: str | None
    cycle_id: str | None
    validation_version_id: str | None
    base_model: str
    init_adapter_id: str | None
    hyperparameters: dict[str, Any]
    metrics: list[dict[str, Any]]
    summary: dict[str, Any] | None
    adapter_id: str | None
    pause_requested: bool
    paused_at: datetime | None = Field(
        description="Since when it is parked: queued, without a worker, until it is resumed."
    )


class Adapter(Resource):
    object: Literal["adapter"] = "adapter"
    id: str
    name: str
    base_model: str
    uri: str = Field(description="Address in the artifact store.")
    size_bytes: int
    card: dict[str, Any]
    gate: str | None
    training_job_id: str | None
    checkpoint_step: int | None = Field(
        description="Set: not what its training came to, but its state after this step."
    )
    created_at: datetime


class Merge(LongWork):
    object: Literal["merge"] = "merge"
    adapter_id: str
    size_bytes: int | None


class NewEvaluation(Body):
    dataset_version_id: Id
    base_model: BaseModelName
    adapter_id: Id | None = Field(default=None, description="The bare base model answers when left out.")
    options: EvaluationOptions = Field(default_factory=EvaluationOptions)


class Evaluation(LongWork):
    object: Literal["evaluation"] = "evaluation"
    dataset_version_id: str
    base_model: str
    adapter_id: str | None
    options: dict[str, Any]
    summary: dict[str, Any] | None


class Answer(Resource):
    object: Literal["answer"] = "answer"
    id: str
    example_id: str
    source_id: str | None
    prompt: str
    prompt_messages: list[dict[str, Any]] = Field(description="The prompt as a bad case's messages.")
    expected_output: str
    output: str
    score: float
    correct: bool
    metadata: dict[str, Any]


class NewVerification(Body):
    diagnosis_id: Id
    adapter_id: Id
    before_adapter_id: Id | None = None
    retention_version_id: Id | None = None
    options: VerificationOptions = Field(default_factory=VerificationOptions)


class Verification(LongWork):
    object: Literal["verification"] = "verification"
    diagnosis_id: str
    cycle_id: str | None
    adapter_id: str
    before_adapter_id: str | None
    retention_version_id: str | None
    options: dict[str, Any]
    result: dict[str, Any] | None


class VerificationCase(Resource):
    object: Literal["verification_case"] = "verification_case"
    id: str
    split: str
    bad_case_id: str | None
    example_id: str | None
    prompt: str
    expected_output: str | None
    before_output: str
    after_output: str
    before_score: float
    after_score: float
    verdict: str
