"""Every verdict of a person on a finding, not only the last.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "finding_overrides",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("finding_id", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("overridden_by", sa.String(length=40), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_finding_overrides_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"],
            ["findings.id"],
            name=op.f("fk_finding_overrides_finding_id_findings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_overrides")),
    )
    op.create_index(
        "ix_finding_overrides_finding_revision", "finding_overrides", ["finding_id", "revision"], unique=True
    )
    # What was said before there was a history: its last word, under the revision that it made.
    op.execute(
        """
        INSERT INTO finding_overrides
          (id, project_id, finding_id, revision, category, note, overridden_by, created_at)
        SELECT 'ovr_' || substr(md5(id), 1, 22), project_id, id, revision, override_category, override_note,
               overridden_by, overridden_at
        FROM findings WHERE override_category IS NOT NULL
        """
    )
    # Which verdicts of people are there: asked for by every diagnosis, and few among many findings.
    op.create_index(
        "ix_findings_overridden",
        "findings",
        ["project_id"],
        postgresql_where=sa.text("override_category IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_findings_overridden", table_name="findings")
    op.drop_index("ix_finding_overrides_finding_revision", table_name="finding_overrides")
    op.drop_table("finding_overrides")
