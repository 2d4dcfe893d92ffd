"""What digests are made of, and which of them was sent to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.ledger import verification_of
from triage.store.life_tables import DigestRow, VerificationRow
from triage.store.tables import ThemeRow
from triage.verification import Verification


@dataclass(frozen=True, slots=True)
class SentDigest:
    """How often a digest was tried, and when it was taken; None where no answer said so."""

    attempts: int
    sent_at: datetime | None
    last_error: str | None


def load_founding_times(session: Session) -> dict[int, datetime]:
    """When each theme was made."""
    rows = session.execute(select(col(ThemeRow.theme_id), col(ThemeRow.created_at)))
    return {theme_id: made_at for theme_id, made_at in rows}


def load_verdicts_since(
    session: Session, since: datetime
) -> dict[int, list[tuple[datetime, Verification]]]:
    """By theme: the verdicts on releases given from then on, with their times, oldest first."""
    statement = (
        select(VerificationRow)
        .where(col(VerificationRow.judged_at) >= since)
        .order_by(col(VerificationRow.verification_id))
    )
    found: dict[int, list[tuple[datetime, Verification]]] = {}
    for row in session.execute(statement).scalars():
        found.setdefault(row.theme_id, []).append((row.judged_at, verification_of(row)))
    return found


def load_sent_digests(session: Session, week: date) -> dict[str, SentDigest]:
    """By owner: what became of the digests of a week."""
    statement = select(DigestRow).where(col(DigestRow.week) == week)
    return {
        row.owner: SentDigest(row.attempts, row.sent_at, row.last_error)
        for row in session.execute(statement).scalars()
    }


def save_digest_attempt(session: Session, owner: str, week: date) -> int:
    """Note that a digest is about to be sent, to be committed before; returns the how-manieth."""
    statement = insert(DigestRow).values(owner=owner, week=week, attempts=1)
    counted = statement.on_conflict_do_update(
        index_elements=["owner", "week"],
        set_={"attempts": DigestRow.attempts + 1, "attempted_at": func.now()},
    )
    return int(session.execute(counted.returning(col(DigestRow.attempts))).scalar_one())


def save_digest_outcome(session: Session, owner: str, week: date, error: str | None) -> None:
    """Note that a digest was taken, or why nobody knows."""
    row = session.get_one(DigestRow, (owner, week))
    row.last_error = error
    if error is None:
        row.sent_at = session.execute(select(func.now())).scalar_one()
