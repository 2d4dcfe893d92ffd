"""From every released schema to this one, with data in it: nothing is lost, all of it is read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, text

from tests.integration.filling import ROWS, fill, read_rows
from triage.database import Database, alembic_config, known_revisions, make_engine, migrate
from triage.store.bonds import load_bonds
from triage.store.decisions import load_decisions, load_routes
from triage.store.intake import load_rejections, load_source_states
from triage.store.issues import load_issues
from triage.store.overview import proposal_rows, theme_rows
from triage.store.reports import load_reports, load_theme_reports
from triage.types import Verdict
from triage.workspace import Workspace

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
][::-1]
# What every version knew.
FIRST_TABLES = {"report", "theme", "theme_member", "decision", "route", "issue", "correction"}


def upgraded_to(url: URL, revision: str) -> Engine:
    """An empty database at a schema of the past."""
    engine = make_engine(url)
    config = alembic_config()
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()
    return engine


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    assert known_revisions() == REVISIONS


def test_a_database_that_is_up_to_date_is_opened_without_the_tool_for_migrations(
    environment: dict[str, str], workspace: Workspace
) -> None:
    code = (
        "import sys; from triage.workspace import open_workspace\n"
        "with open_workspace(): sys.exit('alembic' in sys.modules)"
    )
    assert str(workspace.database.engine.url.database) in environment["TRIAGE_DATABASE_URL"]
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


@pytest.mark.parametrize("revision", REVISIONS)
def test_data_of_every_released_schema_outlives_the_upgrade(
    empty_database: URL, revision: str
) -> None:
    engine = upgraded_to(empty_database, revision)
    before = fill(engine)
    assert before.keys() >= FIRST_TABLES
    engine.dispose()
    migrate(engine)
    after = read_rows(engine, list(before))
    for table, rows in before.items():
        assert len(rows) == ROWS
        assert [
            {name: new[name] for name in old} for old, new in zip(rows, after[table], strict=True)
        ] == rows, f"{table} of {revision}"
    database = Database(engine)
    with database.session() as session:
        assert [report.external_id for report in load_reports(session)] == [
            "external_id 1", "external_id 2",
        ]  # fmt: skip
        assert {theme: len(found) for theme, found in load_theme_reports(session).items()} == {
            1: 1, 2: 1,
        }  # fmt: skip
        assert load_decisions(session)[2].verdict is Verdict.FUNDAMENTAL
        assert load_routes(session)[1].capability == "capability 1"
        issue = load_issues(session)[1]
        assert issue.filed is not None
        assert issue.filed.number == 1
        assert len(theme_rows(session)) == ROWS
        assert load_rejections(session)
        assert load_source_states(session)
        proposal_rows(session, every=True)
        load_bonds(session)
    database.close()


def test_an_upgrade_that_fails_leaves_the_old_schema_whole(empty_database: URL) -> None:
    engine = upgraded_to(empty_database, REVISIONS[0])
    before = fill(engine)
    with engine.begin() as connection:  # the last migration meets a table of its name
        connection.execute(text("CREATE TABLE stage_run (unexpected int)"))
    with pytest.raises(Exception, match="stage_run"):
        migrate(engine)
    engine.dispose()
    assert read_rows(engine, list(before)) == before
    with engine.connect() as connection:
        now = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert now == REVISIONS[0]
    engine.dispose()
