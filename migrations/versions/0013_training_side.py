"""Pauses, validation sets and checkpoints of trainings; merged models.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())  # type: ignore[no-untyped-call]
    op.add_column(
        "training_jobs", sa.Column("pause_requested", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.alter_column("training_jobs", "pause_requested", server_default=None)
    op.add_column("training_jobs", sa.Column("paused_at", when, nullable=True))
    op.add_column("training_jobs", sa.Column("validation_version_id", sa.String(length=40), nullable=True))
    op.create_foreign_key(
        "fk_training_jobs_validation_version_id_dataset_versions",
        "training_jobs",
        "dataset_versions",
        ["validation_version_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.add_column("adapters", sa.Column("training_job_id", sa.String(length=40), nullable=True))
    op.add_column("adapters", sa.Column("checkpoint_step", sa.Integer(), nullable=True))
    op.execute("UPDATE adapters SET training_job_id = card ->> 'training_job_id'")
    op.create_index("ix_adapters_training_job_id", "adapters", ["training_job_id"])
    op.create_table(
        "merges",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("adapter_id", sa.String(length=40), nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", when, nullable=True),
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
            ["adapter_id"], ["adapters.id"], name="fk_merges_adapter_id_adapters", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_merges_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_merges"),
    )
    for column in ("adapter_id", "project_id", "status"):
        op.create_index(f"ix_merges_{column}", "merges", [column])


def downgrade() -> None:
    op.drop_table("merges")
    op.drop_index("ix_adapters_training_job_id", "adapters")
    op.drop_column("adapters", "checkpoint_step")
    op.drop_column("adapters", "training_job_id")
    op.drop_constraint("fk_training_jobs_validation_version_id_dataset_versions", "training_jobs")
    op.drop_column("training_jobs", "validation_version_id")
    op.drop_column("training_jobs", "paused_at")
    op.drop_column("training_jobs", "pause_requested")
