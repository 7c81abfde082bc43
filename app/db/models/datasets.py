"""Datasets, their immutable versions, the examples in them, and imports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, LongWork, new_id


class DatasetRow(Created, Base):
    __tablename__ = "datasets"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ds"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]


class DatasetVersionRow(Created, Base):
    """Never updated once written. ``content_hash`` is over the record hashes of its rows in order."""

    __tablename__ = "dataset_versions"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("dsv"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("dataset_versions.id", ondelete="SET NULL"))
    rows: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    recipe: Mapped[dict[str, Any]]
    statistics: Mapped[dict[str, Any]]


class ExampleRow(Base):
    """One training example; versions share it as long as it does not change."""

    __tablename__ = "examples"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    record_hash: Mapped[str] = mapped_column(String(64))
    messages: Mapped[list[Any]]
    rejected: Mapped[list[Any] | None]
    tools: Mapped[list[Any] | None]
    # None: the row does not say, as an SFT row; False: nobody should answer so (KTO).
    desirable: Mapped[bool | None]
    instruction_length: Mapped[int] = mapped_column(default=0)
    source_id: Mapped[str | None] = mapped_column(Text)
    # "metadata" is taken on declarative classes
    extra: Mapped[dict[str, Any]] = mapped_column("metadata")


class VersionExampleRow(Base):
    """Which example stands where in which version. Positions only grow; gaps are rows that were dropped."""

    __tablename__ = "dataset_version_examples"
    version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    example_id: Mapped[str] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"))

    __table_args__ = (
        Index("ix_dataset_version_examples_member", "version_id", "example_id"),
        Index("ix_dataset_version_examples_example_id", "example_id"),
    )


class VersionChangeRow(Base):
    """Why a row of the parent is gone, new or different in this version."""

    __tablename__ = "dataset_version_changes"
    version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="CASCADE"), primary_key=True
    )
    ordinal: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # added | removed | changed
    example_id: Mapped[str | None] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"))
    previous_example_id: Mapped[str | None] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(Text)
    action_id: Mapped[str | None] = mapped_column(String(40))


class ImportRow(LongWork, Base):
    __tablename__ = "imports"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("imp"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    upload_uri: Mapped[str] = mapped_column(Text)
    upload_bytes: Mapped[int] = mapped_column(BigInteger)
    format: Mapped[str] = mapped_column(String(16))
    strict: Mapped[bool] = mapped_column(default=False)
    # Of the upload's text, where the sender named one.
    encoding: Mapped[str | None] = mapped_column(String(40))
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_accepted: Mapped[int] = mapped_column(default=0)
    rows_rejected: Mapped[int] = mapped_column(default=0)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    dataset_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_versions.id", ondelete="SET NULL")
    )
