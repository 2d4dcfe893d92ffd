"""The intent to file an issue and the issue that came of it; at most one per theme."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.tables import IssueRow
from triage.types import FiledIssue, IssueDraft, IssueState


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """What is known about a theme's issue; ``filed`` is None while only the intent exists."""

    theme_id: int
    repository: str
    state: IssueState
    draft: IssueDraft
    filed: FiledIssue | None
    intended_at: datetime
    attempted_at: datetime | None
    last_error: str | None


def save_intent(session: Session, draft: IssueDraft, repository: str) -> None:
    """Commit to filing a draft; an intent that is still open takes the newer draft."""
    values: dict[str, Any] = {"repository": repository, "draft": asdict(draft)}
    statement = insert(IssueRow).values(
        theme_id=draft.theme_id, state=IssueState.INTENDED, **values
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["theme_id"],
            set_=values,
            where=col(IssueRow.state) == IssueState.INTENDED,
        )
    )


def save_filed(session: Session, theme_id: int, issue: FiledIssue) -> None:
    """Record the number under which a theme's issue exists, and the draft as it was sent."""
    sent = {"draft": asdict(issue.sent)} if issue.sent is not None else {}
    _update(
        session,
        theme_id,
        state=IssueState.FILED,
        repository=issue.repository,
        number=issue.number,
        url=issue.url,
        filed_at=func.now(),
        last_error=None,
        **sent,
    )


def save_sent(session: Session, theme_id: int, draft: IssueDraft) -> None:
    """Record a filed issue's draft as it was written now, in place of the one before."""
    _update(session, theme_id, draft=asdict(draft))


def empty_sent_bodies(session: Session, theme_ids: Collection[int]) -> None:
    """Forget the texts that filed issues were created with; what they are called stays."""
    session.execute(
        update(IssueRow)
        .where(among(col(IssueRow.theme_id), theme_ids), col(IssueRow.state) == IssueState.FILED)
        .values(draft=_without_body())
    )


def _without_body() -> Any:
    return func.jsonb_set(col(IssueRow.draft), cast(["body"], ARRAY(Text)), cast("", JSONB))


def save_attempt(session: Session, theme_id: int) -> None:
    """Note that a creation is about to be sent, so that an interrupted one is known as such."""
    _update(session, theme_id, attempted_at=func.now())


def save_filing_error(session: Session, theme_id: int, problem: str) -> None:
    """Note why an intent could not be carried out; it stays and is tried again."""
    _update(session, theme_id, last_error=problem)


def withdraw_intents(
    session: Session, repositories: Collection[str], *, but: Collection[int], after: timedelta
) -> int:
    """Drop the intents for some repositories that came to nothing so long ago; how many they were.

    Those of the themes ``but`` stay. Call it once GitHub was searched for them in vain: a theme
    whose intent is gone gets a new one when it is filed.
    """
    since = func.coalesce(col(IssueRow.attempted_at), col(IssueRow.intended_at))
    dropped = session.execute(
        delete(IssueRow)
        .where(col(IssueRow.state) == IssueState.INTENDED)
        .where(among(col(IssueRow.repository), repositories))
        .where(~among(col(IssueRow.theme_id), but))
        .where(since < func.now() - after)
        .returning(col(IssueRow.theme_id))
    )
    return len(dropped.all())


def load_issues(session: Session) -> dict[int, IssueRecord]:
    """Intents and filed issues by theme."""
    rows = session.execute(select(IssueRow).order_by(col(IssueRow.theme_id))).scalars()
    return {row.theme_id: _record(row) for row in rows}


def _update(session: Session, theme_id: int, **values: Any) -> None:
    session.execute(update(IssueRow).where(col(IssueRow.theme_id) == theme_id).values(**values))


def _record(row: IssueRow) -> IssueRecord:
    filed = None
    if row.number is not None and row.url is not None:
        filed = FiledIssue(row.repository, row.number, row.url)
    return IssueRecord(
        theme_id=row.theme_id,
        repository=row.repository,
        state=IssueState(row.state),
        draft=_draft(row.draft),
        filed=filed,
        intended_at=row.intended_at,
        attempted_at=row.attempted_at,
        last_error=row.last_error,
    )


def _draft(values: Mapping[str, Any]) -> IssueDraft:
    return IssueDraft(**{**values, "labels": tuple(values["labels"])})
