"""Beside a proposed merge, what an LLM thinks of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposal", sa.Column("advice", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("proposal", "advice")
