"""The command forget: somebody's words go everywhere, and it is shown that they are gone."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.auditing import whoami
from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import AsJson, errors, output, show_rows
from triage.settings import load_settings
from triage.workspace import open_workspace

if TYPE_CHECKING:
    from flows.forgetting import Forgotten

LEFT = 1  # exit codes
NOT_REACHED = 3


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(forget)


def forget(
    name: Annotated[
        str,
        typer.Argument(metavar="AUTHOR|REPORT", help="An author's name, a report's id, or #7."),
    ],
    as_author: Annotated[bool, typer.Option("--author", help="The name is an author's.")] = False,
    as_report: Annotated[bool, typer.Option("--report", help="The name is a report's.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    author: Annotated[str | None, typer.Option("--by", help="Who says so.")] = None,
    as_json: bool = AsJson,
) -> None:
    """Forget a person's reports, or one report, and prove that nothing is left.

    Removes text, vectors, an LLM's answers, quotes in themes, drafts and on GitHub, and counts; the
    next collection does not bring it back. Exit code 1 if anything is left in the database, 3 if
    GitHub could not be reached: then the issues are marked, and `triage sync --file` writes them.
    """
    prefect_environment(load_settings())
    from flows.artifacts import delete_artifacts
    from flows.forgetting import find_target
    from flows.forgetting import forget as forget_target

    kind = "author" if as_author else "report" if as_report else None
    with open_workspace() as workspace:
        target = find_target(workspace, name, kind)
        count = len(target.report_ids)
        what = "a person with" if target.author_hash is not None else "forgetting"
        if not yes:
            typer.confirm(f"This cannot be undone: {what} {count} reports. Forget?", abort=True)
        done = forget_target(workspace, target, who=author or whoami())
        artifacts = delete_artifacts(workspace.settings.home)
    _show(done, artifacts, as_json=as_json)
    if done.left:
        raise typer.Exit(LEFT)
    if done.marked:
        raise typer.Exit(NOT_REACHED)


def _show(done: Forgotten, artifacts: str, *, as_json: bool) -> None:
    rows = proof_rows(done)
    if as_json:
        values = {**asdict(done), "proof": rows, "left": done.left, "artifacts": artifacts}
        typer.echo(json.dumps(values, ensure_ascii=False, indent=2, default=str))
        return
    removed = ", ".join(f"{count} in {table}" for table, count in done.removed.items())
    output.print(f"Forgotten: {done.reports} reports. Removed: {removed or 'nothing'}.")
    show_rows(rows, as_json=False, empty="")
    if done.shared_pieces:
        errors.print(f"{done.shared_pieces} sentences stand in other people's reports, and stay.")
    if done.is_short:
        errors.print("Some texts are too short to be told from other words; their rows are gone.")
    for title, lines in (
        ("Written anew on GitHub", done.rewritten),
        ("Marked, GitHub was not reached (`triage sync --file` writes them)", done.marked),
        ("For you to see to", done.by_hand),
        ("Out of reach", (*done.out_of_reach, *([_HISTORY] if done.rewritten else []))),
        ("Prefect", (artifacts,)),
    ):
        for line in lines:
            output.print(f"{title}: {line}", soft_wrap=True, markup=False, highlight=False)


_HISTORY = (
    "earlier versions of a text on GitHub: whoever may write there can delete them under 'edited'"
)


def proof_rows(done: Forgotten) -> list[dict[str, Any]]:
    """What was searched for, in how many places, and where it was found: one row a kind."""
    rows = []
    for kind in ("text", "id", "number", "vector"):
        own = [search for search in done.proof if search.kind == kind]
        places = [f"{s.table}.{s.column} ({s.found})" for s in own if s.found]
        rows.append(
            {
                "searched for": kind,
                "tables": len({search.table for search in own}),
                "columns": len(own),
                "found": sum(search.found for search in own),
                "where": ", ".join(places),
            }
        )
    return rows
