"""The map of a diagnosis and the trend of its clusters.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("diagnoses", sa.Column("map_uri", sa.Text(), nullable=True))
    op.add_column(
        "clusters",
        sa.Column("trend", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )


def downgrade() -> None:
    op.drop_column("clusters", "trend")
    op.drop_column("diagnoses", "map_uri")
