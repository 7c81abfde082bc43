"""Diagnoses with their findings and clusters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, LongWork, new_id


class DiagnosisRow(LongWork, Base):
    __tablename__ = "diagnoses"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("dg"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="CASCADE"), index=True
    )
    cycle_id: Mapped[str | None] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    cases: Mapped[int]
    case_ids: Mapped[list[str]]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any] | None]
    calibration: Mapped[dict[str, Any] | None]
    training_defaults: Mapped[dict[str, Any] | None]
    map_uri: Mapped[str | None] = mapped_column(Text)


class ClusterRow(Created, Base):
    __tablename__ = "clusters"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("cl"))
    diagnosis_id: Mapped[str] = mapped_column(ForeignKey("diagnoses.id", ondelete="CASCADE"), index=True)
    ordinal: Mapped[int]
    label: Mapped[str] = mapped_column(Text)
    keywords: Mapped[list[str]]
    size: Mapped[int]
    exemplar_ids: Mapped[list[str]]
    category_counts: Mapped[dict[str, Any]]
    trend: Mapped[dict[str, Any] | None]


class FindingRow(Created, Base):
    """``case_snapshot`` is the bad case as it was judged: a later update does not change the report."""

    __tablename__ = "findings"
    __table_args__ = (
        Index("ix_findings_diagnosis_ordinal", "diagnosis_id", "ordinal", unique=True),
        Index("ix_findings_overridden", "project_id", postgresql_where=text("override_category IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("fd"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    diagnosis_id: Mapped[str] = mapped_column(ForeignKey("diagnoses.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    bad_case_id: Mapped[str] = mapped_column(ForeignKey("bad_cases.id", ondelete="CASCADE"), index=True)
    external_id: Mapped[str | None] = mapped_column(String(500))
    case_snapshot: Mapped[dict[str, Any]]
    category: Mapped[str] = mapped_column(String(20), index=True)
    probabilities: Mapped[dict[str, Any]]
    confidence: Mapped[float] = mapped_column(Float)
    symptoms: Mapped[list[str]]
    evidence: Mapped[dict[str, Any]]
    recommended_actions: Mapped[list[dict[str, Any]]]
    cluster_id: Mapped[str | None] = mapped_column(ForeignKey("clusters.id", ondelete="SET NULL"))
    held_back: Mapped[bool] = mapped_column(default=False)
    override_category: Mapped[str | None] = mapped_column(String(20))
    override_note: Mapped[str | None] = mapped_column(Text)
    overridden_at: Mapped[datetime | None]
    overridden_by: Mapped[str | None] = mapped_column(String(40))
    revision: Mapped[int] = mapped_column(default=1)


class FindingOverrideRow(Created, Base):
    """One verdict of a person, under the finding's revision that it made; the last stands in the finding."""

    __tablename__ = "finding_overrides"
    __table_args__ = (Index("ix_finding_overrides_finding_revision", "finding_id", "revision", unique=True),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ovr"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    finding_id: Mapped[str] = mapped_column(ForeignKey("findings.id", ondelete="CASCADE"))
    revision: Mapped[int]
    category: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    overridden_by: Mapped[str | None] = mapped_column(String(40))
