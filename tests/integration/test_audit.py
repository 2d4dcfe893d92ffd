"""The audit log: append-only in the database itself, filled by the commands, free of text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from flows.correcting import apply_corrections
from tests.flows.seeding import seed_theme
from triage.cli import app
from triage.database import Database
from triage.errors import DatabaseError
from triage.store.audit import Action, expire_audit, load_audit, record, record_config
from triage.workspace import Workspace

NOW = datetime.now(UTC)


def insert_old(database: Database, days: int) -> None:
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO audit (at, who, action, subjects, details) "
                "VALUES (:at, 'mira', 'saw theme', ARRAY['T1'], '{}')"
            ),
            {"at": NOW - timedelta(days=days)},
        )


def carry_out(database: Database, statements: str) -> None:
    with database.session() as session:
        for statement in statements.split("; "):
            session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "SET LOCAL triage.retention = 'on'; DELETE FROM audit",
    ],
)
def test_nobody_rewrites_or_shortens_the_log(database: Database, statement: str) -> None:
    insert_old(database, days=2)
    with pytest.raises(DatabaseError, match="append-only") as caught:
        carry_out(database, statement)
    assert not isinstance(caught.value.__cause__, DBAPIError)
    with database.session() as session:
        assert [entry.who for entry in load_audit(session)] == ["mira"]


def test_retention_alone_takes_old_entries_and_never_young_ones(database: Database) -> None:
    for days in (400, 40, 2):
        insert_old(database, days)
    with database.session() as session:
        assert expire_audit(session, NOW - timedelta(days=365)) == 1
        assert expire_audit(session, NOW) == 1  # the floor of 30 days holds
        assert len(load_audit(session)) == 1


def test_a_changed_configuration_is_noted_once_by_its_parts(database: Database) -> None:
    with database.session() as session:
        for digests in ({"policy": "a", "family": "b"}, {"policy": "a", "family": "b"},
                        {"policy": "c", "family": "b"}):  # fmt: skip
            record_config(session, "triage.yaml", digests)
        found = [entry.subjects for entry in load_audit(session, action="configured")]
    assert found == [("policy", "family"), ("policy",)]


def test_entries_are_found_by_time_person_and_kind(database: Database) -> None:
    insert_old(database, days=60)
    with database.session() as session:
        record(session, "juno", Action.EXPORTED, ["/tmp/x.csv"], what="assignments", count=3)
        assert [e.who for e in load_audit(session, since=NOW - timedelta(days=1))] == ["juno"]
        assert [e.action for e in load_audit(session, who="mira")] == ["saw theme"]
        assert [e.details for e in load_audit(session, action="exp")] == [
            {"what": "assignments", "count": 3}
        ]
        assert load_audit(session, action="%") == []


@pytest.mark.usefixtures("environment")
def test_commands_note_who_saw_words_and_took_them_out_without_any_text(
    workspace: Workspace, tmp_path: Path
) -> None:
    theme_id = seed_theme(workspace.database, "the parser of commas")
    words = {"priority": "P1"}
    apply_corrections(workspace, f"T{theme_id}", words, author="mira", because="commas matter")
    run = CliRunner()
    target = tmp_path / "out.csv"
    for command in (
        ["themes"],
        ["theme", f"T{theme_id}"],
        ["trace", "the parser of commas-1"],
        ["rejected"],
        ["export", "assignments", "-o", str(target)],
    ):
        result = run.invoke(app, command)
        assert result.exit_code == 0, result.output
    listed = run.invoke(app, ["audit", "--json"])
    rows = json.loads(listed.stdout)
    seen = {"saw themes", "saw theme", "saw report", "saw rejected"}
    assert {row["action"] for row in rows} >= {"configured", "corrected", "exported", *seen}
    shown = {row["action"]: row for row in rows}
    assert shown["saw theme"]["what"] == f"T{theme_id}"
    assert shown["saw report"]["what"].startswith("#")
    assert shown["exported"]["what"] == str(target)
    assert (shown["corrected"]["who"], shown["corrected"]["what"]) == ("mira", f"T{theme_id}")
    assert "the parser of" not in listed.stdout
    assert "commas matter" not in listed.stdout
    assert "exported" in run.invoke(app, ["audit", "--action", "exported"]).stdout
    assert run.invoke(app, ["backup", str(tmp_path / "all.backup")]).exit_code == 0
    rows = json.loads(run.invoke(app, ["audit", "--action", "exported", "--json"]).stdout)
    assert str(tmp_path / "all.backup") in {row["what"] for row in rows}
