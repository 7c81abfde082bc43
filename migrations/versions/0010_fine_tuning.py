"""Repairs of a version without a diagnosis.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("repairs", "diagnosis_id", existing_type=sa.String(length=40), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM repairs WHERE diagnosis_id IS NULL")
    op.alter_column("repairs", "diagnosis_id", existing_type=sa.String(length=40), nullable=False)
