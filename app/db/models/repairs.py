"""Repair plans, augmentations and mixtures: the ways from one dataset version to the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, LongWork, new_id

RULE_CHARACTERS = 60


def rule_of(kind: str, evidence: Mapping[str, Any]) -> str:
    """The rule that proposed an action; its kind where the evidence names none."""
    return str(evidence.get("rule") or kind)[:RULE_CHARACTERS]


def _rule_of_new(context: DefaultExecutionContext) -> str:
    given = context.get_current_parameters()
    evidence = given["evidence"]
    return rule_of(given["kind"], evidence if isinstance(evidence, Mapping) else {})


class RepairRow(LongWork, Base):
    """``revision`` grows with every decision. ``reverted_version_id`` is the newest version that took some
    of it back. Without a diagnosis the version was audited alone."""

    __tablename__ = "repairs"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("rp"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    diagnosis_id: Mapped[str | None] = mapped_column(
        ForeignKey("diagnoses.id", ondelete="CASCADE"), index=True
    )
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    cycle_id: Mapped[str | None] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    evaluation_dataset_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any] | None]
    applied_at: Mapped[datetime | None]
    result_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    reverted_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    revision: Mapped[int] = mapped_column(default=1, server_default="1")


class RowQualityRow(Base):
    """What a plan says of one row of its version; ``id`` is the row's. ``band``: use, review or drop."""

    __tablename__ = "repair_row_quality"
    __table_args__ = (Index("ix_repair_row_quality_example", "repair_id", "id", unique=True),)

    repair_id: Mapped[str] = mapped_column(ForeignKey("repairs.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(64))
    score: Mapped[float] = mapped_column(Float)
    band: Mapped[str] = mapped_column(String(8))
    components: Mapped[dict[str, Any]]
    vetoes: Mapped[list[str]]


class RepairActionRow(Base):
    """``rule`` repeats what the evidence names, to be filtered and counted by."""

    __tablename__ = "repair_actions"
    __table_args__ = (
        Index("ix_repair_actions_repair_ordinal", "repair_id", "ordinal", unique=True),
        Index("ix_repair_actions_repair_rule", "repair_id", "rule", "ordinal"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ra"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    repair_id: Mapped[str] = mapped_column(ForeignKey("repairs.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    ordinal: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    example_ids: Mapped[list[str]]
    before: Mapped[list[Any]]
    after: Mapped[list[Any]]
    reason: Mapped[str] = mapped_column(Text)
    score: Mapped[float] = mapped_column(Float)
    evidence: Mapped[dict[str, Any]]
    rule: Mapped[str] = mapped_column(String(RULE_CHARACTERS), default=_rule_of_new)
    decision: Mapped[str] = mapped_column(String(16))
    decided_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)
    reverted_at: Mapped[datetime | None]
    reverted_in_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )


class RepairRunRow(LongWork, Base):
    """A repair that is too large for a request, on its way: ``kind`` apply or revert.

    ``action_ids``: only these are reverted; None = all. ``dataset_version_id``: in which version they are
    reverted; None = the newest.
    """

    __tablename__ = "repair_runs"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("rpr"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    repair_id: Mapped[str] = mapped_column(ForeignKey("repairs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    action_ids: Mapped[list[str] | None]
    dataset_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="CASCADE")
    )
    result_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )


class AugmentationRow(LongWork, Base):
    __tablename__ = "augmentations"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("aug"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    diagnosis_id: Mapped[str] = mapped_column(ForeignKey("diagnoses.id", ondelete="CASCADE"), index=True)
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    cycle_id: Mapped[str | None] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any] | None]
    result_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )


class MixtureRow(LongWork, Base):
    """``rows_uri`` is the trainable file (ndjson, TRL's conversational rows) in the artifact store."""

    __tablename__ = "mixtures"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("mix"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    diagnosis_id: Mapped[str | None] = mapped_column(ForeignKey("diagnoses.id", ondelete="CASCADE"))
    cycle_id: Mapped[str | None] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    recipe: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rows: Mapped[int | None]
    counts: Mapped[dict[str, Any] | None]
    content_hash: Mapped[str | None] = mapped_column(String(64))
    rows_uri: Mapped[str | None] = mapped_column(Text)
