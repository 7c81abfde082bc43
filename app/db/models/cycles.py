"""The closed loop over one set of bad cases, and the events of all long work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, LongWork, new_id


class CycleRow(LongWork, Base):
    __tablename__ = "cycles"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("cyc"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    case_ids: Mapped[list[str]]
    base_model: Mapped[str] = mapped_column(Text)
    before_adapter_id: Mapped[str | None] = mapped_column(String(40))
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    stage: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=1)
    stages: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    verdict: Mapped[dict[str, Any] | None]
    adapter_id: Mapped[str | None] = mapped_column(String(40))


class EventRow(Created, Base):
    __tablename__ = "events"
    __table_args__ = (Index("ix_events_subject", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    subject_id: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class VectorShardRow(Created, Base):
    """A block of vectors in the artifact store: float16, shape (rows, dimensions)."""

    __tablename__ = "vector_shards"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), index=True)
    uri: Mapped[str] = mapped_column(Text)
    rows: Mapped[int]
    dimensions: Mapped[int]


class VectorRow(Base):
    """Where the vector of a text lives. ``text_hash`` is the SHA-256 of the text."""

    __tablename__ = "vectors"
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    shard_id: Mapped[int] = mapped_column(ForeignKey("vector_shards.id", ondelete="CASCADE"), index=True)
    row: Mapped[int]
