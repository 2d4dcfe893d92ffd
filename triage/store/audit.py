"""Who saw and changed what: entries are only added; retention alone takes old ones away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlmodel import Session, col

from triage.store.privacy_tables import AuditRow

FLOOR_DAYS = 30  # what the table's trigger lets nobody delete, retention included


class Action(StrEnum):
    """What is kept: who saw reporters' words, who took them out, who changed what."""

    SAW_THEMES = "saw themes"
    SAW_THEME = "saw theme"
    SAW_REPORT = "saw report"
    SAW_REJECTED = "saw rejected"
    SAW_DRAFTS = "saw drafts"
    EXPORTED = "exported"
    CORRECTED = "corrected"
    ANSWERED = "answered proposal"
    LEARNT = "changed learning"
    CONFIGURED = "configured"
    STOPPED = "stopped stage"
    STARTED = "started stage"
    FORGOT = "forgot"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry; ``subjects`` are ids (``T12``, ``#7``) or paths, ``details`` names and counts."""

    audit_id: int
    at: datetime
    who: str
    action: str
    subjects: tuple[str, ...]
    details: Mapping[str, Any]


def record(
    session: Session, who: str, action: Action, subjects: Iterable[str] = (), **details: Any
) -> None:
    """Add an entry. Give ids, paths, names of fields and counts; never a report's text."""
    row = AuditRow(who=who, action=action, subjects=list(subjects), details=details)
    session.add(row)
    session.flush()


def load_audit(
    session: Session,
    *,
    since: datetime | None = None,
    who: str | None = None,
    action: str | None = None,
) -> list[AuditEntry]:
    """Entries in their order: of some time on, by one person, of one kind (by its beginning)."""
    statement = select(AuditRow).order_by(col(AuditRow.audit_id))
    if since is not None:
        statement = statement.where(col(AuditRow.at) >= since)
    if who is not None:
        statement = statement.where(col(AuditRow.who) == who)
    if action is not None:
        statement = statement.where(col(AuditRow.action).startswith(action, autoescape=True))
    return [_entry(row) for row in session.execute(statement).scalars()]


def record_config(session: Session, who: str, digests: Mapping[str, str]) -> None:
    """Note which parts of the configuration changed since it was last used, by their digests."""
    statement = (
        select(col(AuditRow.details))
        .where(col(AuditRow.action) == Action.CONFIGURED)
        .order_by(col(AuditRow.audit_id).desc())
        .limit(1)
    )
    known = session.execute(statement).scalar_one_or_none() or {}
    changed = [name for name, digest in digests.items() if known.get(name) != digest]
    if changed:
        record(session, who, Action.CONFIGURED, changed, **digests)


def expire_audit(session: Session, before: datetime) -> int:
    """Delete entries from before a time, none younger than ``FLOOR_DAYS``; returns how many."""
    session.execute(text("SET LOCAL triage.retention = 'on'"))
    floor = func.now() - text(f"interval '{FLOOR_DAYS} days'")
    old = delete(AuditRow).where(col(AuditRow.at) < before, col(AuditRow.at) < floor)
    gone = session.execute(old.returning(col(AuditRow.audit_id))).all()
    session.execute(text("SET LOCAL triage.retention = 'off'"))
    return len(gone)


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        row.audit_id, row.at, row.who, row.action, tuple(row.subjects), dict(row.details)
    )
