"""Files, uploads in parts and fine-tuning jobs, as OpenAI's clients know them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, LongWork, new_id


def _hyphened(prefix: str) -> str:
    """An id in the form of OpenAI's: ``file-...``, ``ftjob-...``."""
    return new_id(prefix).replace("_", "-", 1)


class FileRow(Created, Base):
    """``uri``: the bytes, in the artifact store. A file past ``expires_at`` is one that is not there."""

    __tablename__ = "files"
    __table_args__ = (Index("ix_files_project_created", "project_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: _hyphened("file"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(String(32))
    bytes: Mapped[int] = mapped_column(BigInteger)
    uri: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None]


class UploadRow(Created, Base):
    """A file on its way in parts. ``status``: pending, completed, cancelled; pending past ``expires_at``: expired."""

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("upload"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(String(32))
    mime_type: Mapped[str] = mapped_column(String(200))
    bytes: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16), default="pending")
    expires_at: Mapped[datetime]
    file_expires_after_seconds: Mapped[int | None]
    file_id: Mapped[str | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"))


class UploadPartRow(Created, Base):
    __tablename__ = "upload_parts"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("part"))
    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    uri: Mapped[str] = mapped_column(Text)


class FineTuningJobRow(LongWork, Base):
    """The row is the work of validating its files; what follows is the work of ``training_job_id``.

    ``model`` is what was asked for, ``base_model`` and ``init_adapter_id`` what it means. ``training_file`` and
    ``validation_file`` are ids of files that may be gone by now. ``repair``: what the plan's policy decides is
    applied before the training.
    """

    __tablename__ = "fine_tuning_jobs"
    __table_args__ = (Index("ix_fine_tuning_jobs_project_created", "project_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: _hyphened("ftjob"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    model: Mapped[str] = mapped_column(Text)
    base_model: Mapped[str] = mapped_column(Text)
    init_adapter_id: Mapped[str | None] = mapped_column(ForeignKey("adapters.id", ondelete="SET NULL"))
    training_file: Mapped[str] = mapped_column(String(40))
    validation_file: Mapped[str | None] = mapped_column(String(40))
    suffix: Mapped[str | None] = mapped_column(String(64))
    seed: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(16))
    hyperparameters: Mapped[dict[str, Any]]
    # "metadata" is taken on declarative classes
    labels: Mapped[dict[str, Any]] = mapped_column("metadata")
    repair: Mapped[bool]
    training_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    validation_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    repair_id: Mapped[str | None] = mapped_column(ForeignKey("repairs.id", ondelete="SET NULL"))
    trained_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
    training_job_id: Mapped[str | None] = mapped_column(
        ForeignKey("training_jobs.id", ondelete="SET NULL"), index=True
    )
    result_file_id: Mapped[str | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"))
