"""Commands that follow issues and releases: sync, verify, ledger, digest, exposure, claim."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from triage.cli.auditing import whoami
from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import (
    STOPPED_HINT,
    AsJson,
    errors,
    output,
    printable,
    progress_bars,
    show_rows,
)
from triage.errors import WrongCorrection
from triage.settings import load_settings
from triage.sources.exposure import read_exposure
from triage.store.exposure import save_exposure
from triage.workspace import Workspace, open_workspace

Write = Annotated[
    bool | None, typer.Option("--file/--dry", help="Write to GitHub, or only look and plan.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (sync, verify, ledger, digest, exposure, claim):
        app.command()(command)


def sync(file: Write = None) -> None:
    """Take over what people did on our issues, then bring the issues in line. People win."""
    prefect_environment(load_settings())
    from flows.stages import run_stage
    from flows.sync_issues import sync as sync_issues

    with open_workspace() as workspace, progress_bars() as progress:
        dry_run = workspace.config.policy.dry_run if file is None else not file
        counts = run_stage(
            workspace,
            "sync",
            lambda: sync_issues(workspace, dry_run=dry_run, progress=progress),
        )
    output.print(", ".join(f"{count} {name}" for name, count in counts.items()), soft_wrap=True)


def verify(
    version: Annotated[str | None, typer.Argument(help="A released version.")] = None,
    file: Write = None,
    as_json: bool = AsJson,
) -> None:
    """Say of each theme what a release (the latest unless named) did to it, with figures."""
    prefect_environment(load_settings())
    from flows.stages import run_work
    from flows.verify_release import verify as verify_release

    with open_workspace() as workspace:
        dry_run = workspace.config.policy.dry_run if file is None else not file
        summary = run_work(
            workspace,
            "verify",
            lambda: (
                done := verify_release(workspace, version=version, dry_run=dry_run),
                done.counts,
            ),
        )
    if summary is None:
        errors.print(STOPPED_HINT)
        return
    found = summary.outcome
    rows = [
        {
            "theme": f"T{one.theme_id}",
            "verdict": one.verdict.value,
            "next check": one.next_check or "",
            "figures": "\n".join(summary.lines[one.theme_id][1:]),
        }
        for one in (found.themes if found is not None else ())
    ]
    if found is not None and not as_json:
        hints = [each.line for each in found.trades]
        hints += [each.line for each in summary.proposed]
        for line in (*found.lines, *hints):
            output.print(Text(printable(line)), soft_wrap=True)
        told = {name: n for name, n in summary.counts.items() if "tell" in name or "told" in name}
        if any(told.values()):
            said = ", ".join(f"{count} {name}" for name, count in told.items())
            output.print(f"Reporters: {said}", soft_wrap=True)
    empty = "Nothing to compare: it takes two released versions and themes."
    show_rows(rows, as_json=as_json, empty=empty)


def ledger(
    theme_id: Annotated[
        str | None, typer.Argument(metavar="THEME", help="For example T12.")
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """Show how each theme stands on each model version: reports, exposure, claims, verdicts."""
    prefect_environment(load_settings())
    from flows.ledger import ledger_table, load_ledger

    with open_workspace() as workspace, workspace.database.session() as session:
        rows = ledger_table(load_ledger(session, workspace))
    kept = [row for row in rows if theme_id is None or row["theme"] == theme_id.upper()]
    show_rows(kept, as_json=as_json, empty="No theme yet. `triage run` makes them.")


def digest(
    owner: Annotated[str | None, typer.Argument(help="A GitHub login.")] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send each owner's digest of the last week, once.")
    ] = False,
    as_json: bool = AsJson,
) -> None:
    """List what owners should know: unclaimed themes, and issues that people took over.

    With --send each owner gets the digest of the last whole week at their address in
    TRIAGE_DIGEST_TARGETS, unless they have it already.
    """
    prefect_environment(load_settings())
    from flows.ledger import digest_rows

    with open_workspace() as workspace:
        if send:
            _send_digests(workspace, owner)
            return
        rows = digest_rows(workspace, datetime.now(UTC))
    kept = [row for row in rows if owner is None or row["owner"].casefold() == owner.casefold()]
    show_rows(kept, as_json=as_json, empty="Nothing waits for an owner.")


def _send_digests(workspace: Workspace, owner: str | None) -> None:
    from flows.send_digests import load_digests, send_all

    found = load_digests(workspace, datetime.now(UTC))
    kept = [one for one in found if owner is None or one.owner.casefold() == owner.casefold()]
    counts = send_all(workspace, kept)
    output.print(", ".join(f"{count} {name}" for name, count in counts.items()), soft_wrap=True)
    if counts["failed"]:
        raise typer.Exit(1)


def exposure(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="CSV or JSONL: version, day, requests. None: ask the database."),
    ] = None,
) -> None:
    """Read request counts per version and day, from files or the configured query."""
    with open_workspace() as workspace:
        if not paths:
            _ask_exposure(workspace)
            return
        resolve = workspace.config.resolve_version
        rows = [row for path in paths for row in read_exposure(path, resolve)]
        with workspace.database.session() as session:
            stored = save_exposure(session, rows)
    output.print(f"Stored {stored} counts of requests", soft_wrap=True)


def _ask_exposure(workspace: Workspace) -> None:
    prefect_environment(workspace.settings)
    from flows.exposure import ask_exposure

    found = ask_exposure(workspace)
    output.print(f"Stored {len(found.rows)} counts of requests", soft_wrap=True)
    if found.unknown:
        named = ", ".join(list(found.unknown)[:5])
        left_out = f"Left out {sum(found.unknown.values())} rows about other models: {named}"
        output.print(Text(printable(left_out)), soft_wrap=True)


def claim(
    theme_id: Annotated[str, typer.Argument(metavar="THEME", help="For example T12.")],
    version: Annotated[str, typer.Argument(help="The version that is to mend it.")],
    because: Annotated[str, typer.Option(help="Why; kept and shown.")],
    author: Annotated[str | None, typer.Option("--by", help="Who says so.")] = None,
) -> None:
    """Take a theme for a version: the release will be judged by it."""
    prefect_environment(load_settings())
    from flows.correcting import apply_corrections

    with open_workspace() as workspace:
        name = workspace.config.resolve_version(version)
        if name is None:
            raise WrongCorrection(
                f"Claiming {theme_id}",
                f"no version is called {version}",
                "Name one of family.versions in triage.yaml.",
            )
        said = apply_corrections(
            workspace,
            theme_id,
            {"claim": name},
            author=author or whoami(),
            because=because,
        )
    for line in said:
        output.print(line, soft_wrap=True)
