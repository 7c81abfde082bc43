"""Sign-in links and browser sessions.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    for table in ("sign_in_links", "browser_sessions"):
        op.create_table(
            table,
            sa.Column("token_hash", sa.String(length=64), nullable=False),
            sa.Column("key_id", sa.String(length=40), nullable=False),
            sa.Column("expires_at", when, nullable=False),
            sa.Column("created_at", when, server_default=sa.text("clock_timestamp()"), nullable=False),
            sa.ForeignKeyConstraint(
                ["key_id"], ["api_keys.id"], name=f"fk_{table}_key_id_api_keys", ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("token_hash", name=f"pk_{table}"),
        )
        op.create_index(f"ix_{table}_key_id", table, ["key_id"])
    # answers that show a secret are no longer kept; those from before are forgotten
    op.execute("DELETE FROM idempotency_keys WHERE body LIKE '%\"secret\"%'")


def downgrade() -> None:
    for table in ("browser_sessions", "sign_in_links"):
        op.drop_table(table)
