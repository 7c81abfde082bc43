"""What a report tells, as plain records.

Knows the parts of a report and which of them are always there: project, dataset, diagnosis, findings.
Everything that comes after a diagnosis is optional, so a report of a diagnosis alone shows only its own
sections. Does not know how a report looks (app.reporting renders it) and where its parts are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.diagnosis.clusters.trends import Trend
from app.domain.evidence import Evidence
from app.domain.json_ready import json_ready
from app.domain.records import RecommendedAction, RoadmapStep, RootCause
from app.domain.reports.map import ReportComparison, ReportMap


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDataset:
    """The dataset version that was diagnosed. ``rows`` counts its training examples."""

    name: str
    version_id: str
    rows: int
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDiagnosis:
    """``cases`` counts the bad cases looked at; ``calibration`` holds thresholds and how they were learnt."""

    id: str
    cases: int
    by_category: Mapping[RootCause, int]
    calibration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A bad case that stands for its cluster."""

    bad_case_id: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCluster:
    """``trend`` is against ``size_before`` cases in the diagnosis before; ``None`` = there was none."""

    id: str
    label: str
    keywords: tuple[str, ...]
    size: int
    category_counts: Mapping[RootCause, int]
    exemplars: tuple[Exemplar, ...] = ()
    trend: Trend | None = None
    size_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCluster:
    """A cluster of the diagnosis before that this one does not have."""

    label: str
    size_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's verdict; it stands beside the machine's, never over it."""

    category: RootCause
    note: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """The verdict on one bad case, with what a person needs to check it.

    ``verdict`` is ``fixed``, ``not_fixed``, ``regressed`` or, before a verification, ``None``;
    ``held_back`` says that the case was kept out of every training mixture.
    """

    id: str
    bad_case_id: str
    category: RootCause
    probabilities: Mapping[RootCause, float]
    confidence: float
    prompt: str
    model_output: str
    expected_output: str | None = None
    external_id: str | None = None
    symptoms: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    recommended_actions: tuple[RecommendedAction, ...] = ()
    cluster_id: str | None = None
    override: Override | None = None
    verdict: str | None = None
    after_output: str | None = None
    held_back: bool = False


SCORE_OF_CHANGE = "that the change is right"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRepairAction:
    """One proposed change. ``before`` and ``after`` are JSON-ready rows or texts; ``None`` = no such side.

    ``score`` 0..1 is the probability of what ``score_of`` says, a clause. ``asks``: a person has to decide.
    """

    kind: str
    reason: str
    decision: str
    before: Any = None
    after: Any = None
    score: float | None = None
    score_of: str = SCORE_OF_CHANGE
    asks: bool = False
    example_ids: tuple[str, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """``counts[kind][decision]`` counts every action; ``actions`` may be a cut of ``total_actions``.
    ``open_questions`` wait for a person, and ``rows_kept_out`` are not trained on until then."""

    id: str
    counts: Mapping[str, Mapping[str, int]]
    actions: tuple[ReportRepairAction, ...]
    total_actions: int
    open_questions: int = 0
    rows_kept_out: int = 0
    dataset_version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationReport:
    """What was added, by strategy, and what the reader has to know about it (no LLM configured ...)."""

    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureReport:
    """``counts`` are rows by part (targeted, replay ...); ``recipe`` is the mixture's JSON-ready recipe."""

    counts: Mapping[str, int]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """``loss_curve`` holds (optimizer step, training loss) in the order of the run."""

    base_model: str
    hyperparameters: Mapping[str, Any]
    device: str
    seconds: float | None
    loss_curve: tuple[tuple[int, float], ...] = ()
    id: str | None = None
    adapter_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEstimate:
    """A share 0..1 of ``n`` cases with its 95 % interval. With ``n == 0`` the rate says nothing."""

    rate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSlice:
    """How a part of the retention set did. ``before`` and ``after`` are mean scores 0..1 over ``n`` rows."""

    name: str
    before: float
    after: float
    n: int

    @property
    def degradation(self) -> float:
        """The share of the earlier score that was lost, 0..1; 0 = nothing lost or nothing to lose."""
        return max(0.0, (self.before - self.after) / self.before) if self.before > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionEstimate:
    """``mean`` is the score after over the score before; 1 = nothing forgotten, above 1 = better."""

    mean: float
    low: float
    high: float
    n: int
    largest_degradation: float = 0.0
    slices: tuple[RetentionSlice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """Whether the adapter may be served, and why (not)."""

    accepted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCase:
    """One row of the before/after table. ``part`` is ``case``, ``held_back`` or ``retention``."""

    id: str
    part: str
    prompt: str
    before_output: str
    after_output: str
    verdict: str
    expected_output: str | None = None
    before_score: float | None = None
    after_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """``cases`` may be empty: then the before/after table is made of the findings. It may also be a cut of
    ``total_cases``."""

    fix_rate: RateEstimate
    gate: GateReport
    held_back_fix_rate: RateEstimate | None = None
    retention: RetentionEstimate | None = None
    cases: tuple[VerifiedCase, ...] = ()
    total_cases: int | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStage:
    name: str
    status: str
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long the stage took; ``None`` while it has not finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    id: str
    status: str
    stages: tuple[ReportStage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportModel:
    """Everything a report tells, in the order in which it is told. ``generated_at`` is aware."""

    title: str
    generated_at: datetime
    project: str
    dataset: ReportDataset
    diagnosis: ReportDiagnosis
    roadmap: tuple[RoadmapStep, ...] = ()
    clusters: tuple[ReportCluster, ...] = ()
    findings: tuple[ReportFinding, ...] = ()
    repair: RepairReport | None = None
    augmentation: AugmentationReport | None = None
    mixture: MixtureReport | None = None
    training: TrainingReport | None = None
    verification: VerificationReport | None = None
    cycle: CycleReport | None = None
    map: ReportMap | None = None
    comparison: ReportComparison | None = None
    fixed_clusters: tuple[FixedCluster, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The whole report as JSON-ready data: enums as their values, times as RFC 3339."""
        return json_ready(self)
