"""Commands about what a full clustering suggests: recluster, proposals, proposal."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from triage.cli.auditing import whoami
from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import AsJson, errors, output, printable, progress_bars
from triage.settings import load_settings
from triage.store.bonds import load_bonds
from triage.store.overview import proposal_rows, proposal_words
from triage.themes import standing
from triage.types import Bond
from triage.workspace import open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (recluster, proposals, proposal):
        app.command()(command)


def recluster(
    dry: Annotated[bool, typer.Option("--dry", help="Only say what would be done.")] = False,
) -> None:
    """Cluster everything anew: put right what is clear, propose the merges and splits that are not.

    `triage run` does so by itself whenever the reports grew by a tenth.
    """
    prefect_environment(load_settings())
    from flows.advising import ask_llm_about_themes
    from flows.recluster_themes import recluster as recluster_all

    with open_workspace() as workspace, progress_bars() as progress:
        done = recluster_all(workspace, dry_run=dry, progress=progress)
        if not dry:
            done.counts.update(ask_llm_about_themes(workspace, progress=progress))
    for change in done.changes:
        made = "would be made" if dry else "made"
        state = made if change.hindrance is None else f"proposed ({change.hindrance})"
        output.print(Text(printable(f"{proposal_words(change)}: {state}")), soft_wrap=True)
    said = ", ".join(f"{count} {name}" for name, count in done.counts.items())
    output.print(f"{'would be: ' if dry else ''}{said}", soft_wrap=True, highlight=False)


def proposals(
    every: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    as_json: bool = AsJson,
) -> None:
    """List merges and splits of themes that wait for a person, and people's words that clash."""
    with open_workspace() as workspace, workspace.database.session() as session:
        rows = proposal_rows(session, every=every)
        overruled = standing(load_bonds(session))[1]
    clashes = [_clash(older, later) for older, later in overruled]
    if as_json:
        found = {"proposals": rows, "overruled": clashes}
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    if not rows:
        errors.print("No proposal waits.")
    for row in rows:
        for line in _lines(row):
            output.print(Text(printable(line)), soft_wrap=True)
    for clash in clashes:
        output.print(Text(printable(clash)), soft_wrap=True)


def proposal(
    number: Annotated[int, typer.Argument(help="As `triage proposals` lists it.")],
    because: Annotated[str, typer.Option(help="Why; kept and shown.")],
    accept: Annotated[
        bool, typer.Option("--accept/--decline", help="Do it, or never propose it again.")
    ],
    author: Annotated[str | None, typer.Option("--by", help="Who says so.")] = None,
) -> None:
    """Answer a proposal. Your word holds: no later clustering undoes it."""
    prefect_environment(load_settings())
    from flows.decide_themes import decide_all
    from flows.proposals import answer_proposal
    from flows.route_themes import route_all

    with open_workspace() as workspace:
        who = author or whoami()
        said = answer_proposal(workspace, number, accept=accept, author=who, because=because)
        decide_all(workspace)
        route_all(workspace)
    output.print(said, soft_wrap=True)


def _lines(row: dict[str, Any]) -> list[str]:
    answered = f" by {row['answered by']}: {row['because']}" if row["answered by"] else ""
    state = "" if row["state"] == "open" else f" [{row['state']}{answered}]"
    lines = [f"{row['number']:4}  {row['proposal']}{state}", f"      {row['why']}"]
    lines += [f"      waits: {row['waits because']}"] if row["waits because"] else []
    return lines + ([f"      {row['advice']}"] if row["advice"] else [])


def _clash(older: Bond, later: Bond) -> str:
    return f"{_word(older)} no longer holds: {_word(later)} is the later word on the same reports"


def _word(bond: Bond) -> str:
    who = bond.said_by or "somebody"
    return (
        f"T{bond.left_theme} and T{bond.right_theme} {bond.kind.value} "
        f"({who}, {bond.said_at:%Y-%m-%d})"
    )
