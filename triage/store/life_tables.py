"""The tables of an issue's life: what was seen, what is intended, what releases did."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def _key(kind: Any) -> Any:
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def _identity() -> Any:
    return Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )


def _text(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Text, nullable=nullable))


def _json(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=nullable))


def _number(kind: Any, *, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(kind, nullable=nullable))


def _time(*, nullable: bool = False, default_now: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(
            DateTime(timezone=True),
            nullable=nullable,
            server_default=text("now()") if default_now else None,
        ),
    )


def _theme(*, primary_key: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(
            BigInteger,
            ForeignKey("theme.theme_id", ondelete="CASCADE"),
            primary_key=primary_key,
            nullable=False,
            index=not primary_key,
            autoincrement=False,
        ),
    )


class IssueLifeRow(SQLModel, table=True):
    """An issue as it was last known: its fields, who holds which, what was last told in it."""

    __tablename__: ClassVar[Any] = "issue_life"
    repository: str = _key(Text)
    number: int = _key(Integer)
    facts: dict[str, Any] = _json()
    pending: dict[str, Any] | None = _json(nullable=True)
    held: dict[str, str] = _json()
    bots: dict[str, int] = _json()
    told: dict[str, Any] = _json()
    closed_by: str | None = _text(nullable=True)
    gone: str | None = _text(nullable=True)
    seen_at: datetime | None = _time(nullable=True)


class IssueActionRow(SQLModel, table=True):
    """Something the machine writes to an issue: the intent first, then that it was done."""

    __tablename__: ClassVar[Any] = "issue_action"
    __table_args__ = (
        UniqueConstraint("repository", "number", "action_key", name="issue_action_key"),
        Index("issue_action_done_at_idx", "done_at"),
    )
    action_id: int = _identity()
    repository: str = _text()
    number: int = _number(Integer)
    action_key: str = _text()
    kind: str = _text()
    payload: dict[str, Any] = _json()
    intended_at: datetime = _time()
    attempted_at: datetime | None = _time(nullable=True)
    done_at: datetime | None = _time(nullable=True)
    outcome: str | None = _text(nullable=True)


class HeardRow(SQLModel, table=True):
    """Something that a person did or said on GitHub and what came of it; taken once."""

    __tablename__: ClassVar[Any] = "heard"
    repository: str = _key(Text)
    event_key: str = _key(Text)
    number: int = _number(Integer)
    author: str | None = _text(nullable=True)
    outcome: str = _text()
    happened_at: datetime | None = _time(nullable=True)
    heard_at: datetime = _time(default_now=True)


class DuplicateRow(SQLModel, table=True):
    """That one issue was said to repeat another; chains are followed through these."""

    __tablename__: ClassVar[Any] = "duplicate_of"
    repository: str = _key(Text)
    number: int = _key(Integer)
    target: int = _number(Integer)
    author: str = _text()
    said_at: datetime = _time()


class CollaboratorRow(SQLModel, table=True):
    """What a person may do in a repository, as GitHub said then."""

    __tablename__: ClassVar[Any] = "collaborator"
    repository: str = _key(Text)
    login: str = _key(Text)
    role: str = _text()
    asked_at: datetime = _time()


class LabelAliasRow(SQLModel, table=True):
    """A label that people renamed on GitHub: its name in the configuration and its present one."""

    __tablename__: ClassVar[Any] = "label_alias"
    repository: str = _key(Text)
    original: str = _key(Text)
    present: str = _text()


class RenamedRepositoryRow(SQLModel, table=True):
    """A repository that was renamed or transferred: its name in the configuration, and today's."""

    __tablename__: ClassVar[Any] = "renamed_repository"
    former: str = _key(Text)
    present: str = _text()


class PastIssueRow(SQLModel, table=True):
    """An issue that spoke for a theme once; another one does now."""

    __tablename__: ClassVar[Any] = "past_issue"
    repository: str = _key(Text)
    number: int = _key(Integer)
    theme_id: int = _theme()
    url: str = _text()
    ended_at: datetime = _time(default_now=True)


class ExposureRow(SQLModel, table=True):
    """How many requests a version served on a day, in a channel (``*``: in all together)."""

    __tablename__: ClassVar[Any] = "exposure"
    version: str = _key(Text)
    day: date = _key(Date)
    channel: str = _key(Text)
    requests: float = _number(Float)


class VerificationRow(SQLModel, table=True):
    """What a version did to a theme; a row is added when the verdict changed, the last holds."""

    __tablename__: ClassVar[Any] = "verification"
    verification_id: int = _identity()
    theme_id: int = _theme()
    old_version: str = _text()
    new_version: str = _text()
    verdict: str = _text()
    reason: str | None = _text(nullable=True)
    lines: list[str] = _json()
    ratio: float | None = _number(Float, nullable=True)
    low: float | None = _number(Float, nullable=True)
    high: float | None = _number(Float, nullable=True)
    next_check: date | None = _number(Date, nullable=True)
    judged_on: date = _number(Date)
    was_quick_fix: bool = Field(default=False)
    judged_at: datetime = _time(default_now=True)


class ReporterAnswerRow(SQLModel, table=True):
    """What somebody answered who was told that their failure is mended; never its text."""

    __tablename__: ClassVar[Any] = "reporter_answer"
    report_id: int = Field(
        default=None,
        sa_column=Column(
            BigInteger,
            ForeignKey("report.report_id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    comment_id: int = _key(BigInteger)
    person_hash: str | None = _text(nullable=True)
    says: str = _text()
    said_at: datetime = _time()


class ProbeResultRow(SQLModel, table=True):
    """How often a theme's probe failed on a version, over its runs."""

    __tablename__: ClassVar[Any] = "probe_result"
    theme_id: int = _theme(primary_key=True)
    version: str = _key(Text)
    probe: str = _key(Text)
    runs: int = _number(Integer)
    failures: int = _number(Integer)
    read_at: datetime = _time(default_now=True)


class DigestRow(SQLModel, table=True):
    """An owner's digest of a week: the attempt first, then that it was taken."""

    __tablename__: ClassVar[Any] = "digest"
    owner: str = _key(Text)
    week: date = _key(Date)
    attempts: int = _number(Integer)
    attempted_at: datetime = _time(default_now=True)
    sent_at: datetime | None = _time(nullable=True)
    last_error: str | None = _text(nullable=True)
