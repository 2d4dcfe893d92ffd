"""Commands that write files for other tools: export assignments, export probes."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated

import typer

from triage.cli.terminal import output
from triage.store.assignments import Assignment, load_assignments
from triage.workspace import open_workspace

Target = Annotated[Path, typer.Option("-o", "--output", help="The file to write.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands below ``export``."""
    export = typer.Typer(help="Write what was found for other tools.", no_args_is_help=True)
    export.command()(assignments)
    app.add_typer(export, name="export")


def assignments(
    target: Target,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")] = False,
) -> None:
    """Write one row per report: id, theme_id, verdict, capability, owner, issue_url."""
    with open_workspace() as workspace, workspace.database.session() as session:
        rows = [asdict(row) for row in load_assignments(session)]
    with target.open("w", encoding="utf-8", newline="") as stream:
        if as_json:
            json.dump(rows, stream, ensure_ascii=False, indent=2)
        else:
            writer = csv.DictWriter(stream, [field.name for field in fields(Assignment)])
            writer.writeheader()
            writer.writerows(rows)
    output.print(f"Wrote {len(rows)} rows to {target}", soft_wrap=True)
