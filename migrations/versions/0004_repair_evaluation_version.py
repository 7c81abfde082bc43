"""The evaluation rows that a repair keeps out of training.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repairs", sa.Column("evaluation_dataset_version_id", sa.String(length=40), nullable=True))
    op.create_foreign_key(
        op.f("fk_repairs_evaluation_dataset_version_id_dataset_versions"),
        "repairs",
        "dataset_versions",
        ["evaluation_dataset_version_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_repairs_evaluation_dataset_version_id_dataset_versions"), "repairs", type_="foreignkey"
    )
    op.drop_column("repairs", "evaluation_dataset_version_id")
