"""PostgreSQL's binary COPY: many rows at once, without a Python object for each number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlmodel import Session

from triage.errors import DatabaseError


def copy_in(
    session: Session, target: str, types: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows to ``target``, a table with its columns, in the session's transaction.

    ``types`` are the columns'. Raises ``DatabaseError``.
    """
    statement = f"COPY {target} FROM STDIN (FORMAT BINARY)".encode()
    with _cursor(session, f"Copying into {target}") as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(types))
        for row in rows:
            copy.write_row(row)


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
        raise DatabaseError(
            attempted,
            str(error).strip().partition("\n")[0],
            "What was committed stays. Check the server and its disk, then run it again.",
        ) from error
