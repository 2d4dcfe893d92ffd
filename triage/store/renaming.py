"""A repository that was renamed or transferred: all that is known of it goes under its new name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.life_tables import (
    CollaboratorRow,
    DuplicateRow,
    HeardRow,
    IssueActionRow,
    IssueLifeRow,
    LabelAliasRow,
    PastIssueRow,
    RenamedRepositoryRow,
)
from triage.store.tables import IssueRow, SourceCursorRow

# What tells two rows of one repository apart.
_KEYS: dict[Any, tuple[str, ...]] = {
    IssueRow: (),
    IssueLifeRow: ("number",),
    IssueActionRow: ("number", "action_key"),
    HeardRow: ("event_key",),
    DuplicateRow: ("number",),
    CollaboratorRow: ("login",),
    LabelAliasRow: ("original",),
    PastIssueRow: ("number",),
}


def load_repositories(session: Session) -> set[str]:
    """The repositories that issues were filed in, as they were called then."""
    return set(session.execute(select(col(IssueRow.repository)).distinct()).scalars())


def repository_today(session: Session, repository: str) -> str:
    """What a repository is called by now, as far as it was seen; its own name otherwise."""
    row = session.get(RenamedRepositoryRow, repository)
    return row.present if row is not None else repository


def note_name(session: Session, repository: str, present: str) -> None:
    """Remember what a configured repository is called today."""
    if repository == present:
        own = col(RenamedRepositoryRow.former) == repository
        session.execute(delete(RenamedRepositoryRow).where(own))
        return
    statement = insert(RenamedRepositoryRow).values(former=repository, present=present)
    session.execute(
        statement.on_conflict_do_update(index_elements=["former"], set_={"present": present})
    )


def rename_repository(session: Session, old: str, new: str) -> None:
    """Follow a repository to its new name or owner.

    Issues, what is known, intended and heard of them, label names, rights and cursors follow. The
    names of intents hold the repository too: under the old one what was said would be said again.
    Where both names know something, what is known under the new one holds.
    """
    named = col(IssueActionRow.action_key)
    session.execute(
        update(IssueActionRow)
        .where(col(IssueActionRow.repository) == old, named.startswith(f"{old}#", autoescape=True))
        .values(action_key=func.concat(new, func.substr(named, len(old) + 1)))
    )
    for table, keys in _KEYS.items():
        repository = col(table.repository)
        if keys:
            columns = [col(getattr(table, key)) for key in keys]
            known = select(*columns).where(repository == new)
            session.execute(delete(table).where(repository == old, tuple_(*columns).in_(known)))
        session.execute(update(table).where(repository == old).values(repository=new))
    for list_of in ("issues-of", "comments-of"):
        origin = col(SourceCursorRow.origin)
        if session.get(SourceCursorRow, f"{list_of}:{new}") is None:
            session.execute(
                update(SourceCursorRow)
                .where(origin == f"{list_of}:{old}")
                .values(origin=f"{list_of}:{new}")
            )
