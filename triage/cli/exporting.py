"""Commands that write files (export assignments, export probes, report), and probe-results."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from triage.cli.auditing import note_export
from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import output
from triage.errors import IntakeError
from triage.probes import ProbeFormat, probe_line, read_outcomes, tally
from triage.settings import load_settings
from triage.store.assignments import Assignment, load_assignments
from triage.store.probes import ProbeResult, load_probes, save_probe_results
from triage.store.themes import load_theme
from triage.workspace import open_workspace

Target = Annotated[Path, typer.Option("-o", "--output", help="The file to write.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands below ``export``."""
    export = typer.Typer(help="Write what was found for other tools.", no_args_is_help=True)
    export.command()(assignments)
    export.command()(probes)
    app.add_typer(export, name="export")
    app.command()(probe_results)
    app.command()(report)


def assignments(
    target: Target,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")] = False,
    core: Annotated[
        bool, typer.Option("--core", help="Only what counts for a theme: no loose reports in it.")
    ] = False,
) -> None:
    """Write one row per report: id, theme_id, verdict, capability, owner, issue_url."""
    with open_workspace() as workspace:
        with workspace.database.session() as session:
            rows = [asdict(row) for row in load_assignments(session, core_only=core)]
        note_export(workspace, "assignments", target, len(rows))
    with target.open("w", encoding="utf-8", newline="") as stream:
        if as_json:
            json.dump(rows, stream, ensure_ascii=False, indent=2)
        else:
            writer = csv.DictWriter(stream, [field.name for field in fields(Assignment)])
            writer.writeheader()
            writer.writerows(rows)
    output.print(f"Wrote {len(rows)} rows to {target}", soft_wrap=True)


def probes(
    target: Target,
    layout: Annotated[
        ProbeFormat, typer.Option("--format", help="Whose samples to write.")
    ] = ProbeFormat.INSPECT,
    theme_id: Annotated[
        str | None, typer.Option("--theme", help="Only this theme's, such as T12.")
    ] = None,
) -> None:
    """Write the prompts that showed a theme's failure, as an evaluation set (JSONL)."""
    with open_workspace() as workspace:
        with workspace.database.session() as session:
            found = load_probes(session)
        kept = [probe for probe in found if theme_id is None or probe.theme == theme_id.upper()]
        note_export(workspace, "probes", target, len(kept))
    with target.open("w", encoding="utf-8") as stream:
        for probe in kept:
            stream.write(json.dumps(probe_line(probe, layout), ensure_ascii=False) + "\n")
    output.print(f"Wrote {len(kept)} probes to {target}", soft_wrap=True)


def probe_results(
    paths: Annotated[list[Path], typer.Argument(help="JSONL: id, theme, passed.")],
    version: Annotated[str, typer.Option(help="The version that was evaluated.")],
) -> None:
    """Read what probes found on a version; several lines with one id are several runs."""
    with open_workspace() as workspace:
        resolve = workspace.config.resolve_version
        exact = resolve(version)
        if exact is None:
            raise IntakeError(
                f"Reading results on {version}",
                "no version is called so",
                "Name one of family.versions in triage.yaml.",
            )
        outcomes = [one for path in paths for one in read_outcomes(path, exact, resolve)]
        with workspace.database.session() as session:
            results = [
                ProbeResult(load_theme(session, theme).theme_id, on, probe, runs, failures)
                for (theme, on, probe), (runs, failures) in tally(outcomes).items()
            ]
            stored = save_probe_results(session, results)
    output.print(f"Stored {len(outcomes)} runs of {stored} probes", soft_wrap=True)


def report(
    target: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path(
        "triage-report.html"
    ),
) -> None:
    """Write the state of all themes as one self-contained HTML page."""
    prefect_environment(load_settings())
    from flows.write_report import draft_report

    with open_workspace() as workspace:
        html, _ = draft_report(workspace, now=datetime.now(UTC))
        target.write_text(html, encoding="utf-8")
        note_export(workspace, "report", target, 1)
    output.print(f"Wrote {target.resolve()}", soft_wrap=True)
