"""Diagnoses against each other: what became of cases, and how clusters move from one to the next."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import DatasetVersionRow, DiagnosisRow, FindingRow
from app.domain.diagnosis.clusters.matching import JudgedCase, KnownCluster, Snapshot
from app.domain.diagnosis.clusters.trends import DiagnosisComparison, Trend, compare, trends
from app.domain.records import RootCause
from app.services.diagnoses import diagnoses, maps

HISTORY = 10
"""How many earlier diagnoses are asked whether a cluster came back."""

RIGHT = "close_case"
"""The action that a finding recommends where the output agrees with the expected one."""


def between(
    session: Session, store: ArtifactStore, project_id: str, diagnosis_id: str, with_id: str
) -> DiagnosisComparison:
    """``diagnosis_id`` against ``with_id``. Raises NotFound, and InvalidInput while either runs."""
    after = diagnoses.get_succeeded(session, project_id, diagnosis_id)
    before = diagnoses.get_succeeded(session, project_id, with_id)
    older = [row for row in earlier(session, before) if row.id != after.id]
    return compare(
        snapshot(session, store, after),
        snapshot(session, store, before),
        older=[snapshot(session, store, row) for row in older],
    )


def record_trends(session: Session, store: ArtifactStore, row: DiagnosisRow) -> None:
    """Write into the clusters of a saved diagnosis how they stand against the dataset's earlier diagnoses.

    The clusters that are gone since the last one stand in the summary, as ``fixed_clusters``.
    """
    history = [snapshot(session, store, past) for past in earlier(session, row)]
    found = trends(snapshot(session, store, row), history)
    by_id = {t.cluster_id: t for t in found if t.trend is not Trend.FIXED}
    for cluster in diagnoses.list_clusters(session, row.id):
        if trend := by_id.get(cluster.id):
            cluster.trend = {
                "trend": trend.trend.value,
                "size_before": trend.size_before,
                "before_id": trend.before_id,
                "since": trend.since,
            }
    if history:
        fixed = [
            {"cluster_id": t.cluster_id, "label": t.label, "size_before": t.size_before}
            for t in found
            if t.trend is Trend.FIXED
        ]
        row.summary = {
            **(row.summary or {}),
            "compared_with": history[0].diagnosis_id,
            "fixed_clusters": fixed,
        }
    session.flush()


def earlier(session: Session, row: DiagnosisRow) -> Sequence[DiagnosisRow]:
    """Succeeded diagnoses of the same dataset, whatever its version, that were asked for before; newest first."""
    dataset_id = (
        select(DatasetVersionRow.dataset_id)
        .where(DatasetVersionRow.id == row.dataset_version_id)
        .scalar_subquery()
    )
    return session.scalars(
        select(DiagnosisRow)
        .join(DatasetVersionRow, DatasetVersionRow.id == DiagnosisRow.dataset_version_id)
        .where(
            DiagnosisRow.project_id == row.project_id,
            DiagnosisRow.status == "succeeded",
            DiagnosisRow.created_at < row.created_at,
            DatasetVersionRow.dataset_id == dataset_id,
        )
        .order_by(DiagnosisRow.created_at.desc(), DiagnosisRow.id)
        .limit(HISTORY)
    ).all()


def snapshot(session: Session, store: ArtifactStore, row: DiagnosisRow) -> Snapshot:
    """A stored diagnosis as the comparison needs it; a person's verdict counts before the machine's."""
    drawn = maps.of_diagnosis(store, row)
    clusters = diagnoses.list_clusters(session, row.id)
    centroids = drawn.centroids if drawn and len(drawn.centroids) == len(clusters) else None
    found = session.execute(
        select(
            FindingRow.bad_case_id,
            FindingRow.external_id,
            FindingRow.category,
            FindingRow.override_category,
            FindingRow.cluster_id,
            FindingRow.recommended_actions,
        )
        .where(FindingRow.diagnosis_id == row.id)
        .order_by(FindingRow.ordinal)
    )
    return Snapshot(
        diagnosis_id=row.id,
        embedder=drawn.embedder if drawn else None,
        clusters=tuple(
            KnownCluster(
                id=c.id,
                label=c.label,
                keywords=tuple(c.keywords),
                size=c.size,
                centroid=centroids[i] if centroids is not None else None,
            )
            for i, c in enumerate(clusters)
        ),
        cases=tuple(
            JudgedCase(
                bad_case_id=f.bad_case_id,
                external_id=f.external_id,
                category=RootCause(f.override_category or f.category),
                cluster_id=f.cluster_id,
                right=any(a.get("action") == RIGHT for a in f.recommended_actions),
            )
            for f in found
        ),
    )
