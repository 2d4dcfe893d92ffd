"""Request counts from a query against the database in which the serving side keeps them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from triage.errors import DatabaseError, IntakeError, SettingsError
from triage.settings import Settings
from triage.verification import COLUMNS, Exposure, exposure_of, sum_exposures

TIMEOUT_SECONDS = 60
MAX_ROWS = 1_000_000
_VARIABLE = "TRIAGE_EXPOSURE_DATABASE_URL"
_ATTEMPTED = "Asking for request counts (releases.exposure_query)"
_REMEDY = (
    "Let the query give the columns version, day (a date), requests (a number) and, where known, "
    "channel: one row for each version, day and channel."
)


@dataclass(frozen=True, slots=True)
class QueriedExposure:
    """The counts of known versions, and how many rows were about which others."""

    rows: tuple[Exposure, ...]
    unknown: Mapping[str, int]


def fetch_exposure(
    settings: Settings, query: str, resolve_version: Callable[[str], str | None]
) -> QueriedExposure:
    """Run the query; rows about other models than ours are counted and left out.

    It runs in a read-only transaction, as one statement, for at most ``TIMEOUT_SECONDS``. Several
    rows for one version, day and channel add up. Raises ``SettingsError`` without an address,
    ``DatabaseError`` when the database refuses, ``IntakeError`` for rows of another shape.
    """
    address = _address(settings)
    options = f"-c default_transaction_read_only=on -c statement_timeout={TIMEOUT_SECONDS}s"
    try:
        with psycopg.connect(
            address, options=options, connect_timeout=10, row_factory=dict_row
        ) as connection:
            connection.read_only = True
            # in binary PostgreSQL takes one statement only: nothing can follow a semicolon
            cursor = connection.execute(query, binary=True)
            names = [column.name for column in cursor.description or ()]
            _check_columns(names)
            found = cursor.fetchmany(MAX_ROWS + 1)
    except psycopg.Error as error:
        problem = str(error).strip().splitlines()[0] if str(error).strip() else "it failed"
        remedy = f"Try the query by hand; check {_VARIABLE} and what its user may read."
        raise DatabaseError(_ATTEMPTED, problem, remedy) from error
    if len(found) > MAX_ROWS:
        raise IntakeError(_ATTEMPTED, f"it gave more than {MAX_ROWS:,} rows", _REMEDY)
    return _read(found, resolve_version)


def _address(settings: Settings) -> str:
    if settings.exposure_database_url is None:
        raise SettingsError(
            _ATTEMPTED,
            f"{_VARIABLE} is not set",
            f"Set {_VARIABLE} to postgresql://user:password@host:5432/database, of a user who may "
            "only read.",
        )
    try:
        url = make_url(settings.exposure_database_url.get_secret_value())
    except ArgumentError as error:
        problem = f"{_VARIABLE} is not a database URL"
        remedy = "Write it as postgresql://user:password@host:5432/database."
        raise SettingsError(_ATTEMPTED, problem, remedy) from error
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise SettingsError(
            _ATTEMPTED,
            f"{url.get_backend_name()} is not supported",
            "Only PostgreSQL, and what speaks its protocol, is; or read a file: "
            "`triage exposure PATH`.",
        )
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _check_columns(names: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        has = ", ".join(names) or "none"
        raise IntakeError(
            _ATTEMPTED, f"it lacks {', '.join(missing)} (its columns: {has})", _REMEDY
        )


def _read(
    found: list[dict[str, Any]], resolve_version: Callable[[str], str | None]
) -> QueriedExposure:
    rows: list[Exposure] = []
    unknown: Counter[str] = Counter()
    for number, row in enumerate(found, start=1):
        written = str(row["version"] or "").strip()
        if written and resolve_version(written) is None:
            unknown[written] += 1
            continue
        rows.append(exposure_of(row, f"row {number} of the query", resolve_version, _REMEDY))
    if not rows:
        others = ", ".join(list(unknown)[:5])
        about = f"only about others ({others})" if unknown else "no row at all"
        raise IntakeError(_ATTEMPTED, f"it says nothing about a known version: {about}", _REMEDY)
    return QueriedExposure(tuple(sum_exposures(rows)), dict(unknown))
