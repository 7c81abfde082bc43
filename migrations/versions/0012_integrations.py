"""Integrations, their deliveries and records.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())  # type: ignore[no-untyped-call]
    op.create_table(
        "integrations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("tool", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("mapping", json, nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("source_project", sa.String(length=200), nullable=True),
        sa.Column("created_at", when, server_default=now, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_integrations_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_integrations"),
        sa.UniqueConstraint("project_id", "tool", "name", name="uq_integrations_name"),
        sa.UniqueConstraint("secret_hash", name="uq_integrations_secret_hash"),
    )
    op.create_index("ix_integrations_project_id", "integrations", ["project_id"])
    op.create_table(
        "integration_deliveries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("integration_id", sa.String(length=40), nullable=False),
        sa.Column("tool", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("headers", json, nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("replay_of", sa.String(length=40), nullable=True),
        sa.Column("options", json, nullable=True),
        sa.Column("counts", json, nullable=False),
        sa.Column("rows", json, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("error", json, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_token", sa.String(length=40), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("started_at", when, nullable=True),
        sa.Column("finished_at", when, nullable=True),
        sa.Column("created_at", when, server_default=now, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name="fk_integration_deliveries_project_id_projects",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_integration_deliveries_integration_id_integrations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_integration_deliveries"),
    )
    op.create_index(
        "ix_integration_deliveries_project", "integration_deliveries", ["project_id", "created_at"]
    )
    op.create_index("ix_integration_deliveries_integration_id", "integration_deliveries", ["integration_id"])
    op.create_index("ix_integration_deliveries_status", "integration_deliveries", ["status"])
    op.create_table(
        "integration_records",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("integration_id", sa.String(length=40), nullable=False),
        sa.Column("record_key", sa.String(length=500), nullable=False),
        sa.Column("group_key", sa.String(length=500), nullable=True),
        sa.Column("external_id", sa.String(length=500), nullable=True),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_integration_records_integration_id_integrations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_integration_records"),
        sa.UniqueConstraint("integration_id", "record_key", name="uq_integration_records_key"),
    )
    op.create_index("ix_integration_records_group", "integration_records", ["integration_id", "group_key"])
    op.create_index(
        "ix_integration_records_external", "integration_records", ["integration_id", "external_id"]
    )


def downgrade() -> None:
    op.drop_table("integration_records")
    op.drop_table("integration_deliveries")
    op.drop_table("integrations")
