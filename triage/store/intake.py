"""What intake leaves behind besides reports: rejections, cursors, the check of the hash key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.tables import InstallationRow, RejectedRow, SourceCursorRow
from triage.types import Rejection


@dataclass(frozen=True, slots=True)
class SourceState:
    """An incremental source's cursor, when it was last read, and its last trouble if any."""

    origin: str
    cursor: str | None
    read_at: datetime | None
    last_error: str | None


def save_rejections(session: Session, rejections: Sequence[Rejection]) -> int:
    """Record what was set aside; the same record again is not listed twice. Returns new ones."""
    new = 0
    for rejection in rejections:
        statement = insert(RejectedRow).values(**asdict(rejection)).on_conflict_do_nothing()
        new += (
            session.execute(statement.returning(col(RejectedRow.rejected_id))).first() is not None
        )
    return new


def load_rejections(session: Session) -> list[tuple[Rejection, datetime]]:
    """Everything that was set aside, with the time, oldest first."""
    rows = session.execute(select(RejectedRow).order_by(col(RejectedRow.rejected_id))).scalars()
    return [
        (
            Rejection(
                row.origin, row.place, row.field, row.problem, row.remedy, row.excerpt, row.digest
            ),
            row.rejected_at,
        )
        for row in rows
    ]


def load_cursor(session: Session, origin: str) -> str | None:
    """The cursor of an incremental source, None before its first read."""
    row = session.get(SourceCursorRow, origin)
    return row.cursor if row else None


def save_cursor(session: Session, origin: str, cursor: str | None) -> None:
    """Advance a source's cursor (in the transaction that saves what was read)."""
    _upsert_source(session, origin, cursor=cursor, last_error=None)


def save_source_error(session: Session, origin: str, problem: str) -> None:
    """Note that a source failed; its cursor stays where it was."""
    _upsert_source(session, origin, last_error=problem)


def save_source_read(session: Session, origin: str) -> None:
    """Note that a source was read to its end just now, whether or not anything was new."""
    read = {"read_at": func.now(), "last_error": None}
    statement = insert(SourceCursorRow).values(origin=origin, **read)
    session.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=read))


def load_source_states(session: Session) -> list[SourceState]:
    """All incremental sources, by origin."""
    rows = session.execute(select(SourceCursorRow).order_by(col(SourceCursorRow.origin))).scalars()
    return [SourceState(row.origin, row.cursor, row.read_at, row.last_error) for row in rows]


def _upsert_source(session: Session, origin: str, **values: str | None) -> None:
    timed = {**values, "read_at": func.now()} if "cursor" in values else dict(values)
    statement = insert(SourceCursorRow).values(origin=origin, **timed)
    session.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=timed))


def register_hash_key(session: Session, check: str) -> str:
    """Remember the check value of the hash key on first use; returns the one that is stored."""
    statement = insert(InstallationRow).values(installation_id=1, hash_key_check=check)
    session.execute(statement.on_conflict_do_nothing())
    stored = select(col(InstallationRow.hash_key_check))
    return str(session.execute(stored).scalar_one())
