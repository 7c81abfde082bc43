"""Other tools that send what they know, every delivery of theirs, and which of their records became which case."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, LongWork, new_id


class IntegrationRow(Created, Base):
    """``mapping``: what the user set of it. ``secret_hash`` opens the webhook. ``url``, ``token`` and
    ``source_project``: where the tool itself is called; the token is sent there, so it is kept as it is."""

    __tablename__ = "integrations"
    __table_args__ = (UniqueConstraint("project_id", "tool", "name", name="uq_integrations_name"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("int"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    tool: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    url: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(Text)
    source_project: Mapped[str | None] = mapped_column(String(200))


class IntegrationDeliveryRow(LongWork, Base):
    """One body as it came (``uri``, kept in the artifact store), and what became of it. ``rows``: the first of its
    records, each with its outcome. ``options``: what a push was asked for."""

    __tablename__ = "integration_deliveries"
    __table_args__ = (Index("ix_integration_deliveries_project", "project_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("dlv"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"), index=True)
    tool: Mapped[str] = mapped_column(String(40))
    origin: Mapped[str] = mapped_column(String(16))
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    uri: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    replay_of: Mapped[str | None] = mapped_column(String(40))
    options: Mapped[dict[str, Any] | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    note: Mapped[str | None] = mapped_column(Text)


class IntegrationRecordRow(Base):
    """A record of the tool (an annotation, a score) and the bad case that speaks of it. ``live``: it is a bad case
    now. ``deleted``: in the tool."""

    __tablename__ = "integration_records"
    __table_args__ = (
        UniqueConstraint("integration_id", "record_key", name="uq_integration_records_key"),
        Index("ix_integration_records_group", "integration_id", "group_key"),
        Index("ix_integration_records_external", "integration_id", "external_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"))
    record_key: Mapped[str] = mapped_column(String(500))
    group_key: Mapped[str | None] = mapped_column(String(500))
    external_id: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[str | None] = mapped_column(String(200))
    live: Mapped[bool] = mapped_column(default=False)
    deleted: Mapped[bool] = mapped_column(default=False)
