"""The tables of privacy: what must not come back, and who saw and changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _now() -> Any:
    return Field(
        default=None,
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")),
    )


class TombstoneRow(SQLModel, table=True):
    """Something that was forgotten and must not be taken in again, as a keyed hash."""

    __tablename__: ClassVar[Any] = "tombstone"
    hash: str = Field(sa_column=Column(Text, primary_key=True))
    forgotten_at: datetime = _now()


class AuditRow(SQLModel, table=True):
    """Who saw or changed what, when: ids and counts, never a report's text.

    Rows are only added; a trigger refuses everything else except what retention deletes.
    """

    __tablename__: ClassVar[Any] = "audit"
    __table_args__ = (Index("audit_at_idx", "at"),)
    audit_id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    at: datetime = _now()
    who: str = Field(sa_column=Column(Text, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    subjects: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
