"""The command that receives GitHub's webhooks: each one wakes a look at our issues."""

from __future__ import annotations

from typing import Annotated

import typer

from triage.cli.prefect_server import prefect_environment
from triage.errors import SettingsError
from triage.settings import load_settings
from triage.workspace import open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(listen)


def listen(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 4280,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Receive GitHub's webhooks at /github and sync at once, instead of by the clock only."""
    import uvicorn

    from triage.receiver import Waker, make_receiver

    settings = load_settings()
    prefect_environment(settings)
    with open_workspace() as workspace:
        repository = workspace.repository
    if repository is None:
        raise SettingsError(
            "Listening to GitHub", "no repository is set", "Set TRIAGE_GITHUB_REPOSITORY."
        )
    waker = Waker(_sync)
    waker.start()
    uvicorn.run(make_receiver(settings, repository, waker.wake), host=host, port=port)


def _sync() -> None:
    from flows.stages import run_stage
    from flows.sync_issues import sync

    with open_workspace() as workspace:
        dry_run = workspace.config.policy.dry_run
        run_stage(workspace, "sync", lambda: sync(workspace, dry_run=dry_run))
