"""Rows that say whether their answer is desired (KTO).

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("examples", sa.Column("desirable", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("examples", "desirable")
