"""The tables of reports, themes, decisions and issues."""

from __future__ import annotations

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "embedding_space",
        sa.Column("space_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("space_id"),
        sa.UniqueConstraint("model", "revision", name="embedding_space_model_key"),
    )
    op.create_table(
        "installation",
        sa.Column("installation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash_key_check", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("installation_id"),
    )
    op.create_table(
        "rejected",
        sa.Column("rejected_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "rejected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("rejected_id"),
        sa.UniqueConstraint("origin", "place", "digest", name="rejected_origin_place_digest_key"),
    )
    op.create_table(
        "report",
        sa.Column("report_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("clustered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("failure_text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("error_signatures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shingle_bands", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("model_written", sa.Text(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("author_hash", sa.Text(), nullable=True),
        sa.Column("rating", sa.Float(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("duplicate_of", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["duplicate_of"],
            ["report.report_id"],
        ),
        sa.PrimaryKeyConstraint("report_id"),
        sa.UniqueConstraint("origin", "external_id", name="report_origin_external_id_key"),
    )
    op.create_index(op.f("ix_report_duplicate_of"), "report", ["duplicate_of"], unique=False)
    op.create_index("report_external_id_idx", "report", ["external_id"], unique=False)
    op.create_index("report_fingerprint_idx", "report", ["fingerprint"], unique=False)
    op.create_index(
        "report_shingle_bands_idx",
        "report",
        ["shingle_bands"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "source_cursor",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("origin"),
    )
    op.create_table(
        "theme",
        sa.Column("theme_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("forwards_to", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("keywords", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("medoid_id", sa.BigInteger(), nullable=False),
        sa.Column("exemplar_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("described_members", sa.Integer(), nullable=False),
        sa.Column("blocker", sa.Text(), nullable=True),
        sa.Column("blocker_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["forwards_to"],
            ["theme.theme_id"],
        ),
        sa.PrimaryKeyConstraint("theme_id"),
    )
    op.create_index(op.f("ix_theme_forwards_to"), "theme", ["forwards_to"], unique=False)
    op.create_table(
        "correction",
        sa.Column("correction_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("correction_id"),
    )
    op.create_index(op.f("ix_correction_theme_id"), "correction", ["theme_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("decision_id"),
    )
    op.create_index(op.f("ix_decision_theme_id"), "decision", ["theme_id"], unique=False)
    op.create_table(
        "embedding",
        sa.Column("space_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("vector", pgvector.sqlalchemy.vector.VECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["embedding_space.space_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("space_id", "fingerprint"),
    )
    op.create_table(
        "issue",
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column(
            "intended_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("theme_id"),
    )
    op.create_table(
        "report_supporter",
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.report_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "person_hash"),
    )
    op.create_table(
        "route",
        sa.Column("route_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("capability", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_fallback", sa.Boolean(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column(
            "routed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("route_id"),
    )
    op.create_index(op.f("ix_route_theme_id"), "route", ["theme_id"], unique=False)
    op.create_table(
        "theme_anchor",
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("theme_id", "fingerprint"),
    )
    op.create_table(
        "theme_member",
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("theme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("joined_by", sa.Text(), nullable=False),
        sa.Column("cosine_similarity", sa.Float(), nullable=True),
        sa.Column(
            "joined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["report_id"], ["report.report_id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.theme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id"),
    )
    op.create_index(op.f("ix_theme_member_theme_id"), "theme_member", ["theme_id"], unique=False)


def downgrade() -> None:

    op.drop_index(op.f("ix_theme_member_theme_id"), table_name="theme_member")
    op.drop_table("theme_member")
    op.drop_table("theme_anchor")
    op.drop_index(op.f("ix_route_theme_id"), table_name="route")
    op.drop_table("route")
    op.drop_table("report_supporter")
    op.drop_table("issue")
    op.drop_table("embedding")
    op.drop_index(op.f("ix_decision_theme_id"), table_name="decision")
    op.drop_table("decision")
    op.drop_index(op.f("ix_correction_theme_id"), table_name="correction")
    op.drop_table("correction")
    op.drop_index(op.f("ix_theme_forwards_to"), table_name="theme")
    op.drop_table("theme")
    op.drop_table("source_cursor")
    op.drop_index("report_shingle_bands_idx", table_name="report", postgresql_using="gin")
    op.drop_index("report_fingerprint_idx", table_name="report")
    op.drop_index("report_external_id_idx", table_name="report")
    op.drop_index(op.f("ix_report_duplicate_of"), table_name="report")
    op.drop_table("report")
    op.drop_table("rejected")
    op.drop_table("installation")
    op.drop_table("embedding_space")
