"""Repair plans and their actions over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field, model_validator

from app.api.schemas.common import Body, Id, LongWork, Resource
from app.api.schemas.datasets import ChangeCounts, ChangedRow
from app.domain.repair.draft.actions import needs_answer
from app.domain.repair.draft.row_bands import Veto
from app.domain.repair.plan import ActionKind, Decision
from app.domain.repair.policy.decisions import DecisionPolicy
from app.domain.repair.policy.repair_policy import RepairPolicy
from app.domain.repair.row_quality.scores import Use
from app.domain.section import Whole


class NewRepair(Body):
    """Of a diagnosis, or of a dataset version alone, which is audited without bad cases."""

    diagnosis_id: Id | None = None
    dataset_version_id: Id | None = None
    policy: RepairPolicy = Field(default_factory=RepairPolicy)
    evaluation_dataset_version_id: Id | None = Field(
        default=None, description="Rows that repeat one of this dataset version are planned to be dropped."
    )

    @model_validator(mode="after")
    def _one_way(self) -> NewRepair:
        if (self.diagnosis_id is None) == (self.dataset_version_id is None):
            raise ValueError("send 'diagnosis_id' or 'dataset_version_id', one of them")
        return self


class Repair(LongWork):
    object: Literal["repair"] = "repair"
    diagnosis_id: str | None = Field(description="null: the version was audited without bad cases.")
    dataset_version_id: str
    evaluation_dataset_version_id: str | None
    cycle_id: str | None
    policy: dict[str, Any]
    summary: dict[str, Any] | None
    revision: int = Field(description="Grows with every decision; the ETag.")
    applied_at: datetime | None
    result_version_id: str | None = Field(description="The dataset version that applying it made.")
    reverted_version_id: str | None = Field(description="The newest version that took some of it back.")


class ActionCount(Resource):
    kind: ActionKind
    rule: str
    decision: Decision
    actions: int
    reverted: int = Field(description="Of these, how many were taken back.")


class RepairRun(LongWork):
    """A worker that applies or reverts a large repair."""

    object: Literal["repair_run"] = "repair_run"
    repair_id: str
    kind: Literal["apply", "revert"]
    result_version_id: str | None


class RepairInFull(Repair):
    counts: list[ActionCount] = Field(description="The plan's actions by kind, rule and decision.")
    run: RepairRun | None = Field(description="The last time a worker was asked to apply or revert it.")


class RowQuality(Resource):
    object: Literal["row_quality"] = "row_quality"
    id: str = Field(description="The id of the row.")
    repair_id: str
    score: float = Field(description="0..1, larger = better: the weighted mean of the components.")
    band: Use = Field(
        description="By the policy's use_above and drop_below; a vetoed row is in 'drop' whatever its score."
    )
    components: dict[str, float | None] = Field(
        description="0..1 each; null where it says nothing of the row."
    )
    vetoes: list[Veto]


class RepairAction(Resource):
    object: Literal["repair_action"] = "repair_action"
    id: str
    repair_id: str
    kind: ActionKind
    rule: str = Field(description="The rule that proposed it.")
    example_ids: list[str]
    before: list[Any]
    after: list[Any]
    reason: str
    score: float = Field(
        description="Probability 0..1 that the change is right, or of what evidence.score_of says."
    )
    evidence: dict[str, Any]
    decision: Decision
    decided_by: str | None
    decided_at: datetime | None
    reverted_at: datetime | None
    reverted_in_version_id: str | None
    revision: int
    created_at: datetime

    @computed_field(description="It asks which answer is right and proposes none: approve it with an answer.")
    @property
    def needs_answer(self) -> bool:
        return needs_answer(self.kind, self.after)


_Decision = Annotated[Decision, Field(strict=False)]
Rule = Annotated[str, Field(min_length=1, max_length=60)]
ActionIds = Annotated[list[Id], Field(max_length=100_000)]


class NewDecision(Body):
    decision: _Decision
    answer: Annotated[str, Field(min_length=1, max_length=100_000)] | None = Field(
        default=None,
        description="What the rows shall say instead of what is proposed: one of the answers in dispute or another. "
        "Only of a relabel or a merge, and only with the decision approved or proposed. Needed to approve an action "
        "with needs_answer.",
    )


class NewDecisions(Body):
    """Every action that meets all given conditions is decided: as ``decision`` says, or by ``policy``."""

    decision: _Decision | None = None
    policy: DecisionPolicy | None = None
    kind: Annotated[ActionKind, Field(strict=False)] | None = None
    rule: Rule | None = None
    current: _Decision | None = Field(
        default=None, description="Only actions that are decided like this now."
    )
    min_score: float | None = Field(default=None, ge=0, le=1)
    max_score: float | None = Field(default=None, ge=0, le=1)
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="Only actions whose reason holds this text, whatever its case."
    )
    example_ids: ActionIds | None = Field(default=None, description="Only actions on these rows.")
    action_ids: ActionIds | None = None

    @model_validator(mode="after")
    def _one_way(self) -> NewDecisions:
        if (self.decision is None) == (self.policy is None):
            raise ValueError("send 'decision' or 'policy', one of them")
        return self


class Decided(Resource):
    object: Literal["decisions"] = "decisions"
    repair_id: str
    decided: int = Field(description="How many actions were decided.")
    revision: int = Field(description="Of the repair, now.")


class RepairPreview(Resource):
    """What applying would make; nothing is written."""

    object: Literal["repair_preview"] = "repair_preview"
    repair_id: str
    parent_id: str
    actions: int = Field(description="How many approved actions there are.")
    rows: int
    content_hash: str
    counts: ChangeCounts = Field(description="Over all changes.")
    changes: list[ChangedRow] = Field(description="The first of them.")


class NewRevert(Body):
    """All of the repair by default."""

    action_ids: Annotated[list[Id], Field(min_length=1, max_length=100_000)] | None = None
    dataset_version_id: Id | None = Field(
        default=None,
        description="Where to undo it: the repaired version or one that comes from it; the newest by default.",
    )


class NewSimilar(Body):
    limit: Annotated[Whole, Field(ge=1, le=10_000)] = Field(
        default=1000, description="At most this many, the best fits first."
    )


class AddedActions(Resource):
    object: Literal["added_actions"] = "added_actions"
    repair_id: str
    modelled_on: str
    added: int
    left_out: int = Field(description="How many more rows it fits, beyond the limit.")
    revision: int = Field(description="Of the repair, now.")
    data: list[RepairAction]
