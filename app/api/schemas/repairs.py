"""Repair plans and their actions over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.schemas.common import Body, Id, LongWork, Options, Resource
from app.domain.repair.plan import ActionKind, Decision


class NewRepair(Body):
    diagnosis_id: Id
    policy: Options
    evaluation_dataset_version_id: Id | None = Field(
        default=None, description="Rows that repeat one of this dataset version are planned to be dropped."
    )


class Repair(LongWork):
    object: Literal["repair"] = "repair"
    diagnosis_id: str
    dataset_version_id: str
    evaluation_dataset_version_id: str | None
    cycle_id: str | None
    policy: dict[str, Any]
    summary: dict[str, Any] | None
    applied_at: datetime | None
    result_version_id: str | None = Field(description="The dataset version that applying it made.")


class RepairAction(Resource):
    object: Literal["repair_action"] = "repair_action"
    id: str
    repair_id: str
    kind: ActionKind
    example_ids: list[str]
    before: list[Any]
    after: list[Any]
    reason: str
    score: float
    evidence: dict[str, Any]
    decision: Decision
    decided_by: str | None
    decided_at: datetime | None
    revision: int
    created_at: datetime


_Decision = Annotated[Decision, Field(strict=False)]


class NewDecision(Body):
    decision: _Decision


class NewDecisions(Body):
    """Every action that meets all given conditions is decided."""

    decision: _Decision
    kind: Annotated[ActionKind, Field(strict=False)] | None = None
    current: _Decision | None = Field(
        default=None, description="Only actions that are decided like this now."
    )
    min_score: float | None = Field(default=None, ge=0, le=1)
    action_ids: Annotated[list[Id], Field(max_length=100_000)] | None = None


class Decided(Resource):
    object: Literal["decisions"] = "decisions"
    repair_id: str
    decided: int = Field(description="How many actions were decided.")
