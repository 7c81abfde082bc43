"""The report of a diagnosis, and of everything that its cycle did about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import ClusterRow, CycleRow, DatasetRow, DatasetVersionRow, FindingRow, ProjectRow
from app.db.repositories import findings as finding_rows
from app.domain.diagnosis.clusters.trends import Trend
from app.domain.evidence import Evidence
from app.domain.records import RecommendedAction, RoadmapStep, RootCause
from app.domain.repair.policy.pii import PiiKind
from app.domain.reports import report
from app.domain.reports.masking import masked_report
from app.services.diagnoses import diagnoses
from app.services.reports import cycle_section, map_section

EXEMPLARS_SHOWN = 3


def build(
    session: Session,
    project_id: str,
    diagnosis_id: str,
    *,
    now: datetime,
    store: ArtifactStore | None = None,
    compared_with: str | None = None,
    with_texts: bool = False,
) -> report.ReportModel:
    """Everything known about a finished diagnosis. Raises NotFound, and InvalidInput while it runs.

    With a ``store`` the report has its map, and the comparison with another diagnosis if one is named;
    ``with_texts`` adds the beginnings of training rows to the map, which a self-contained page shows.
    """
    diagnosis = diagnoses.get_succeeded(session, project_id, diagnosis_id)
    findings = diagnoses.list_findings(session, diagnosis_id)
    version = session.get_one(DatasetVersionRow, diagnosis.dataset_version_id)
    dataset = session.get_one(DatasetRow, version.dataset_id)
    summary = diagnosis.summary or {}
    base = report.ReportModel(
        title=f"Why {dataset.name} fails, and what was done about it",
        generated_at=now,
        project=session.get_one(ProjectRow, project_id).name,
        dataset=report.ReportDataset(
            name=dataset.name, version_id=version.id, rows=version.rows, content_hash=version.content_hash
        ),
        diagnosis=report.ReportDiagnosis(
            id=diagnosis.id,
            cases=diagnosis.cases,
            by_category={RootCause(k): v for k, v in summary.get("by_category", {}).items()},
            calibration=diagnosis.calibration or {},
        ),
        roadmap=tuple(RoadmapStep(**step) for step in summary.get("roadmap", [])),
        clusters=_clusters(diagnoses.list_clusters(session, diagnosis_id), findings),
        findings=tuple(finding_of(f) for f in findings),
        fixed_clusters=map_section.fixed_clusters(diagnosis),
    )
    if store is not None:
        ordinals = [f.ordinal for f in findings]
        base = replace(
            base,
            map=map_section.map_of(session, store, diagnosis, base.findings, ordinals, with_texts=with_texts),
            comparison=map_section.comparison_of(session, store, diagnosis, compared_with, base.findings)
            if compared_with is not None
            else None,
        )
    cycle = session.get(CycleRow, diagnosis.cycle_id) if diagnosis.cycle_id else None
    if cycle is None:
        made = replace(base, repair=cycle_section.latest_repair(session, diagnosis))
    else:
        made = cycle_section.with_cycle(session, base, cycle)
    return masked_report(made, frozenset(PiiKind))


def _clusters(rows: Sequence[ClusterRow], findings: Sequence[FindingRow]) -> tuple[report.ReportCluster, ...]:
    prompts = {f.bad_case_id: finding_rows.case_from_snapshot(f).prompt for f in findings}
    return tuple(
        report.ReportCluster(
            id=row.id,
            label=row.label,
            keywords=tuple(row.keywords),
            size=row.size,
            category_counts={RootCause(k): v for k, v in row.category_counts.items()},
            exemplars=tuple(
                report.Exemplar(bad_case_id=i, prompt=prompts[i])
                for i in row.exemplar_ids[:EXEMPLARS_SHOWN]
                if i in prompts
            ),
            trend=Trend(row.trend["trend"]) if row.trend else None,
            size_before=row.trend["size_before"] if row.trend else 0,
        )
        for row in rows
    )


def finding_of(row: FindingRow) -> report.ReportFinding:
    """A finding as a report tells it, not masked."""
    case = finding_rows.case_from_snapshot(row)
    override = None
    if row.override_category:
        override = report.Override(
            category=RootCause(row.override_category), note=row.override_note or "", by=row.overridden_by
        )
    return report.ReportFinding(
        id=row.id,
        bad_case_id=row.bad_case_id,
        category=RootCause(row.category),
        probabilities={RootCause(k): v for k, v in row.probabilities.items()},
        confidence=row.confidence,
        prompt=case.prompt,
        model_output=case.model_output,
        expected_output=case.expected_output,
        external_id=row.external_id,
        symptoms=tuple(row.symptoms),
        evidence=Evidence.model_validate(row.evidence),
        recommended_actions=tuple(RecommendedAction(**a) for a in row.recommended_actions),
        cluster_id=row.cluster_id,
        override=override,
        held_back=row.held_back,
    )
