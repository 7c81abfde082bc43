"""Repairs that are decided by rule, reverted, and applied by a worker where they are large.

Revision ID: 0005
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repairs", sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("repairs", sa.Column("reverted_version_id", sa.String(length=40), nullable=True))
    op.create_foreign_key(
        op.f("fk_repairs_reverted_version_id_dataset_versions"),
        "repairs",
        "dataset_versions",
        ["reverted_version_id"],
        ["id"],
        ondelete="SET NULL",
    )

    op.add_column("repair_actions", sa.Column("rule", sa.String(length=60), nullable=True))
    op.execute("UPDATE repair_actions SET rule = left(COALESCE(NULLIF(evidence->>'rule', ''), kind), 60)")
    op.alter_column("repair_actions", "rule", nullable=False)
    op.add_column("repair_actions", sa.Column("reverted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("repair_actions", sa.Column("reverted_in_version_id", sa.String(length=40), nullable=True))
    op.create_foreign_key(
        op.f("fk_repair_actions_reverted_in_version_id_dataset_versions"),
        "repair_actions",
        "dataset_versions",
        ["reverted_in_version_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index("ix_repair_actions_repair_rule", "repair_actions", ["repair_id", "rule", "ordinal"])

    op.create_table(
        "repair_runs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("repair_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action_ids", postgresql.JSONB(), nullable=True),
        sa.Column("dataset_version_id", sa.String(length=40), nullable=True),
        sa.Column("result_version_id", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_token", sa.String(length=40), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_repair_runs_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["repair_id"],
            ["repairs.id"],
            name=op.f("fk_repair_runs_repair_id_repairs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_repair_runs_dataset_version_id_dataset_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["result_version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_repair_runs_result_version_id_dataset_versions"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair_runs")),
    )
    for column in ("project_id", "repair_id", "status"):
        op.create_index(op.f(f"ix_repair_runs_{column}"), "repair_runs", [column])


def downgrade() -> None:
    op.drop_table("repair_runs")
    op.drop_index("ix_repair_actions_repair_rule", table_name="repair_actions")
    op.drop_column("repair_actions", "reverted_in_version_id")
    op.drop_column("repair_actions", "reverted_at")
    op.drop_column("repair_actions", "rule")
    op.drop_column("repairs", "reverted_version_id")
    op.drop_column("repairs", "revision")
