"""Training jobs, the adapters they make, and how an adapter answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, LongWork, new_id


class AdapterRow(Created, Base):
    """A deleted one can no longer be asked or fetched; what was measured of it stays. One with a ``checkpoint_step``
    is the state of its training after that step, and not what came out of it."""

    __tablename__ = "adapters"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("adp"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    base_model: Mapped[str] = mapped_column(Text)
    uri: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    card: Mapped[dict[str, Any]]
    gate: Mapped[str | None] = mapped_column(String(16))
    # no foreign key: a training job names its adapter, and two tables that name each other cannot be ordered
    training_job_id: Mapped[str | None] = mapped_column(String(40), index=True)
    checkpoint_step: Mapped[int | None]
    deleted_at: Mapped[datetime | None]


class AdapterAliasRow(Created, Base):
    """What a name stood for since ``created_at``; the largest ``number`` is what it stands for now. Never updated."""

    __tablename__ = "adapter_aliases"
    __table_args__ = (Index("ix_adapter_aliases_number", "project_id", "name", "number", unique=True),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("als"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    adapter_id: Mapped[str] = mapped_column(ForeignKey("adapters.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(200))
    number: Mapped[int]


class TrainingJobRow(LongWork, Base):
    __tablename__ = "training_jobs"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("job"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="CASCADE")
    )
    mixture_id: Mapped[str | None] = mapped_column(ForeignKey("mixtures.id", ondelete="CASCADE"))
    cycle_id: Mapped[str | None] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    validation_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    base_model: Mapped[str] = mapped_column(Text)
    init_adapter_id: Mapped[str | None] = mapped_column(ForeignKey("adapters.id", ondelete="SET NULL"))
    hyperparameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    metrics: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    summary: Mapped[dict[str, Any] | None]
    adapter_id: Mapped[str | None] = mapped_column(ForeignKey("adapters.id", ondelete="SET NULL"))
    pause_requested: Mapped[bool] = mapped_column(default=False)
    paused_at: Mapped[datetime | None]
    """Set: queued, with no job in the queue, until somebody resumes it."""


class MergeRow(LongWork, Base):
    """An adapter's weights added to its base model's. ``uri``: the merged model's folder."""

    __tablename__ = "merges"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("mrg"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    adapter_id: Mapped[str] = mapped_column(ForeignKey("adapters.id", ondelete="CASCADE"), index=True)
    uri: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[datetime | None]


class EvaluationRow(LongWork, Base):
    """An adapter (or the bare base model) answers every prompt of a dataset version."""

    __tablename__ = "evaluations"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ev"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    base_model: Mapped[str] = mapped_column(Text)
    adapter_id: Mapped[str | None] = mapped_column(ForeignKey("adapters.id", ondelete="CASCADE"))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any] | None]


class AnswerRow(Base):
    __tablename__ = "evaluation_answers"
    __table_args__ = (Index("ix_evaluation_answers_ordinal", "evaluation_id", "ordinal", unique=True),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ans"))
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    example_id: Mapped[str] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"))
    output: Mapped[str] = mapped_column(Text)
    score: Mapped[float]
    correct: Mapped[bool]


class VerificationRow(LongWork, Base):
    __tablename__ = "verifications"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ver"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    diagnosis_id: Mapped[str] = mapped_column(ForeignKey("diagnoses.id", ondelete="CASCADE"), index=True)
    cycle_id: Mapped[str | None] = mapped_column(ForeignKey("cycles.id", ondelete="CASCADE"), index=True)
    adapter_id: Mapped[str] = mapped_column(ForeignKey("adapters.id", ondelete="CASCADE"))
    before_adapter_id: Mapped[str | None] = mapped_column(ForeignKey("adapters.id", ondelete="SET NULL"))
    retention_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any] | None]


class VerificationCaseRow(Base):
    """One prompt answered before and after. ``split``: case, held_back or retention."""

    __tablename__ = "verification_cases"
    __table_args__ = (Index("ix_verification_cases_ordinal", "verification_id", "ordinal", unique=True),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("vc"))
    verification_id: Mapped[str] = mapped_column(ForeignKey("verifications.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    split: Mapped[str] = mapped_column(String(16))
    bad_case_id: Mapped[str | None] = mapped_column(ForeignKey("bad_cases.id", ondelete="CASCADE"))
    example_id: Mapped[str | None] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"))
    prompt: Mapped[str] = mapped_column(Text)
    expected_output: Mapped[str | None] = mapped_column(Text)
    before_output: Mapped[str] = mapped_column(Text)
    after_output: Mapped[str] = mapped_column(Text)
    before_score: Mapped[float]
    after_score: Mapped[float]
    verdict: Mapped[str] = mapped_column(String(16))
