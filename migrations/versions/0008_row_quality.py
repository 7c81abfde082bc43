"""Score and band of each row of a repair's version.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repair_row_quality",
        sa.Column("repair_id", sa.String(length=40), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("band", sa.String(length=8), nullable=False),
        sa.Column("components", postgresql.JSONB(), nullable=False),
        sa.Column("vetoes", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repair_id"],
            ["repairs.id"],
            name=op.f("fk_repair_row_quality_repair_id_repairs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repair_id", "ordinal", name=op.f("pk_repair_row_quality")),
    )
    op.create_index("ix_repair_row_quality_example", "repair_row_quality", ["repair_id", "id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_repair_row_quality_example", table_name="repair_row_quality")
    op.drop_table("repair_row_quality")
