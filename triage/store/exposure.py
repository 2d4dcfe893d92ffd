"""How much each version was used, by day and channel; from files of request counts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.life_tables import ExposureRow
from triage.verification import Exposure

BATCH = 1000


def save_exposure(session: Session, rows: Iterable[Exposure]) -> int:
    """Store counts; the same version, day and channel again is corrected. Returns how many."""
    latest = {(row.version, row.day, row.channel): row.requests for row in rows}
    values = [
        {"version": version, "day": day, "channel": channel, "requests": requests}
        for (version, day, channel), requests in latest.items()
    ]
    for start in range(0, len(values), BATCH):
        statement = insert(ExposureRow).values(values[start : start + BATCH])
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["version", "day", "channel"],
                set_={"requests": statement.excluded.requests},
            )
        )
    return len(values)


def load_exposure(session: Session, version: str) -> list[Exposure]:
    """All that is known about how much a version was used, by day and channel."""
    statement = (
        select(ExposureRow)
        .where(col(ExposureRow.version) == version)
        .order_by(col(ExposureRow.day), col(ExposureRow.channel))
    )
    return [
        Exposure(row.version, row.day, row.channel, row.requests)
        for row in session.execute(statement).scalars()
    ]


def total_requests(session: Session) -> dict[str, float]:
    """Requests of every version that any are known of."""
    statement = select(col(ExposureRow.version), func.sum(col(ExposureRow.requests))).group_by(
        col(ExposureRow.version)
    )
    return {version: float(total) for version, total in session.execute(statement)}
