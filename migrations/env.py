"""Runs the migrations on the connection that ``triage.database`` holds the advisory lock on."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from triage.store import (  # noqa: F401  (registers the tables)
    life_tables,
    operation_tables,
    posted_tables,
    privacy_tables,
    tables,
)

LOCK_TIMEOUT = "10s"  # a migration gives up rather than queue behind a long transaction


def run_migrations(connection: Connection) -> None:
    """Apply the migrations within the caller's transaction."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run_migrations(context.config.attributes["connection"])
