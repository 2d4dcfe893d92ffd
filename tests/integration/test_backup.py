"""Backup and restore: whole or not at all, of older versions too, and never over data unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, text

from tests.databases import as_text, created_database, run_sql
from tests.flows.seeding import seed_theme
from triage import backup as backup_module
from triage.backup import restore_backup, write_backup
from triage.database import Database, make_engine
from triage.errors import BackupError
from triage.settings import Settings
from triage.store.reports import count_reports, load_reports
from triage.store.themes import load_themes


def settings_of(url: URL, home: Path) -> Settings:
    return Settings(home=home, database_url=SecretStr(as_text(url)))


@pytest.fixture
def filled(database: Database, database_url: URL, tmp_path: Path) -> Settings:
    """An installation with two themes of four reports each."""
    for name in ("parser", "memory"):
        seed_theme(database, name)
    return settings_of(database_url, tmp_path)


def test_a_restored_database_holds_what_was_backed_up_and_numbers_on(
    filled: Settings, database: Database, server: URL, tmp_path: Path
) -> None:
    path = tmp_path / "kept" / "triage.backup"
    assert write_backup(filled, path) == path.stat().st_size
    assert path.stat().st_mode & 0o077 == 0
    with database.session() as session:
        themes, reports = load_themes(session), load_reports(session)
    with created_database(server, "template0") as url:
        restore_backup(settings_of(url, tmp_path), path)
        again = Database(make_engine(url))
        with again.session() as session:
            assert load_themes(session) == themes
            assert load_reports(session) == reports
        assert seed_theme(again, "third") > max(theme.theme_id for theme in themes)
        again.close()


def test_data_is_replaced_only_when_told_to(
    filled: Settings, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "triage.backup"
    write_backup(filled, path)
    seed_theme(database, "later")
    with pytest.raises(BackupError, match=r"holds 12 reports already.*--replace"):
        restore_backup(filled, path)
    database.close()
    restore_backup(filled, path, replace=True)
    with database.session() as session:
        assert count_reports(session) == 8


def test_a_damaged_backup_changes_nothing(
    filled: Settings, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "triage.backup"
    write_backup(filled, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    database.close()
    with pytest.raises(BackupError):
        restore_backup(filled, path, replace=True)
    path.write_text("no backup at all")
    with pytest.raises(BackupError):
        restore_backup(filled, path, replace=True)
    with pytest.raises(BackupError, match="no such file"):
        restore_backup(filled, tmp_path / "missing")
    with database.session() as session:
        assert count_reports(session) == 8


def test_a_newer_versions_backup_is_refused_before_anything_is_dropped(
    filled: Settings,
    database: Database,
    database_url: URL,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "triage.backup"
    with database.session() as session:
        head = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with monkeypatch.context() as patched:  # else the backup itself would refuse the schema
        patched.setattr(backup_module, "open_database", lambda settings: database)
        write_backup(filled, path)
    run_sql(database_url, f"UPDATE alembic_version SET version_num = '{head}'")
    with pytest.raises(BackupError, match="revision 9999, which this version does not know"):
        restore_backup(filled, path, replace=True)
    with database.session() as session:
        assert count_reports(session) == 8


def test_a_missing_client_is_named_with_what_to_install(
    filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "_shipped", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match=r"pg_dump.*postgresql-client"):
        write_backup(filled, tmp_path / "triage.backup")


def test_no_password_is_in_the_arguments_of_a_program(
    filled: Settings, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    original = backup_module._run

    def note(attempted: str, command: list[str], environment: dict[str, str]) -> str:
        seen.append(command)
        return original(attempted, command, environment)

    monkeypatch.setattr(backup_module, "_run", note)
    url = SecretStr(as_text(database_url.set(password="hidden-word")))
    write_backup(filled.model_copy(update={"database_url": url}), tmp_path / "triage.backup")
    assert seen
    assert not any("hidden-word" in part for command in seen for part in command)
