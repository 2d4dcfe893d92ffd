"""PostgreSQL's binary COPY: many rows at once, without a Python object for each number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlmodel import Session

from triage.errors import DatabaseError


def copy_in(
    session: Session, table: str, types: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows into a table in the session's transaction.

    ``types`` are the columns in the order of the rows' values, with PostgreSQL's name of their
    types. Raises ``DatabaseError``.
    """
    statement = f"COPY {table} ({', '.join(types)}) FROM STDIN (FORMAT BINARY)".encode()
    is_json = [kind == "jsonb" for kind in types.values()]
    with _cursor(session, f"Copying into {table}") as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(types.values()))
        for row in rows:
            copy.write_row([Jsonb(v) if j else v for v, j in zip(row, is_json, strict=True)])


def copy_new(
    session: Session, table: str, types: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """``copy_in`` for rows of which some may be there already: those stay as they are.

    It goes through a temporary table, which the connection keeps, empty between transactions.
    """
    names, staging = ", ".join(types), f"{table}_staging"
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    make = f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ({columns}) ON COMMIT DELETE ROWS"
    take_over = (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {staging} ON CONFLICT DO NOTHING"
    )
    session.execute(text(make))
    copy_in(session, staging, types, rows)
    session.execute(text(take_over))
    session.execute(text(f"TRUNCATE {staging}"))


def copy_out(
    session: Session, query: str, parameters: Sequence[Any] = ()
) -> Iterator[tuple[bytes, ...]]:
    """The rows of a query as PostgreSQL sends them in binary, as they come.

    ``query`` has ``%s`` for each parameter. Raises ``DatabaseError``.
    """
    statement = f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode()
    with (
        _cursor(session, "Copying out of the database") as cursor,
        cursor.copy(statement, parameters) as copy,
    ):
        yield from copy.rows()


@contextmanager
def _cursor(session: Session, attempted: str) -> Iterator[psycopg.Cursor[Any]]:
    connection: Any = session.connection().connection.driver_connection
    try:
        with connection.cursor() as cursor:
            yield cursor
    except psycopg.Error as error:
        problem = str(error).strip().partition("\n")[0]
        # the lines after the first quote the row that failed, which must not get into a log
        raise DatabaseError(
            attempted,
            problem,
            "What was committed stays. Check the server and its disk, then run it again.",
        ) from psycopg.DatabaseError(f"{type(error).__name__}: {problem}")
