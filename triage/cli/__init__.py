"""The command line: ``triage``. The same functions as the flows, shown in a terminal.

Exit codes: 0 done, 1 could not be done (the message says why and what to do), 2 wrong usage,
3 done, but a source could not be read, 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from triage import __version__
from triage.cli import (
    auditing,
    correcting,
    exporting,
    following,
    forgetting,
    keeping,
    listing,
    operating,
    proposing,
    receiving,
    running,
    training,
    working,
)
from triage.cli.terminal import errors
from triage.errors import TriageError

app = typer.Typer(
    name="triage",
    help="From production feedback on a language model to GitHub issues for its next version.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for module in (
    running,
    listing,
    correcting,
    proposing,
    following,
    exporting,
    operating,
    keeping,
    receiving,
    training,
    working,
    auditing,
    forgetting,
):
    module.register(app)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        typer.echo(f"feedback-triage {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; an expected error becomes one readable message and exit code 1."""
    try:
        app()
    except TriageError as error:
        errors.print(f"[bold red]{error.attempted}[/]", highlight=False)
        errors.print(f"  {error.problem}", markup=False, highlight=False)
        errors.print(f"  {error.remedy}", markup=False, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("Interrupted. What was stored stays; run it again to go on.")
        sys.exit(130)
