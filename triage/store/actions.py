"""What the machine is about to write on GitHub: the intent first, then what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.life_tables import IssueActionRow

COMMENT, EDIT, REACT, REWRITE = "comment", "edit", "react", "rewrite"
ON_OUR_ISSUES = (COMMENT, EDIT, REACT, REWRITE)
TELL = "tell"  # the one comment on a reporter's own issue


@dataclass(frozen=True, slots=True)
class IssueAction:
    """One write: ``kind`` and ``payload`` say what, ``key`` makes it one of a kind on its issue.

    ``attempted_at`` without ``done_at``: it was sent, and nobody knows whether it arrived.
    """

    action_id: int
    repository: str
    number: int
    key: str
    kind: str
    payload: Mapping[str, Any]
    intended_at: datetime
    attempted_at: datetime | None


def intend(
    session: Session,
    repository: str,
    number: int,
    key: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
) -> bool:
    """Commit to a write; the same key on the same issue is intended once. True: it is new."""
    statement = insert(IssueActionRow).values(
        repository=repository,
        number=number,
        action_key=key,
        kind=kind,
        payload=dict(payload),
        intended_at=now,
    )
    added = session.execute(
        statement.on_conflict_do_nothing().returning(col(IssueActionRow.action_id))
    )
    return added.first() is not None


def log_write(session: Session, repository: str, number: int, key: str, *, now: datetime) -> None:
    """Count a write that needs no intent (it is planned anew until it is true) for the budget."""
    session.add(
        IssueActionRow(
            repository=repository,
            number=number,
            action_key=key,
            kind=EDIT,
            payload={},
            intended_at=now,
            attempted_at=now,
            done_at=now,
            outcome="upkeep",
        )
    )


def load_open_actions(
    session: Session, repository: str, kinds: Collection[str] = ON_OUR_ISSUES
) -> list[IssueAction]:
    """Everything that is intended and not known to be done, in the order of intention."""
    statement = (
        select(IssueActionRow)
        .where(
            col(IssueActionRow.repository) == repository,
            col(IssueActionRow.done_at).is_(None),
            among(col(IssueActionRow.kind), kinds),
        )
        .order_by(col(IssueActionRow.action_id))
    )
    return [
        IssueAction(
            row.action_id,
            row.repository,
            row.number,
            row.action_key,
            row.kind,
            row.payload,
            row.intended_at,
            row.attempted_at,
        )
        for row in session.execute(statement).scalars()
    ]


def load_intended_issues(session: Session, kind: str) -> set[tuple[str, int]]:
    """Repository and number of every issue that something of this kind was ever intended on."""
    statement = select(col(IssueActionRow.repository), col(IssueActionRow.number))
    rows = session.execute(statement.where(col(IssueActionRow.kind) == kind))
    return {(repository, number) for repository, number in rows}


def withdraw(session: Session, action_id: int) -> None:
    """Forget an intent that was never sent."""
    session.execute(delete(IssueActionRow).where(col(IssueActionRow.action_id) == action_id))


def load_action(session: Session, repository: str, number: int, key: str) -> str | None:
    """What became of a write; None while it is only intended."""
    row = select(col(IssueActionRow.outcome)).where(
        col(IssueActionRow.repository) == repository,
        col(IssueActionRow.number) == number,
        col(IssueActionRow.action_key) == key,
        col(IssueActionRow.done_at).is_not(None),
    )
    return session.execute(row).scalar_one_or_none()


def settle_quoting(
    session: Session, is_mention: Callable[[str], bool], *, now: datetime
) -> list[str]:
    """Let comments not be written that repeat forgotten words; returns where one was written."""
    written = []
    for row in session.execute(select(IssueActionRow)).scalars():
        if row.kind != COMMENT or not is_mention(str(row.payload.get("body", ""))):
            continue
        if row.done_at is None:
            _update(session, row.action_id, done_at=now, outcome="forgotten before it was written")
        else:
            place = f"{row.repository}#{row.number}"
            written.append(f"{place}: a comment of ours repeats it; delete it by hand")
    return written


def mark_attempted(session: Session, action_id: int, *, now: datetime) -> None:
    """Note that a write is about to be sent."""
    _update(session, action_id, attempted_at=now)


def mark_done(session: Session, action_id: int, outcome: str, *, now: datetime) -> None:
    """Note what became of a write; it is never sent again."""
    _update(session, action_id, done_at=now, outcome=outcome)


def note_error(session: Session, action_id: int, problem: str) -> None:
    """Note why a write failed; it stays intended and is tried again."""
    _update(session, action_id, outcome=problem)


def count_writes(session: Session, repository: str, since: datetime) -> dict[int, int]:
    """How much was written to each issue since then: sent, whatever became of it."""
    statement = (
        select(col(IssueActionRow.number), func.count())
        .where(
            col(IssueActionRow.repository) == repository,
            col(IssueActionRow.attempted_at) >= since,
        )
        .group_by(col(IssueActionRow.number))
    )
    return {number: count for number, count in session.execute(statement)}


def _update(session: Session, action_id: int, **values: Any) -> None:
    row = col(IssueActionRow.action_id) == action_id
    session.execute(update(IssueActionRow).where(row).values(**values))
