"""Commands that keep the data: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage.backup import restore_backup, write_backup
from triage.cli.auditing import note_export
from triage.cli.terminal import errors, output
from triage.settings import load_settings
from triage.store.installing import count_rows
from triage.workspace import KEY_FILE, open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (backup, restore):
        app.command()(command)


def backup(
    path: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")],
) -> None:
    """Write the whole database to a file; stages may run meanwhile."""
    settings = load_settings()
    size = write_backup(settings, path)
    with open_workspace() as workspace:
        with workspace.database.session() as session:
            reports = count_rows(session)
        note_export(workspace, "backup", path, reports)  # `triage forget` names it later
    output.print(f"Wrote {path}, {size / 1e6:.1f} MB.", soft_wrap=True, highlight=False)
    if settings.hash_key is None:
        key = settings.home / KEY_FILE
        errors.print(f"Keep a copy of {key} apart from it: a restore needs it.", soft_wrap=True)


def restore(
    path: Annotated[Path, typer.Argument(help="A file of `triage backup`.", metavar="FILE")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if the database holds reports; they are lost.")
    ] = False,
) -> None:
    """Fill the database from a backup, of this version or an older one, and go on from there."""
    restore_backup(load_settings(), path, replace=replace)
    with open_workspace():
        pass  # another installation's hash key shows now, with what to do
    output.print("Restored. The next run goes on from there.", highlight=False)
