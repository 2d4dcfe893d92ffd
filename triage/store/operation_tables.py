"""The tables of operation: which stages are stopped, and what every run of a stage did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def _time(*, nullable: bool = False) -> Any:
    default = None if nullable else text("now()")
    column = Column(DateTime(timezone=True), nullable=nullable, server_default=default)
    return Field(default=None, sa_column=column)


def _text(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Text, nullable=nullable))


class StageStopRow(SQLModel, table=True):
    """A stage that somebody stopped: no run does its work until somebody starts it again."""

    __tablename__: ClassVar[Any] = "stage_stop"
    stage: str = Field(sa_column=Column(Text, primary_key=True))
    stopped_by: str = _text()
    because: str | None = _text(nullable=True)
    stopped_at: datetime = _time()


class StageRunRow(SQLModel, table=True):
    """One run of one stage; without an end it still runs, or was killed."""

    __tablename__: ClassVar[Any] = "stage_run"
    __table_args__ = (Index("stage_run_stage_idx", "stage", "began_at"),)
    stage_run_id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    stage: str = _text()
    state: str = _text()
    began_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)
    counts: dict[str, Any] = Field(
        default=None,
        sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")),
    )
    problem: str | None = _text(nullable=True)
