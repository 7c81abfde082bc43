"""Diagnoses: asked for over HTTP, computed by a worker, corrected by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.base import new_id
from app.db.models import BadCaseRow, ClusterRow, DiagnosisRow, FindingOverrideRow, FindingRow
from app.domain.evidence import Finding
from app.domain.records import RootCause
from app.errors import InvalidInput, NotFound, PreconditionFailed
from app.queue import Stage
from app.services.training import adapters
from app.services.versions import versions
from app.services.work import work


def create(
    session: Session,
    project_id: str,
    *,
    dataset_version_id: str,
    case_ids: Sequence[str],
    options: Mapping[str, Any] | None = None,
    cycle_id: str | None = None,
) -> DiagnosisRow:
    """Queue a diagnosis of ``case_ids`` against a dataset version. Raises NotFound and InvalidInput."""
    versions.require(session, project_id, dataset_version_id)
    adapter_id = (options or {}).get("adapter_id")
    if adapter_id is not None:
        adapters.get_adapter(session, project_id, adapter_id)
    if not case_ids:
        raise InvalidInput("no bad case matches: send bad_case_ids, or a filter that some case meets")
    row = DiagnosisRow(
        project_id=project_id,
        dataset_version_id=dataset_version_id,
        cycle_id=cycle_id,
        cases=len(case_ids),
        case_ids=list(case_ids),
        options=dict(options or {}),
    )
    work.enqueue(session, Stage.DIAGNOSE, row)
    return row


def get(session: Session, project_id: str, diagnosis_id: str) -> DiagnosisRow:
    row = session.get(DiagnosisRow, diagnosis_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no diagnosis {diagnosis_id} in this project")
    return row


def get_succeeded(session: Session, project_id: str, diagnosis_id: str) -> DiagnosisRow:
    row = get(session, project_id, diagnosis_id)
    if row.status != "succeeded":
        raise InvalidInput(f"diagnosis {diagnosis_id} is {row.status}; wait until it has succeeded")
    return row


def get_finding(session: Session, project_id: str, finding_id: str) -> FindingRow:
    row = session.get(FindingRow, finding_id)
    if row is None or row.project_id != project_id:
        raise NotFound(f"no finding {finding_id} in this project")
    return row


def override(
    session: Session,
    project_id: str,
    finding_id: str,
    *,
    category: RootCause,
    note: str | None,
    key_id: str | None,
    now: datetime,
    if_revision: int | None = None,
) -> FindingRow:
    """A person's verdict, kept beside the machine's; raises PreconditionFailed when it was read stale.

    The row is locked: of two at once the later one stands, and both stand in the history.
    """
    row = session.scalar(
        select(FindingRow)
        .where(FindingRow.id == finding_id, FindingRow.project_id == project_id)
        .with_for_update()
    )
    if row is None:
        raise NotFound(f"no finding {finding_id} in this project")
    if if_revision is not None and if_revision != row.revision:
        raise PreconditionFailed(f"finding {finding_id} is at revision {row.revision}; read it again")
    if row.overridden_at is not None:
        # This one may have waited for the lock while the other was written: it is the later one.
        now = max(now, row.overridden_at + timedelta(microseconds=1))
    row.override_category = category.value
    row.override_note = note
    row.overridden_at = now
    row.overridden_by = key_id
    row.revision += 1
    session.add(
        FindingOverrideRow(
            project_id=project_id,
            finding_id=row.id,
            revision=row.revision,
            category=category.value,
            note=note,
            overridden_by=key_id,
            created_at=now,
        )
    )
    session.flush()
    return row


def save(
    session: Session,
    row: DiagnosisRow,
    *,
    findings: Sequence[Finding],
    clusters: Sequence[Any],
    roadmap: Sequence[Any],
    calibration: Mapping[str, Any],
    training_defaults: Mapping[str, Any],
    cases: Sequence[BadCaseRow],
    held_back: frozenset[str],
) -> None:
    """Write the result of a diagnosis into the row's findings and clusters (first write only)."""
    cluster_ids: list[str] = []
    for ordinal, cluster in enumerate(clusters):
        cluster_row = ClusterRow(
            id=new_id("cl"),
            diagnosis_id=row.id,
            ordinal=ordinal,
            label=cluster.label,
            keywords=list(cluster.keywords),
            size=len(cluster.case_ids),
            exemplar_ids=list(cluster.exemplar_ids),
            category_counts={RootCause(k).value: v for k, v in cluster.category_counts.items()},
        )
        session.add(cluster_row)
        cluster_ids.append(cluster_row.id)
    session.flush()
    by_id = {case.id: case for case in cases}
    for ordinal, finding in enumerate(findings):
        case = by_id[finding.bad_case_id]
        session.add(
            FindingRow(
                project_id=row.project_id,
                diagnosis_id=row.id,
                ordinal=ordinal,
                bad_case_id=case.id,
                external_id=case.external_id,
                case_snapshot=snapshot(case),
                category=finding.root_cause.value,
                probabilities={RootCause(k).value: v for k, v in finding.probabilities.items()},
                confidence=finding.confidence,
                symptoms=[s.value for s in finding.symptoms],
                evidence=finding.evidence.model_dump(mode="json"),
                recommended_actions=[asdict(a) for a in finding.recommended_actions],
                cluster_id=cluster_ids[finding.cluster] if finding.cluster >= 0 else None,
                held_back=case.id in held_back,
            )
        )
    counts = {cause.value: 0 for cause in RootCause}
    for finding in findings:
        counts[finding.root_cause.value] += 1
    row.summary = {"by_category": counts, "roadmap": [asdict(step) for step in roadmap]}
    row.calibration = dict(calibration)
    row.training_defaults = dict(training_defaults)
    session.flush()


def snapshot(case: BadCaseRow) -> dict[str, Any]:
    """The bad case as it is judged now, JSON-ready; ``case_from_snapshot`` reads it back."""
    return {
        "messages": case.messages,
        "instruction_length": case.instruction_length,
        "model_output": case.model_output,
        "expected_output": case.expected_output,
        "alternatives": case.alternatives,
        "request": case.request,
        "tags": case.tags,
        "metadata": case.extra,
        "revision": case.revision,
    }


def list_findings(session: Session, diagnosis_id: str) -> list[FindingRow]:
    """All findings in the order of the cases."""
    return list(
        session.scalars(
            select(FindingRow).where(FindingRow.diagnosis_id == diagnosis_id).order_by(FindingRow.ordinal)
        )
    )


def list_clusters(session: Session, diagnosis_id: str) -> list[ClusterRow]:
    return list(
        session.scalars(
            select(ClusterRow).where(ClusterRow.diagnosis_id == diagnosis_id).order_by(ClusterRow.ordinal)
        )
    )
