"""Issues as they were last known, between one look at GitHub and the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.filing import Told
from triage.listening import IssueFacts, Label
from triage.store.life_tables import IssueLifeRow, LabelAliasRow, PastIssueRow
from triage.store.tables import IssueRow
from triage.types import IssueState

MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class IssueLife:
    """What is known of one issue.

    ``facts`` are its fields when last seen or written, ``pending`` what a write of unknown outcome
    wanted them to be. ``held`` maps a field (``verdict``, ``capability``, ``priority``, ``owner``,
    ``milestone``, ``section``, ``state``, ``comments``) to the person who holds it: the machine
    leaves it alone. ``bots`` counts how often a program undid the machine there. ``closed_by`` is
    ``machine``, or who closed it. ``gone`` says what became of an issue that is no more.
    ``seen_at`` is GitHub's time of the latest state that was seen: an older view changes nothing.
    """

    repository: str
    number: int
    facts: IssueFacts
    told: Told
    pending: IssueFacts | None = None
    held: Mapping[str, str] = field(default_factory=dict)
    bots: Mapping[str, int] = field(default_factory=dict)
    closed_by: str | None = None
    gone: str | None = None
    seen_at: datetime | None = None

    def holding(self, name: str, who: str) -> IssueLife:
        """The same with one more field held by somebody."""
        return replace(self, held={**self.held, name: who})

    def releasing(self, name: str) -> IssueLife:
        """The same with a field given back to the machine."""
        return replace(self, held={k: v for k, v in self.held.items() if k != name})


def load_lives(session: Session, repository: str) -> dict[int, IssueLife]:
    """All that is known about the issues of a repository, by number."""
    statement = select(IssueLifeRow).where(col(IssueLifeRow.repository) == repository)
    return {row.number: _life(row) for row in session.execute(statement).scalars()}


def load_lives_by_theme(session: Session) -> dict[int, IssueLife]:
    """What is known about each theme's issue, in whichever repository it is.

    Numbers alone do not tell issues apart: sensitive themes have a repository of their own.
    """
    statement = select(col(IssueRow.theme_id), IssueLifeRow).join(
        IssueLifeRow,
        (func.lower(col(IssueLifeRow.repository)) == func.lower(col(IssueRow.repository)))
        & (col(IssueLifeRow.number) == col(IssueRow.number)),
    )
    return {theme_id: _life(row) for theme_id, row in session.execute(statement)}


def load_life(session: Session, repository: str, number: int) -> IssueLife | None:
    """What is known about one issue."""
    row = session.get(IssueLifeRow, (repository, number))
    return _life(row) if row is not None else None


def save_life(session: Session, life: IssueLife) -> None:
    """Keep what is known about an issue."""
    values: dict[str, Any] = {
        "facts": _facts_json(life.facts),
        "pending": _facts_json(life.pending) if life.pending is not None else None,
        "held": dict(life.held),
        "bots": dict(life.bots),
        "told": _told_json(life.told),
        "closed_by": life.closed_by,
        "gone": life.gone,
        "seen_at": life.seen_at,
    }
    statement = insert(IssueLifeRow).values(
        repository=life.repository, number=life.number, **values
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["repository", "number"], set_=values)
    )


def load_label_aliases(session: Session, repository: str) -> dict[str, str]:
    """The present name of every label that people renamed, by its name in the configuration."""
    statement = select(LabelAliasRow).where(col(LabelAliasRow.repository) == repository)
    return {row.original: row.present for row in session.execute(statement).scalars()}


def save_label_alias(session: Session, repository: str, old: str, new: str) -> None:
    """Note that a label has another name now; a second renaming follows the first."""
    known = {present: original for original, present in _pairs(session, repository)}
    statement = insert(LabelAliasRow).values(
        repository=repository, original=known.get(old, old), present=new
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["repository", "original"], set_={"present": new}
        )
    )


def load_past_issues(session: Session, repository: str) -> dict[int, int]:
    """Theme by number of every issue that spoke for it once and does no more."""
    statement = select(PastIssueRow).where(col(PastIssueRow.repository) == repository)
    return {row.number: row.theme_id for row in session.execute(statement).scalars()}


def load_past_urls(session: Session, repository: str | None = None) -> dict[int, str]:
    """Address of the latest past issue of every theme that has one, in any repository or one."""
    statement = select(PastIssueRow).order_by(col(PastIssueRow.ended_at))
    if repository is not None:
        own = func.lower(col(PastIssueRow.repository)) == repository.lower()
        statement = statement.where(own)
    return {row.theme_id: row.url for row in session.execute(statement).scalars()}


def retire_issue(session: Session, theme_id: int) -> None:
    """Let a theme's issue become a past one, so that another can be filed for it."""
    row = session.get(IssueRow, theme_id)
    if row is None or row.state != IssueState.FILED or row.number is None or row.url is None:
        return
    session.add(
        PastIssueRow(repository=row.repository, number=row.number, theme_id=theme_id, url=row.url)
    )
    session.delete(row)
    session.flush()


def _pairs(session: Session, repository: str) -> list[tuple[str, str]]:
    return list(load_label_aliases(session, repository).items())


def _life(row: IssueLifeRow) -> IssueLife:
    return IssueLife(
        repository=row.repository,
        number=row.number,
        facts=_facts(row.facts),
        told=_told(row.told),
        pending=_facts(row.pending) if row.pending is not None else None,
        held=row.held,
        bots=row.bots,
        closed_by=row.closed_by,
        gone=row.gone,
        seen_at=row.seen_at,
    )


def _facts_json(facts: IssueFacts) -> dict[str, Any]:
    return {**asdict(facts), "labels": [list(label) for label in facts.labels]}


def _facts(values: Mapping[str, Any]) -> IssueFacts:
    return IssueFacts(
        **{
            **values,
            "labels": tuple(Label(*label) for label in values["labels"]),
            "assignees": tuple(values["assignees"]),
        }
    )


def _told_json(told: Told) -> dict[str, Any]:
    since = told.calmer_since
    return {**asdict(told), "calmer_since": since.isoformat() if since else None}


def _told(values: Mapping[str, Any]) -> Told:
    since = values["calmer_since"]
    return Told(
        reporters=values["reporters"],
        versions=tuple(values["versions"]),
        verdict=values["verdict"],
        merged=tuple(values["merged"]),
        calmer_since=date.fromisoformat(since) if since else None,
        withheld=values.get("withheld", ""),
    )
