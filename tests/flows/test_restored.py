"""An installation that was restored from a backup goes on as if nothing had happened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import URL

from flows.collect_reports import ingest
from flows.pipeline import run_stages
from tests.databases import as_text, created_database
from triage.backup import restore_backup, write_backup
from triage.database import Database, make_engine
from triage.store.overview import theme_rows
from triage.workspace import Workspace


def test_the_run_after_a_restore_changes_nothing(
    workspace: Workspace, environment: dict[str, str], server: URL, tmp_path: Path
) -> None:
    records = [
        {
            "id": f"r{n}",
            "author": f"person {n}",
            "body": f"The call of the search tool is cut off after {n + 2} arguments. {'x' * n}",
        }
        for n in range(8)
    ]
    path = tmp_path / "reports.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    ingest(workspace, path)
    run_stages(workspace, dry_run=True)
    with workspace.database.session() as session:
        themes = theme_rows(session)
    write_backup(workspace.settings, tmp_path / "triage.backup")
    with created_database(server, "template0") as url:
        settings = workspace.settings.model_copy(update={"database_url": SecretStr(as_text(url))})
        restore_backup(settings, tmp_path / "triage.backup")
        database = Database(make_engine(url))
        again = replace(workspace, settings=settings, database=database)
        assert ingest(again, path).unchanged == len(records)
        results = run_stages(again, dry_run=True)
        with database.session() as session:
            assert theme_rows(session) == themes
        database.close()
    assert results["embed"]["embedded"] == 0
    assert (results["theme"]["joined"], results["theme"]["new themes"]) == (0, 0)
    assert (results["decide"]["changed"], results["route"]["changed"]) == (0, 0)
