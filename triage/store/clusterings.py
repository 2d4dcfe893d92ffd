"""Full clusterings: which were made, and the centres that each took away from the vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text, update
from sqlmodel import Session, col

from triage.store.tables import ClusteringCentreRow, ClusteringRunRow
from triage.types import ClusteringRun

Vector = NDArray[np.float32]

STATE = text(
    """
    SELECT md5(concat(
        (SELECT string_agg(concat(report_id, ' ', fingerprint, ' ', duplicate_of, ' ', theme_id,
                                  ' ', joined_by = 'person'), ',' ORDER BY report_id)
         FROM report LEFT JOIN theme_member USING (report_id)
         WHERE EXISTS (SELECT FROM embedding WHERE space_id = :space
                       AND embedding.fingerprint = report.fingerprint)),
        ';', (SELECT string_agg(concat(theme_id, ' ', status), ',' ORDER BY theme_id) FROM theme),
        ';', (SELECT max(bond_id) FROM bond)))
    """
)


# Among a run's results: the theme that each report left, by the report's id.
LEFT = "left"
DEPARTURE = text(
    "SELECT (results -> :left ->> :report)::bigint, made_at FROM clustering_run "
    "WHERE jsonb_exists(results -> :left, :report) ORDER BY run_id DESC LIMIT 1"
)


def save_run(session: Session, run: ClusteringRun) -> int:
    """Store a new run; returns its id."""
    values = asdict(run)
    del values["run_id"], values["made_at"]
    row = ClusteringRunRow(**values)
    session.add(row)
    session.flush()
    return row.run_id


def save_outcome(session: Session, run: ClusteringRun) -> None:
    """Store what came of a run that was begun: its results and the state that it left."""
    session.execute(
        update(ClusteringRunRow)
        .where(col(ClusteringRunRow.run_id) == run.run_id)
        .values(results=dict(run.results), state=run.state)
    )


def load_departure(session: Session, report_id: int) -> tuple[int, datetime] | None:
    """The theme that a full clustering last took a report out of, and when; None if none did."""
    values = {"left": LEFT, "report": str(report_id)}
    row = session.execute(DEPARTURE, values).first()
    return None if row is None else (row[0], row[1])


def load_latest_run(session: Session, space_id: int) -> ClusteringRun | None:
    """The last full clustering in a space, None before the first."""
    statement = (
        select(ClusteringRunRow)
        .where(col(ClusteringRunRow.space_id) == space_id)
        .order_by(col(ClusteringRunRow.run_id).desc())
        .limit(1)
    )
    row = session.execute(statement).scalar_one_or_none()
    return None if row is None else _run(row)


def load_last_run(session: Session) -> ClusteringRun | None:
    """The last full clustering in any space: the one that the themes are of."""
    statement = select(ClusteringRunRow).order_by(col(ClusteringRunRow.run_id).desc()).limit(1)
    row = session.execute(statement).scalar_one_or_none()
    return None if row is None else _run(row)


def save_centres(session: Session, run_id: int, centres: Mapping[tuple[str, str], Vector]) -> None:
    """Keep a run's centres by kind of text and language."""
    session.add_all(
        ClusteringCentreRow(run_id=run_id, kind=kind, language=language, vector=vector)
        for (kind, language), vector in sorted(centres.items())
    )


def load_centres(session: Session, run_id: int) -> dict[tuple[str, str], Vector]:
    """A run's centres (float32) by kind of text and language."""
    statement = select(ClusteringCentreRow).where(col(ClusteringCentreRow.run_id) == run_id)
    return {
        (row.kind, row.language): np.asarray(row.vector, dtype=np.float32)
        for row in session.execute(statement).scalars()
    }


def load_state(session: Session, space_id: int) -> str:
    """A digest of what a full clustering depends on and changes: texts, themes, people's words."""
    return str(session.execute(STATE, {"space": space_id}).scalar_one())


def _run(row: ClusteringRunRow) -> ClusteringRun:
    return ClusteringRun(
        space_id=row.space_id,
        cause=row.cause,
        representation=row.representation,
        reports=row.reports,
        parameters=row.parameters,
        results=row.results,
        state=row.state,
        run_id=row.run_id,
        made_at=row.made_at,
    )
