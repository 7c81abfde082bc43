"""Imports of files in an encoding that the sender names.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("encoding", sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column("imports", "encoding")
