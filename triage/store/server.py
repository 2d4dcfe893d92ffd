"""What the database server says of itself, for whoever operates it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Versions and size of the server; ``revision`` is that of the schema."""

    version: str
    pgvector: str | None
    has_hnsw: bool
    revision: str | None
    size_bytes: int


def load_server_facts(session: Session) -> ServerFacts:
    """Ask the server."""
    row = session.execute(_FACTS).one()
    return ServerFacts(
        version=row.version,
        pgvector=row.pgvector,
        has_hnsw=row.has_hnsw,
        revision=row.revision,
        size_bytes=row.size_bytes,
    )


def load_clock(session: Session) -> datetime:
    """What time it is there."""
    found = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert isinstance(found, datetime)
    return found


_FACTS = text(
    """
    SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector,
           EXISTS (SELECT FROM pg_am WHERE amname = 'hnsw') AS has_hnsw,
           (SELECT version_num FROM alembic_version LIMIT 1) AS revision,
           pg_database_size(current_database()) AS size_bytes
    """
)
