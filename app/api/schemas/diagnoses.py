"""Diagnoses, findings and clusters over HTTP."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.schemas.bad_cases import CaseSelection
from app.api.schemas.common import Body, Id, LongWork, Resource
from app.domain.evidence import Evidence
from app.domain.records import RootCause
from app.domain.section import Seed


class DiagnosisOptions(Body):
    """``hold_back``: share of each cluster's cases that is never trained on. ``base_model``: the tuned
    model, whose chat template a request is compared with. ``adapter_id``: the adapter that failed; with it,
    findings say which rows taught the wrong answer and what the adapter itself makes of the case.
    ``judge``: whether the configured language model breaks near ties; it costs tokens."""

    adapter_id: Id | None = None
    base_model: str | None = Field(default=None, min_length=1, max_length=500)
    hold_back: float | None = Field(default=None, ge=0, le=0.5)
    judge: bool | None = None
    seed: Seed | None = None


class NewDiagnosis(CaseSelection):
    dataset_version_id: Id
    options: DiagnosisOptions = Field(default_factory=DiagnosisOptions)


class Diagnosis(LongWork):
    object: Literal["diagnosis"] = "diagnosis"
    dataset_version_id: str
    cycle_id: str | None
    cases: int
    options: dict[str, Any]
    summary: dict[str, Any] | None = Field(
        description="Once it has succeeded: by_category (counts) and roadmap (step, action, key_point, cost, gain)."
    )
    calibration: dict[str, Any] | None = Field(description="The thresholds, and how they were learnt.")
    training_defaults: dict[str, Any] | None


class Finding(Resource):
    object: Literal["finding"] = "finding"
    id: str
    diagnosis_id: str
    bad_case_id: str
    external_id: str | None
    category: RootCause = Field(description="The machine's verdict.")
    probabilities: dict[str, float]
    confidence: float
    symptoms: list[str]
    evidence: Evidence
    cluster_id: str | None
    recommended_actions: list[dict[str, Any]]
    held_back: bool = Field(description="Kept out of every training, to measure the fix on.")
    case: dict[str, Any] = Field(
        validation_alias="case_snapshot", description="The bad case as it was judged."
    )
    override_category: RootCause | None = Field(description="A person's verdict, kept beside the machine's.")
    override_note: str | None
    overridden_at: datetime | None
    overridden_by: str | None
    revision: int
    created_at: datetime


class FindingOverride(Body):
    category: Annotated[RootCause, Field(strict=False)]
    note: str | None = Field(default=None, max_length=10_000)


class AgreementRate(Resource):
    n: int
    agreed: int
    rate: float | None = Field(description="agreed / n; null for n = 0.")
    low: float = Field(description="Lower end of the 95 % interval (Wilson).")
    high: float


class JudgeAgreement(AgreementRate):
    """How often people's verdicts equal the judge's."""

    object: Literal["judge_agreement"] = "judge_agreement"
    by_category: dict[str, AgreementRate] = Field(description="By the person's verdict.")


class PastOverride(Resource):
    object: Literal["finding_override"] = "finding_override"
    id: str
    finding_id: str
    revision: int = Field(description="The finding's revision that this verdict made.")
    category: RootCause
    note: str | None
    overridden_by: str | None
    created_at: datetime


class Cluster(Resource):
    object: Literal["cluster"] = "cluster"
    id: str
    diagnosis_id: str
    label: str
    keywords: list[str]
    size: int
    exemplar_ids: list[str]
    category_counts: dict[str, int]
    trend: dict[str, Any] | None = Field(
        description="Against the dataset's diagnosis before: trend (new, growing, steady, shrinking, "
        "came_back), size_before, before_id, since. Null where there was none."
    )
    created_at: datetime


class ReportFormat(StrEnum):
    JSON = "json"
    HTML = "html"
    MARKDOWN = "md"
    CSV = "csv"
