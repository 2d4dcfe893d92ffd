"""What reporters answered who were told of a mend; what repositories are called today."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reporter_answer",
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("comment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_hash", sa.Text(), nullable=True),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.report_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "comment_id"),
    )
    op.create_table(
        "renamed_repository",
        sa.Column("former", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("present", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("former"),
    )


def downgrade() -> None:
    op.drop_table("renamed_repository")
    op.drop_table("reporter_answer")
