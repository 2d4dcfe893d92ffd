"""Which themes are sensitive, and what was forgotten and must not come back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("theme", sa.Column("sensitivity", sa.Text(), nullable=True))
    op.create_table(
        "tombstone",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column(
            "forgotten_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
    )


def downgrade() -> None:
    op.drop_table("tombstone")
    op.drop_column("theme", "sensitivity")
