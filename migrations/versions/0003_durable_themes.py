"""Versioned clusterings, what they propose, people's bonds, and the vectors new reports meet."""

from __future__ import annotations

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bond",
        sa.Column("bond_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("left_reports", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("right_reports", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("left_theme", sa.BigInteger(), nullable=False),
        sa.Column("right_theme", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column(
            "said_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("bond_id"),
    )
    op.create_table(
        "clustering_run",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("space_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("results", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["space_id"], ["embedding_space.space_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index("ix_clustering_run_space_id", "clustering_run", ["space_id"])
    op.create_table(
        "clustering_centre",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("vector", pgvector.sqlalchemy.Vector(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["clustering_run.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "kind", "language"),
    )
    op.create_table(
        "landmark",
        sa.Column("space_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("vector", pgvector.sqlalchemy.Vector(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["embedding_space.space_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("space_id", "fingerprint"),
    )
    op.create_table(
        "proposal",
        sa.Column("proposal_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("other_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("report_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("hindrance", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["clustering_run.run_id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_index("ix_proposal_run_id", "proposal", ["run_id"])
    op.create_index("ix_proposal_theme_id", "proposal", ["theme_id"])
    op.create_index("ix_proposal_other_id", "proposal", ["other_id"])
    op.create_index("theme_anchor_fingerprint_idx", "theme_anchor", ["fingerprint"])
    op.add_column("theme", sa.Column("counted_state", sa.Text(), nullable=True))
    op.add_column("theme", sa.Column("centre", pgvector.sqlalchemy.Vector(), nullable=True))


def downgrade() -> None:
    op.drop_column("theme", "centre")
    op.drop_column("theme", "counted_state")
    op.drop_index("theme_anchor_fingerprint_idx", "theme_anchor")
    for table in ("proposal", "landmark", "clustering_centre", "clustering_run", "bond"):
        op.drop_table(table)
