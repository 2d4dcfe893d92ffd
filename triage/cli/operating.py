"""Commands for whoever runs it: doctor, stop, start, metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from triage.cli.auditing import whoami
from triage.cli.checks_beyond import (
    check_github,
    check_schedules,
    check_sources,
    check_staleness,
    check_stops,
)
from triage.cli.checks_here import (
    check_configuration,
    check_database,
    check_llm,
    check_model,
    check_reader,
    check_words,
)
from triage.cli.findings import Check, Finding, State, examine
from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import AsJson, errors, output, show_rows
from triage.errors import TriageError, UnknownStage
from triage.settings import Settings, load_settings
from triage.store.audit import Action, record
from triage.store.operation import LLM, STAGES, delete_stop, save_stop
from triage.workspace import Workspace, open_workspace

Stage = Annotated[str, typer.Argument(help="A stage, for example file; or llm.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (doctor, stop, start, metrics):
        app.command()(command)


def doctor(as_json: bool = AsJson) -> None:
    """Check what the product needs; every trouble comes with its remedy. Exit code 1 on trouble."""
    settings = load_settings()
    prefect_environment(settings)
    found = list(_find_all(settings))
    show_rows([finding.row() for finding in found], as_json=as_json, empty="")
    if any(finding.state is State.FAIL for finding in found):
        raise typer.Exit(1)


def _find_all(settings: Settings) -> Iterator[Finding]:
    yield from examine("configuration", lambda: check_configuration(settings))
    yield from examine("embedding model", lambda: check_model(settings))
    yield from examine("LLM", lambda: check_llm(settings))
    yield from examine("word vectors", lambda: check_words(settings))
    try:
        with open_workspace() as workspace:
            for name, check in _of_workspace(workspace).items():
                yield from examine(name, check)
    except TriageError as error:
        detail = f"{error.attempted}: {error.problem}"
        yield Finding("database", State.FAIL, detail, error.remedy)


def _of_workspace(workspace: Workspace) -> dict[str, Check]:
    checks = {
        "database": check_database,
        "reader": check_reader,
        "sources": check_sources,
        "github": check_github,
        "stopped": check_stops,
        "schedules": check_schedules,
        "stages": check_staleness,
    }
    return {name: partial(check, workspace) for name, check in checks.items()}


def stop(
    stage: Stage,
    because: Annotated[str | None, typer.Option(help="Why; kept and shown.")] = None,
    author: Annotated[str | None, typer.Option("--by", help="Who says so.")] = None,
) -> None:
    """Stop a stage: no run does its work, by the clock or by hand, until `triage start`."""
    _known(stage)
    with open_workspace() as workspace, workspace.database.session() as session:
        who = author or whoami()
        save_stop(session, stage, by=who, because=because)
        record(session, who, Action.STOPPED, [stage])
    output.print(f"{stage} is stopped. `triage start {stage}` lets it run again.", highlight=False)


def start(stage: Stage) -> None:
    """Let a stopped stage run again."""
    _known(stage)
    with open_workspace() as workspace, workspace.database.session() as session:
        was_stopped = delete_stop(session, stage)
        if was_stopped:
            record(session, whoami(), Action.STARTED, [stage])
    said = "runs again from its next time on" if was_stopped else "was not stopped"
    output.print(f"{stage} {said}.", highlight=False)


def metrics(
    path: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write them to this file instead.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve them on this port until stopped.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to serve them on.")] = "127.0.0.1",
) -> None:
    """Print metrics in Prometheus' format, without any text of a report."""
    from triage.metrics import render_metrics, serving_metrics, write_metrics

    with open_workspace() as workspace:
        if port is not None:
            with serving_metrics(workspace, host, port) as address:
                errors.print(f"Metrics: {address}  (interrupt to stop)", highlight=False)
                while True:
                    time.sleep(3600)
        elif path is not None:
            write_metrics(workspace, path)
        else:
            typer.echo(render_metrics(workspace), nl=False)


def _known(stage: str) -> None:
    if stage not in (*STAGES, LLM):
        raise UnknownStage(
            f"Looking for the stage {stage!r}",
            "there is none of this name",
            f"Use one of: {', '.join((*STAGES, LLM))}.",
        )
