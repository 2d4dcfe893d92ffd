"""What readers read, by text; and the opinion on each report that follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.copying import copy_new
from triage.store.tables import OpinionRow, ReadingRow
from triage.types import Opinion

BATCH = 2000


def load_readings(
    session: Session, reader: str, fingerprints: Collection[str]
) -> dict[str, tuple[list[float], list[float]]]:
    """By fingerprint, the logarithms of layers and capabilities that a reader read."""
    statement = select(
        col(ReadingRow.fingerprint), col(ReadingRow.layers), col(ReadingRow.capabilities)
    ).where(col(ReadingRow.reader) == reader, among(col(ReadingRow.fingerprint), fingerprints))
    return {key: (layers, parts) for key, layers, parts in session.execute(statement)}


def save_readings(
    session: Session,
    reader: str,
    readings: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> None:
    """Keep readings by fingerprint; what is there stays, since a reader never changes its mind."""
    types = {
        "reader": "text",
        "fingerprint": "text",
        "layers": "float8[]",
        "capabilities": "float8[]",
    }
    rows = ((reader, fingerprint, *each) for fingerprint, each in readings.items())
    if readings:
        copy_new(session, "reading", types, rows)


def load_opinions(session: Session, report_ids: Sequence[int] | None = None) -> dict[int, Opinion]:
    """The opinion on each report, all of them without ids."""
    statement = select(OpinionRow)
    if report_ids is not None:
        statement = statement.where(among(col(OpinionRow.report_id), report_ids))
    names = [field.name for field in fields(Opinion)]
    return {
        row.report_id: Opinion(**{name: getattr(row, name) for name in names})
        for row in session.execute(statement).scalars()
    }


def save_opinions(session: Session, opinions: Mapping[int, Opinion]) -> int:
    """Store what changed, drop what is not held any more; returns how many changed."""
    held = load_opinions(session)
    gone = held.keys() - opinions.keys()
    if gone:
        session.execute(delete(OpinionRow).where(among(col(OpinionRow.report_id), gone)))
    rows = [
        {"report_id": report_id, **asdict(opinion)}
        for report_id, opinion in opinions.items()
        if held.get(report_id) != opinion
    ]
    for start in range(0, len(rows), BATCH):
        statement = insert(OpinionRow)
        changed = {field.name: getattr(statement.excluded, field.name) for field in fields(Opinion)}
        session.execute(
            statement.on_conflict_do_update(index_elements=["report_id"], set_=changed),
            rows[start : start + BATCH],
        )
    return len(rows)
