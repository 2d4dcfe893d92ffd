"""What readers read, opinions on reports, what would turn a verdict, what corrections taught."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reading",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("layers", postgresql.ARRAY(sa.Float()), nullable=False),
        sa.Column("capabilities", postgresql.ARRAY(sa.Float()), nullable=False),
        sa.PrimaryKeyConstraint("reader", "fingerprint"),
    )
    op.create_table(
        "opinion",
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=True),
        sa.Column("capability_confidence", sa.Float(), nullable=True),
        sa.Column("read_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.report_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id"),
    )
    op.create_table(
        "learnt",
        sa.Column("learnt_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column(
            "learnt_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("learnt_id"),
    )
    op.add_column(
        "decision",
        sa.Column(
            "would_change", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
    )
    op.add_column("route", sa.Column("map_version", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("route", "map_version")
    op.drop_column("decision", "would_change")
    for table in ("learnt", "opinion", "reading"):
        op.drop_table(table)
