"""The Prefect server of one machine: its environment, its process, its state file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from triage.cli.terminal import output
from triage.errors import TriageError
from triage.ports import expect_free
from triage.settings import Settings

if TYPE_CHECKING:  # only `triage up` needs a web framework
    from triage.pageserver import ServedPage

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 30
PAGE_URL = "TRIAGE_PAGE_URL"


class PrefectServerError(TriageError):
    """The Prefect server did not start."""


def prefect_environment(settings: Settings) -> None:
    """Keep Prefect's files below TRIAGE_HOME and its telemetry off; call before importing it."""
    if "PREFECT_HOME" not in os.environ:
        folder = settings.home / "prefect"
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["PREFECT_HOME"] = str(folder)
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "INFO")


def is_serving(settings: Settings) -> bool:
    """Whether a Prefect server should see this run: one is configured, or `triage up` runs."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    try:
        state = json.loads(_state_file(settings).read_text())
        url, page_url = state["api_url"], state["page_url"]
    except (OSError, ValueError, KeyError):
        return False
    if not _is_healthy(url):
        return False
    os.environ["PREFECT_API_URL"] = url
    os.environ.setdefault(PAGE_URL, page_url)
    return True


def serve_all(
    settings: Settings, open_page: Callable[[], ServedPage], *, host: str, port: int
) -> None:
    """Start the server, then serve page and deployments until interrupted; all end together."""
    api_url = f"http://{host}:{port}/api"
    expect_free("Starting the Prefect server", host, port)
    page = open_page()
    os.environ["PREFECT_API_URL"] = api_url
    # On another port than 4200 the UI looks for its server in the wrong place without this.
    os.environ["PREFECT_UI_API_URL"] = api_url
    os.environ.setdefault(PAGE_URL, page.url)  # for the runs to link
    log = settings.home / "prefect-server.log"
    state = _state_file(settings)
    with log.open("ab") as stream:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "prefect",
                "server",
                "start",
                "--host",
                host,
                "--port",
                str(port),
            ],
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        _wait_until_healthy(server, api_url, log)
        page.start()
        told = {"api_url": api_url, "page_url": os.environ[PAGE_URL], "pid": server.pid}
        state.write_text(json.dumps(told))
        output.print(f"Prefect UI:  http://{host}:{port}  (interrupt to stop)", soft_wrap=True)
        output.print(f"Report page: {page.url}", soft_wrap=True)
        from flows.deployments import serve_deployments
        from flows.write_report import keep_first_page

        keep_first_page()
        serve_deployments()
    finally:
        state.unlink(missing_ok=True)
        page.stop()
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Politely, and after half a minute for good: it must not outlive us."""
    server.terminate()
    try:
        server.wait(timeout=STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], api_url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if _is_healthy(api_url):
            return
        time.sleep(0.5)
    raise PrefectServerError(
        "Starting the Prefect server",
        f"it did not answer at {api_url}",
        f"Read {log}.",
    )


def _is_healthy(api_url: str) -> bool:
    try:
        return requests.get(f"{api_url}/health", timeout=2).ok
    except requests.RequestException:
        return False


def _state_file(settings: Settings) -> Path:
    return settings.home / "prefect-server.json"
