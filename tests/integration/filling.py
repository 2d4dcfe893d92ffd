"""Fills a schema of any version with rows, as that version wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ARRAY, Column, Engine, MetaData, Table, text
from sqlalchemy.dialects.postgresql import JSONB

THEN = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
PROFILE = {
    "reports": 2, "duplicates": 0, "distinct_reporters": 2, "developer_reports": 0,
    "coherence": 0.75, "first_seen": THEN.isoformat(), "last_seen": THEN.isoformat(),
    "versions": [["corvane-4.1", 2]], "channels": [["user", 2]], "environments": [],
    "languages": [["en", 2]], "weeks": [["2026-08-31", 2]], "error_signatures": [],
}  # fmt: skip
DRAFT = {
    "theme_id": 1, "title": "It fails", "body": "It fails.", "labels": ["quick-fix"],
    "milestone": None, "assignee": None, "fallback_assignee": None, "marker": "",
}  # fmt: skip
# What the application reads as more than text and numbers.
VALUES: dict[tuple[str, str], Any] = {
    ("report", "kind"): "user",
    ("report", "error_signatures"): ["timeout"],
    ("report", "shingle_bands"): [3, 7],
    ("theme", "status"): "open",
    ("theme", "keywords"): ["fails"],
    ("theme", "exemplar_ids"): [1, 2],
    ("theme", "medoid_id"): 1,
    ("theme", "profile"): PROFILE,
    ("decision", "verdict"): "fundamental",
    ("decision", "priority"): "P1",
    ("decision", "reasons"): ["It is the model."],
    ("decision", "evidence"): [{"name": "layer", "observation": "the model", "weight": 1.5}],
    ("issue", "state"): "filed",
    ("issue", "draft"): DRAFT,
    ("proposal", "kind"): "merge",
    ("proposal", "state"): "open",
    ("bond", "kind"): "apart",
    ("bond", "left_reports"): [1],
    ("bond", "right_reports"): [2],
    ("opinion", "verdict"): "fundamental",
    ("verification", "verdict"): "fixed",
}
ROWS = 2


def fill(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Put two rows into every table; returns all rows as they are stored."""
    metadata = MetaData()
    metadata.reflect(engine)
    tables = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
    with engine.begin() as connection:
        for table in tables:
            for number in range(1, ROWS + 1):
                names, values = zip(*_row(table, number), strict=True)
                columns = ", ".join(f'"{name}"' for name in names)
                places = ", ".join(f":v{place}" for place in range(len(names)))
                given = {f"v{place}": value for place, value in enumerate(values)}
                connection.execute(
                    text(f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})'), given
                )
    return read_rows(engine, [table.name for table in tables])


def read_rows(engine: Engine, tables: list[str]) -> dict[str, list[dict[str, Any]]]:
    """All rows of some tables, as JSON objects in the order in which they were stored."""
    with engine.connect() as connection:
        return {
            table: list(
                connection.execute(
                    text(f'SELECT to_jsonb(stored) FROM "{table}" AS stored ORDER BY ctid')
                ).scalars()
            )
            for table in tables
        }


def _row(table: Table, number: int) -> Iterator[tuple[str, Any]]:
    """Values of one row: every column in the first, only what must be in the second."""
    for column in table.columns:
        if column.identity is not None:
            continue
        can_wait = column.nullable or column.server_default is not None
        targets = {key.column.table.name for key in column.foreign_keys}
        if table.name in targets or (can_wait and number > 1):
            continue
        yield column.name, number if targets else _value(table.name, column, number)


def _value(table: str, column: Column[Any], number: int) -> Any:
    given = VALUES.get((table, column.name))
    if isinstance(column.type, JSONB):
        return json.dumps({} if given is None else given)
    if given is not None:
        return given
    if isinstance(column.type, ARRAY):
        return []
    kind = str(column.type).upper()
    if kind.startswith(("VECTOR", "NULL")):
        return "[0.6,0.8,0]"
    values = {
        "BIGINT": number,
        "INTEGER": number,
        "BOOLEAN": number == 1,
        "DOUBLE": 0.25 * number,
        "FLOAT": 0.25 * number,
        "DATE": date(2026, 9, number),
        "TIMESTAMP": THEN,
    }
    fitting = (value for name, value in values.items() if kind.startswith(name))
    return next(fitting, f"{column.name} {number}")
