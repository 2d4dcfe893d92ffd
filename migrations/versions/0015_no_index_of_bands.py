"""Drop the index of the shingle bands: nothing reads it, and it was larger than its table."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("report_shingle_bands_idx", table_name="report", postgresql_using="gin")


def downgrade() -> None:
    op.create_index("report_shingle_bands_idx", "report", ["shingle_bands"], postgresql_using="gin")
