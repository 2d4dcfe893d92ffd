"""The tables of the HTTP intake: a thin layer before ``report``, which nobody else writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, Text, text
from sqlmodel import Field, SQLModel


def _text(*, primary_key: bool = False, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Text, primary_key=primary_key, nullable=nullable))


def _now() -> Any:
    return Field(
        default=None,
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")),
    )


class PostedReportRow(SQLModel, table=True):
    """A report that was posted, cleaned and redacted, until the next collection takes it.

    Intake answers only after its commit, so it writes as little as it can: no index but the key,
    and no lock that a collection of files holds. ``content`` is the report as JSON text.
    """

    __tablename__: ClassVar[Any] = "posted_report"
    posted_id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    origin: str = _text()
    external_id: str = _text()
    author_hash: str | None = _text(nullable=True)
    content: str = _text()
    received_at: datetime = _now()


class PostedKeyRow(SQLModel, table=True):
    """What was answered to a request with an idempotency key, by the sender's origin."""

    __tablename__: ClassVar[Any] = "posted_key"
    __table_args__ = (Index("posted_key_answered_at_idx", "answered_at"),)
    origin: str = _text(primary_key=True)
    key: str = _text(primary_key=True)
    digest: str = _text()
    status: int = Field(default=None, sa_column=Column(Integer, nullable=False))
    answer: str = _text()
    answered_at: datetime = _now()
