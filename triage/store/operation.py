"""Which stages are stopped and by whom, and how the runs of each stage went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral, Real
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.operation_tables import StageRunRow, StageStopRow

STAGES = (
    "collect", "embed", "theme", "decide", "route", "file", "sync", "verify", "learn", "recluster",
    "expire", "report", "digest",
)  # fmt: skip
LLM = "llm"  # can be stopped as a stage can
RUNNING, DONE, FAILED = "running", "done", "failed"
KEPT_DAYS = 90  # of the history of runs; the last success of every stage stays


@dataclass(frozen=True, slots=True)
class StageStop:
    """Who stopped a stage, when and why."""

    stage: str
    stopped_by: str
    because: str | None
    stopped_at: datetime

    def __str__(self) -> str:
        reason = f" because {self.because}" if self.because else ""
        return f"stopped by {self.stopped_by} at {self.stopped_at:%Y-%m-%d %H:%M} UTC{reason}"


@dataclass(frozen=True, slots=True)
class StageHistory:
    """How a stage's runs went: its last success and, if it failed since then, why."""

    stage: str
    succeeded_at: datetime | None
    took_seconds: float | None
    counts: Mapping[str, Any]
    failures_since: int
    problem: str | None


def save_stop(session: Session, stage: str, *, by: str, because: str | None) -> None:
    """Stop a stage; where it is stopped already, the newer word holds."""
    values = {"stopped_by": by, "because": because}
    statement = insert(StageStopRow).values(stage=stage, **values)
    again = {**values, "stopped_at": func.now()}
    session.execute(statement.on_conflict_do_update(index_elements=["stage"], set_=again))


def delete_stop(session: Session, stage: str) -> bool:
    """Let a stage run again; False where it was not stopped."""
    statement = delete(StageStopRow).where(col(StageStopRow.stage) == stage)
    return session.execute(statement.returning(col(StageStopRow.stage))).first() is not None


def load_stops(session: Session) -> dict[str, StageStop]:
    """Every stopped stage."""
    rows = session.execute(select(StageStopRow).order_by(col(StageStopRow.stage))).scalars()
    return {
        row.stage: StageStop(row.stage, row.stopped_by, row.because, row.stopped_at) for row in rows
    }


def begin_run(session: Session, stage: str) -> int:
    """Note that a stage begins; returns the id of the run. History beyond its time is dropped."""
    session.execute(_FORGET, {"stage": stage, "days": KEPT_DAYS})
    statement = insert(StageRunRow).values(stage=stage, state=RUNNING)
    return int(session.execute(statement.returning(col(StageRunRow.stage_run_id))).scalar_one())


def end_run(
    session: Session, run_id: int, counts: Mapping[str, Any], problem: str | None = None
) -> None:
    """Note how a run ended: with what it did, or with what went wrong."""
    session.execute(
        update(StageRunRow)
        .where(col(StageRunRow.stage_run_id) == run_id)
        .values(
            state=FAILED if problem else DONE,
            ended_at=func.clock_timestamp(),
            counts={name: _storable(value) for name, value in counts.items()},
            problem=problem,
        )
    )


def _storable(value: Any) -> int | float | str:
    """A count as JSON can hold it: no numbers of numpy, no infinity."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    return str(value)


def load_histories(session: Session) -> dict[str, StageHistory]:
    """Every stage that ever ran."""
    return {
        row.stage: StageHistory(
            row.stage,
            row.succeeded_at,
            row.took_seconds,
            row.counts or {},
            row.failures_since,
            row.problem,
        )
        for row in session.execute(_HISTORIES)
    }


_FORGET = text(
    """
    DELETE FROM stage_run WHERE stage = :stage AND began_at < now() - make_interval(days => :days)
    AND stage_run_id <> (
        SELECT coalesce(max(stage_run_id), 0) FROM stage_run WHERE stage = :stage AND state = 'done'
    )
    """
)
_HISTORIES = text(
    """
    WITH success AS (
        SELECT DISTINCT ON (stage) stage, stage_run_id, ended_at, counts,
               extract(epoch FROM ended_at - began_at) AS took
        FROM stage_run WHERE state = 'done' ORDER BY stage, stage_run_id DESC
    ), failure AS (
        SELECT run.stage, count(*) AS failures,
               (array_agg(run.problem ORDER BY run.stage_run_id DESC))[1] AS problem
        FROM stage_run AS run LEFT JOIN success USING (stage)
        WHERE run.state = 'failed' AND run.stage_run_id > coalesce(success.stage_run_id, 0)
        GROUP BY run.stage
    )
    SELECT stage, success.ended_at AS succeeded_at, success.took::float AS took_seconds,
           success.counts AS counts, coalesce(failure.failures, 0) AS failures_since,
           failure.problem AS problem
    FROM success FULL JOIN failure USING (stage) ORDER BY stage
    """
)
