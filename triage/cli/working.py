"""The command of machines that work for a Prefect server elsewhere: work."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from triage.cli.prefect_server import PrefectServerError, is_serving, prefect_environment
from triage.cli.terminal import output
from triage.settings import load_settings
from triage.workspace import open_workspace

POOL = "triage"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(work)


def work(
    pool: Annotated[str, typer.Option(help="The work pool, made if need be.")] = POOL,
    limit: Annotated[int, typer.Option(min=1, help="Flow runs at a time on this machine.")] = 2,
) -> None:
    """Put the schedules into a work pool of the Prefect server and work for it, until stopped.

    Any number of machines may do so; all of them share one database.
    """
    settings = load_settings()
    prefect_environment(settings)
    if not is_serving(settings):
        raise PrefectServerError(
            "Looking for the Prefect server",
            "none is named, and none runs here",
            "Set PREFECT_API_URL to its address, for example http://server:4200/api.",
        )
    with open_workspace():
        pass  # a wrong configuration or database shows now, not at the first scheduled run
    from flows.deployments import register_deployments

    register_deployments(pool)
    output.print(f"Working for the pool {pool} (interrupt to stop)", highlight=False)
    arguments = ["worker", "start", "--pool", pool, "--type", "process", "--limit", str(limit)]
    # The worker takes this process' place, so that signals reach it.
    os.execv(sys.executable, [sys.executable, "-m", "prefect", *arguments, "--with-healthcheck"])
