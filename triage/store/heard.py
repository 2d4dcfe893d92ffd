"""What people said and did on GitHub: taken once, whoever repeats it, in whatever order."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.life_tables import CollaboratorRow, DuplicateRow, HeardRow


def save_heard(
    session: Session,
    repository: str,
    event_key: str,
    number: int,
    *,
    author: str | None,
    outcome: str,
    at: datetime | None,
) -> bool:
    """Note an event and what came of it; False where it was noted before."""
    statement = insert(HeardRow).values(
        repository=repository,
        event_key=event_key,
        number=number,
        author=author,
        outcome=outcome,
        happened_at=at,
    )
    added = session.execute(statement.on_conflict_do_nothing().returning(col(HeardRow.event_key)))
    return added.first() is not None


def known_events(session: Session, repository: str, event_keys: Collection[str]) -> set[str]:
    """Which of these events were taken already."""
    statement = select(col(HeardRow.event_key)).where(
        col(HeardRow.repository) == repository, among(col(HeardRow.event_key), event_keys)
    )
    return set(session.execute(statement).scalars())


def load_heard(session: Session, repository: str) -> list[tuple[int, str, str, str]]:
    """Number, author, event and outcome of everything that was taken, oldest first."""
    statement = (
        select(HeardRow)
        .where(col(HeardRow.repository) == repository)
        .order_by(col(HeardRow.heard_at), col(HeardRow.event_key))
    )
    rows = session.execute(statement).scalars()
    return [(row.number, row.author or "", row.event_key, row.outcome) for row in rows]


def save_duplicate(
    session: Session, repository: str, number: int, target: int, *, author: str, at: datetime
) -> None:
    """Note that an issue was said to repeat another; of two such words the later one holds."""
    values = {"target": target, "author": author, "said_at": at}
    statement = insert(DuplicateRow).values(repository=repository, number=number, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["repository", "number"],
            set_=values,
            where=col(DuplicateRow.said_at) <= at,
        )
    )


def forget_duplicate(session: Session, repository: str, number: int) -> None:
    """Take back that an issue repeats another."""
    row = session.get(DuplicateRow, (repository, number))
    if row is not None:
        session.delete(row)
        session.flush()


def load_duplicates(session: Session, repository: str) -> dict[int, tuple[int, str, datetime]]:
    """By issue: the one it is said to repeat, by whom and when."""
    statement = select(DuplicateRow).where(col(DuplicateRow.repository) == repository)
    rows = session.execute(statement.order_by(col(DuplicateRow.said_at))).scalars()
    return {row.number: (row.target, row.author, row.said_at) for row in rows}


def load_role(session: Session, repository: str, login: str, *, since: datetime) -> str | None:
    """What a person may do, as far as GitHub was asked ``since``; None: ask."""
    row = session.get(CollaboratorRow, (repository, login.casefold()))
    return row.role if row is not None and row.asked_at >= since else None


def save_role(session: Session, repository: str, login: str, role: str, *, now: datetime) -> None:
    """Remember what GitHub said that a person may do."""
    values = {"role": role, "asked_at": now}
    statement = insert(CollaboratorRow).values(
        repository=repository, login=login.casefold(), **values
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["repository", "login"], set_=values)
    )
