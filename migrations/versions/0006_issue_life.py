"""An issue's life: what is seen and written on GitHub, exposure, verdicts on releases, probes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "issue_life",
    "issue_action",
    "heard",
    "duplicate_of",
    "collaborator",
    "label_alias",
    "past_issue",
    "exposure",
    "verification",
    "probe_result",
)


def upgrade() -> None:
    op.create_table(
        "issue_life",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("pending", postgresql.JSONB(), nullable=True),
        sa.Column("held", postgresql.JSONB(), nullable=False),
        sa.Column("bots", postgresql.JSONB(), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("gone", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("repository", "number"),
    )
    op.create_table(
        "issue_action",
        sa.Column("action_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("action_id"),
        sa.UniqueConstraint("repository", "number", "action_key", name="issue_action_key"),
    )
    op.create_index("issue_action_done_at_idx", "issue_action", ["done_at"], unique=False)
    op.create_table(
        "heard",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("event_key", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "heard_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("repository", "event_key"),
    )
    op.create_table(
        "duplicate_of",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", "number"),
    )
    op.create_table(
        "collaborator",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", "login"),
    )
    op.create_table(
        "label_alias",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("original", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("present", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("repository", "original"),
    )
    op.create_table(
        "past_issue",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("repository", "number"),
    )
    op.create_index(op.f("ix_past_issue_theme_id"), "past_issue", ["theme_id"], unique=False)
    op.create_table(
        "exposure",
        sa.Column("version", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("requests", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("version", "day", "channel"),
    )
    op.create_table(
        "verification",
        sa.Column("verification_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("old_version", sa.Text(), nullable=False),
        sa.Column("new_version", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("ratio", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("next_check", sa.Date(), nullable=True),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("was_quick_fix", sa.Boolean(), nullable=False),
        sa.Column(
            "judged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("verification_id"),
    )
    op.create_index(op.f("ix_verification_theme_id"), "verification", ["theme_id"], unique=False)
    op.create_table(
        "probe_result",
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("probe", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column(
            "read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("theme_id", "version", "probe"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
