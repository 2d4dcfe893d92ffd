"""What an LLM answered about themes and pairs, and what it left without a usable answer."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wording",
        *_asked("material_hash"),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("sentences", JSONB(), nullable=False),
        _time("answered_at"),
        sa.PrimaryKeyConstraint("prompt_version", "llm_model", "material_hash"),
    )
    op.create_table(
        "pair_answer",
        *_asked("first_hash", "second_hash"),
        sa.Column("same_fix", sa.Boolean(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        _time("answered_at"),
        sa.PrimaryKeyConstraint("prompt_version", "llm_model", "first_hash", "second_hash"),
    )
    op.create_table(
        "unanswered",
        *_asked("question_hash"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        _time("asked_at"),
        sa.PrimaryKeyConstraint("prompt_version", "llm_model", "question_hash"),
    )
    op.add_column("theme", sa.Column("worded_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("theme", "worded_by")
    op.drop_table("unanswered")
    op.drop_table("pair_answer")
    op.drop_table("wording")


def _asked(*hashes: str) -> list[sa.Column[str]]:
    names = ("prompt_version", "llm_model", *hashes)
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
