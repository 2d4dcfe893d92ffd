"""Stopped stages, and what every run of a stage did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stage_stop",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column(
            "stopped_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("stage"),
    )
    op.create_table(
        "stage_run",
        sa.Column("stage_run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("stage_run_id"),
    )
    op.create_index("stage_run_stage_idx", "stage_run", ["stage", "began_at"])


def downgrade() -> None:
    op.drop_table("stage_run")
    op.drop_table("stage_stop")
