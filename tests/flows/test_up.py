"""`triage up`: one command starts server, UI and schedules; an interrupt ends all of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.ports import free_port

ANSWER_SECONDS = 60  # a server whose machine is busy answers late
UP = "from triage.cli import main; main()"
DEPLOYMENTS = {
    "collect_reports", "embed_reports", "update_themes", "decide_themes", "route_themes",
    "recluster_themes", "file_issues", "learn_from_corrections", "sync_issues", "verify_release",
    "pipeline", "raise_alarm", "write_report", "send_digests", "expire_texts",
}  # fmt: skip


def _hear_interrupts() -> None:
    """A shell lets what it starts in the background ignore them, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(environment: dict[str, str], port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", UP, "up", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_hear_interrupts,
    )


@pytest.fixture
def running(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    for name in [name for name in environment if name.startswith("PREFECT_")]:
        del environment[name]
    port = free_port(following=1)  # the report page is on the next one
    process = start(environment, port)
    yield process, port
    for child in (
        psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    ):
        child.kill()
    process.kill()
    process.wait()


def deployments(port: int) -> list[dict[str, Any]]:
    try:
        url = f"http://127.0.0.1:{port}/api/deployments/filter"
        response = requests.post(url, json={}, timeout=ANSWER_SECONDS)
    except requests.RequestException:
        return []
    return list(response.json()) if response.ok else []


def expect_alarm_of_a_failed_run(port: int, environment: dict[str, str]) -> None:
    """A run that fails starts the alarm, which leaves its artifact."""
    api = f"http://127.0.0.1:{port}/api"
    (automation,) = requests.post(
        f"{api}/automations/filter", json={}, timeout=ANSWER_SECONDS
    ).json()
    assert automation["name"] == "triage: a stage failed"
    (filing,) = [each for each in deployments(port) if each["name"] == "file_issues"]
    deadline = time.monotonic() + 60
    while True:  # a busy server may say that its database is locked
        started = requests.post(
            f"{api}/deployments/{filing['id']}/create_flow_run",
            json={"name": "file_issues"},
            timeout=ANSWER_SECONDS,
        )
        if started.ok or time.monotonic() > deadline:
            break
        time.sleep(1)
    run = started.json()["id"]
    failed = {"type": "FAILED", "name": "Failed", "message": "as a test"}
    requests.post(
        f"{api}/flow_runs/{run}/set_state",
        json={"state": failed, "force": True},
        timeout=ANSWER_SECONDS,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = requests.get(f"{api}/artifacts/alarm/latest", timeout=ANSWER_SECONDS)
        if found.ok:
            assert "file_issues: failed" in found.json()["data"]
            break
        time.sleep(1)
    else:
        raise AssertionError("no alarm was raised")
    # a stop waits for what runs: let the alarm's own run end first
    while any_runs(api) and time.monotonic() < deadline:
        time.sleep(1)


def any_runs(api: str) -> bool:
    states = {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}}
    return bool(
        requests.post(f"{api}/flow_runs/filter", json=states, timeout=ANSWER_SECONDS).json()
    )


def test_it_serves_every_flow_on_its_schedule_and_ends_without_leftovers(
    running: tuple[subprocess.Popen[str], int], environment: dict[str, str]
) -> None:
    process, port = running
    deadline = time.monotonic() + 150
    while len(deployments(port)) < len(DEPLOYMENTS) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(1)
    found = {each["name"]: each for each in deployments(port)}
    assert set(found) == DEPLOYMENTS
    assert found["collect_reports"]["schedules"][0]["schedule"]["cron"] == "0 * * * *"
    assert found["pipeline"]["schedules"] == []
    limit = requests.get(
        f"http://127.0.0.1:{port}/api/v2/concurrency_limits/github", timeout=ANSWER_SECONDS
    ).json()
    assert limit["limit"] == 1

    expect_alarm_of_a_failed_run(port, environment)
    page = requests.get(f"http://127.0.0.1:{port + 1}/", timeout=ANSWER_SECONDS)
    assert "in the world" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]

    second = start(environment, port)
    said = second.communicate(timeout=60)[0]
    assert second.returncode == 1
    assert f"127.0.0.1:{port} cannot be used" in " ".join(said.split())
    assert "another --port" in " ".join(said.split())

    state = Path(environment["TRIAGE_HOME"]) / "prefect-server.json"
    assert state.exists()
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=150)
    assert process.returncode in (0, 130)
    _, alive = psutil.wait_procs(children, timeout=ANSWER_SECONDS)
    assert alive == []
    assert not state.exists()
