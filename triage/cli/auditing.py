"""The command audit, and what other commands note: who saw reporters' words and took them out."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.cli.terminal import AsJson, show_rows
from triage.store.audit import Action, load_audit, record
from triage.workspace import Workspace, open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(audit)


def whoami() -> str:
    """The login of this machine, ``unknown`` where it has none (a container's bare user id)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def note(
    workspace: Workspace, action: Action, subjects: Iterable[str] = (), **details: Any
) -> None:
    """Add to the audit log what the person at this terminal does."""
    with workspace.database.session() as session:
        record(session, whoami(), action, subjects, **details)


def note_export(workspace: Workspace, what: str, target: Path, count: int) -> None:
    """Note that words or ids left the database for a file."""
    path = str(target.resolve())
    note(workspace, Action.EXPORTED, [path], what=what, count=count)


def audit(
    days: Annotated[int | None, typer.Option(min=1, help="Only of the last so many days.")] = None,
    who: Annotated[str | None, typer.Option(help="Only by this person.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Only what begins so: saw, exported, corrected, forgot …")
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """List who saw and changed what: ids and counts, never a report's text."""
    with open_workspace() as workspace, workspace.database.session() as session:
        since = datetime.now(UTC) - timedelta(days=days) if days is not None else None
        rows = [
            {
                "when": f"{entry.at:%Y-%m-%d %H:%M:%S}",
                "who": entry.who,
                "action": entry.action,
                "what": ", ".join(entry.subjects),
                "details": ", ".join(
                    f"{name} {value}"
                    for name, value in sorted(entry.details.items())
                    if entry.action != Action.CONFIGURED
                ),
            }
            for entry in load_audit(session, since=since, who=who, action=action)
        ]
    show_rows(rows, as_json=as_json, empty="Nothing was seen or changed yet.")
