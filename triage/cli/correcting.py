"""The command by which a person outranks the machine: correct."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from triage.cli.auditing import whoami
from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import output
from triage.corrections import REMOVED_OWNER
from triage.errors import WrongCorrection
from triage.settings import load_settings
from triage.types import Priority, Verdict
from triage.workspace import open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(correct)


def correct(
    theme_id: Annotated[str, typer.Argument(metavar="THEME", help="For example T12.")],
    because: Annotated[str, typer.Option(help="Why; kept and shown.")],
    verdict: Annotated[Verdict | None, typer.Option(help="The right verdict.")] = None,
    capability: Annotated[str | None, typer.Option(help="The right capability's id.")] = None,
    owner: Annotated[str | None, typer.Option(help="A GitHub login.")] = None,
    not_owner: Annotated[
        str | None, typer.Option(help="A GitHub login that is never asked about it again.")
    ] = None,
    priority: Annotated[Priority | None, typer.Option(help="The right priority.")] = None,
    merge_into: Annotated[str | None, typer.Option(help="The theme it is the same as.")] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="A report that is another failure; repeatable.")
    ] = None,
    not_a_problem: Annotated[bool, typer.Option(help="Set the theme aside.")] = False,
    sensitive: Annotated[
        bool | None,
        typer.Option("--sensitive/--not-sensitive", help="Whether its words may be shown outside."),
    ] = None,
    author: Annotated[str | None, typer.Option("--by", help="Who says so.")] = None,
) -> None:
    """Correct the machine. Your word holds: no later run overwrites it."""
    prefect_environment(load_settings())
    words: dict[str, str] = {
        field: value
        for field, value in (
            ("verdict", verdict),
            ("capability", capability),
            ("owner", owner),
            (REMOVED_OWNER, not_owner),
            ("priority", priority),
            ("merge-into", merge_into),
            ("split", json.dumps(split) if split else ""),
            ("not-a-problem", "yes" if not_a_problem else ""),
            ("sensitive", "" if sensitive is None else "yes" if sensitive else "no"),
        )
        if value
    }
    if not words:
        raise WrongCorrection(
            f"Correcting {theme_id}",
            "nothing to correct was named",
            "Give --verdict, --capability, --owner, --not-owner, --priority, --merge-into, "
            "--split, --not-a-problem, --sensitive or --not-sensitive.",
        )
    from flows.correcting import apply_corrections, take_effect

    with open_workspace() as workspace:
        said = apply_corrections(
            workspace, theme_id, words, author=author or whoami(), because=because
        )
        take_effect(workspace)
    for line in said:
        output.print(line, soft_wrap=True)
