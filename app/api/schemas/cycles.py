"""The closed loop over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from app.api.schemas.bad_cases import CaseSelection
from app.api.schemas.common import Id, LongWork, Resource
from app.api.schemas.pipeline import BaseModelName
from app.domain.pipeline import CyclePolicy


class NewCycle(CaseSelection):
    dataset_version_id: Id
    base_model: BaseModelName
    policy: CyclePolicy = Field(default_factory=lambda: CyclePolicy.model_validate({}))


class CycleStage(Resource):
    model_config = ConfigDict(from_attributes=True, extra="allow")

    name: str
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    result_id: str | None


class OpenQuestions(Resource):
    """What the repair plan asks a person. The rows in question are in the version and not in the mixture;
    ``example_ids`` names the first of them, by their ids in the version that the plan is of."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    count: int
    rows_kept_out: int
    example_ids: list[str]
    repair_id: str
    url: str = Field(description="Lists the open questions; answer them there.")


class CycleVerdict(Resource):
    """Rates are 0..1, null where nothing could be judged. ``open_questions`` is null for cycles that ended before
    questions were counted."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    fix_rate: float | None
    held_back_fix_rate: float | None
    retention: float | None
    gate: Literal["accepted", "rejected", "inconclusive"]
    open_questions: OpenQuestions | None = None
    reasons: list[str]


def _count(value: object) -> object:
    return len(value) if isinstance(value, list) else value


class Cycle(LongWork):
    object: Literal["cycle"] = "cycle"
    dataset_version_id: str
    cases: Annotated[int, BeforeValidator(_count), Field(validation_alias="case_ids")]
    base_model: str
    before_adapter_id: str | None
    policy: dict[str, Any]
    stage: str
    attempt: int
    stages: list[CycleStage]
    verdict: CycleVerdict | None
    adapter_id: str | None
