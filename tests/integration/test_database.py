"""The database: started on demand, migrated once, shared, and alive after crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import URL, text

from tests.databases import as_text, run_sql, stop_server
from triage.database import Database, alembic_config, make_engine, open_database, server_url
from triage.errors import DatabaseError
from triage.settings import Settings

OPEN = """
from triage.database import open_database
from triage.settings import load_settings
from sqlalchemy import text
database = open_database(load_settings())
with database.session() as session:
    print(session.execute(text("SELECT count(*) FROM report")).scalar_one(), flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose server this process starts; it is stopped at the end."""
    yield tmp_path
    stop_server(tmp_path)


def _start(home: Path, code: str = OPEN) -> subprocess.Popen[str]:
    environment = {**os.environ, "TRIAGE_HOME": str(home)}
    environment.pop("TRIAGE_DATABASE_URL", None)
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )


def _postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def test_four_processes_start_one_new_embedded_database_at_once(tmp_path: Path) -> None:
    processes = [_start(tmp_path) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert [output.strip() for output in outputs] == ["0"] * 4


def test_the_embedded_server_stops_with_its_last_client_even_after_a_killed_one(
    tmp_path: Path,
) -> None:
    killed = _start(tmp_path, OPEN + "import time\ntime.sleep(60)")
    assert killed.stdout is not None
    assert killed.stdout.readline().strip() == "0"
    pid = _postmaster(tmp_path)
    killed.kill()
    killed.wait()
    assert psutil.pid_exists(pid)
    assert _start(tmp_path).communicate(timeout=120)[0].strip() == "0"
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)


def test_the_embedded_server_comes_back_after_it_was_killed(home: Path) -> None:
    settings = Settings(home=home, database_url=None)
    database = open_database(settings)
    with database.session() as session:
        session.execute(text("INSERT INTO source_cursor (origin) VALUES ('kept')"))
    os.kill(_postmaster(home), signal.SIGKILL)
    again = open_database(settings)
    with again.session() as session:
        kept = session.execute(text("SELECT origin FROM source_cursor")).scalar_one()
    assert kept == "kept"
    again.close()
    database.close()


def test_the_models_and_the_migrations_agree(database_url: URL) -> None:
    engine = make_engine(database_url)
    config = alembic_config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)  # raises on any difference
        tables = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        ).scalar_one()
    engine.dispose()
    assert tables > 10


def test_the_migration_can_be_taken_back(database_url: URL) -> None:
    engine = make_engine(database_url)
    config = alembic_config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        left = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        assert set(left) == {"alembic_version"}
    engine.dispose()


def test_a_server_without_pgvector_is_told_what_to_install(home: Path) -> None:
    # PostgreSQL 18, the embedded one, looks for extensions along a path; an empty one hides them.
    url = server_url(Settings(home=home, database_url=None))
    run_sql(url, "ALTER DATABASE postgres SET extension_control_path = '/nowhere'")
    with pytest.raises(DatabaseError, match=r"lacks the extension pgvector.*apt-get install"):
        open_database(Settings(database_url=SecretStr(as_text(url))))


def test_a_schema_of_a_newer_version_is_refused(database_url: URL) -> None:
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="revision 9999, which this version does not know"):
        open_database(Settings(database_url=SecretStr(as_text(database_url))))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://u@h/d", "mysql is not supported"),
        ("not a url", "it is not a database URL"),
    ],
)
def test_a_wrong_url_is_refused_without_showing_it(url: str, problem: str) -> None:
    with pytest.raises(DatabaseError, match=problem):
        server_url(Settings(database_url=SecretStr(url)))


def test_an_unreachable_server_is_named_without_its_password() -> None:
    url = SecretStr("postgresql://someone:hidden-word@127.0.0.1:1/feedback")
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1") as caught:
        open_database(Settings(database_url=url))
    assert "hidden-word" not in str(caught.value)


def test_one_process_at_a_time_runs_a_stage(database: Database) -> None:
    with database.stage_lock("theme"), database.session() as session:
        taken = text(
            "SELECT pg_try_advisory_lock(classid::int, objid::int) FROM pg_locks "
            "WHERE locktype = 'advisory' AND objsubid = 2"
        )
        assert session.execute(taken).scalars().first() is False
    with database.session() as session:
        held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert session.execute(held).scalar_one() == 0
