"""The commands that serve: GitHub's webhooks wake a look at our issues; programs post reports."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from triage.cli.prefect_server import prefect_environment
from triage.cli.terminal import errors
from triage.errors import SettingsError
from triage.ports import expect_free
from triage.settings import load_settings
from triage.workspace import open_workspace


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(listen)
    app.command()(intake)
    app.command()(token)


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
    expect_free("Listening to GitHub", host, port)
    waker = Waker(_sync)
    waker.start()
    _exit_when_terminated()
    uvicorn.run(make_receiver(settings, repository, waker.wake), host=host, port=port)


def _exit_when_terminated() -> None:
    """Let the embedded database stop at this process's exit.

    uvicorn answers what came and then raises the signal again, which by default ends the process
    without an exit.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _sync() -> None:
    from flows.stages import run_stage
    from flows.sync_issues import sync

    with open_workspace() as workspace:
        dry_run = workspace.config.policy.dry_run
        run_stage(workspace, "sync", lambda: sync(workspace, dry_run=dry_run))


def intake(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 4290,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that clean; one a core without.")
    ] = None,
) -> None:
    """Take reports that programs post to /v1/reports; the next collection reads them."""
    import uvicorn

    from triage.intake.app import make_intake

    with open_workspace() as workspace:
        expect_free("Starting the intake", host, port)
        app = make_intake(workspace, processes=processes)
        _exit_when_terminated()
        uvicorn.run(
            app,
            host=host,
            port=port,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,  # longer than proxies keep theirs
            timeout_graceful_shutdown=30,
        )


def token(
    name: Annotated[str, typer.Argument(help="The source that uses it, such as app-feedback.")],
) -> None:
    """Make a bearer token for `triage intake`; it is shown once, and only its hash is kept."""
    from triage.intake.tokens import add_token, token_file

    path = token_file(load_settings())
    typer.echo(add_token(path, name))
    errors.print(f"Its hash stands in {path}; restart `triage intake` to let it in.")
