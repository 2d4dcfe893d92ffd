"""`triage intake` as an operator runs it: tokens, a hard stop, and what `triage doctor` says."""

from __future__ import annotations

import concurrent.futures
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import text

from tests.integration.test_ingest import TRIAGE, triage
from tests.ports import free_port
from triage.cli.checks_beyond import check_sources
from triage.cli.findings import State
from triage.intake.app import PATH
from triage.workspace import Workspace


@contextmanager
def running(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The command, once it answers, and its address."""
    port = free_port()
    command = [sys.executable, "-c", TRIAGE, "intake", "--port", str(port), "--processes", "1"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None
            try:
                httpx.get(f"{address}/health", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process, address
    finally:
        process.kill()
        process.wait(30)


def test_what_was_accepted_survives_a_hard_stop_and_no_process_stays(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    made = triage(environment, "token", "web")
    assert made.returncode == 0
    token = made.stdout.strip()
    assert token not in (workspace.settings.home / "intake.tokens").read_text("utf-8")
    accepted: list[str] = []

    with running(environment) as (process, address):
        cleaners = psutil.Process(process.pid).children(recursive=True)

        def post(number: int) -> None:
            report = {"id": f"hard-{number}", "body": f"It hangs at attempt {number}."}
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.post(address + PATH, json=report, headers=headers, timeout=30)
            if answer.status_code == 202:
                accepted.extend(answer.json()["ids"])
            if len(accepted) == 40:
                process.send_signal(signal.SIGKILL)

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            sent = [threads.submit(post, number) for number in range(400)]
        broken = [one for one in sent if isinstance(one.exception(), httpx.TransportError)]
    assert broken
    assert len(accepted) >= 40
    with workspace.database.session() as session:
        stored = session.execute(text("SELECT external_id FROM posted_report")).scalars().all()
    assert set(accepted) <= set(stored)
    assert len(stored) == len(set(stored))
    assert psutil.wait_procs(cleaners, timeout=60)[1] == []


def test_a_polite_stop_answers_what_came(workspace: Workspace, environment: dict[str, str]) -> None:
    token = triage(environment, "token", "web").stdout.strip()
    with running(environment) as (process, address):
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(address + PATH, json={"body": "It hangs."}, headers=headers, timeout=30)
        assert answer.status_code == 202
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    with workspace.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM posted_report")).scalar_one() == 1


@pytest.mark.parametrize("command", ["intake", "listen"])
def test_a_port_in_use_is_named_before_anything_starts(
    environment: dict[str, str], command: str
) -> None:
    assert triage(environment, "token", "web").returncode == 0
    given = {**environment, "TRIAGE_GITHUB_REPOSITORY": "fennwick/next-model"}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = triage(given, command, "--port", str(port))
    assert said.returncode == 1
    assert f"127.0.0.1:{port} cannot be used" in said.stderr
    assert "choose another --port" in said.stderr
    assert "Started server" not in said.stderr


def test_the_embedded_database_stops_with_an_intake_that_is_told_to_stop(
    environment: dict[str, str], tmp_path: Path
) -> None:
    own = {**environment, "TRIAGE_HOME": str(tmp_path)}
    own.pop("TRIAGE_DATABASE_URL", None)
    assert triage(own, "token", "web").returncode == 0
    with running(own) as (process, _):
        state = tmp_path / "postgres" / "postmaster.pid"
        database = psutil.Process(int(state.read_text().splitlines()[0]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert psutil.wait_procs([database], timeout=60)[1] == []


def test_the_doctor_names_posted_reports_that_nobody_collects(workspace: Workspace) -> None:
    (well,) = check_sources(workspace)
    assert "0 posted reports wait" in well.detail
    statement = text(
        "INSERT INTO posted_report (origin, external_id, content, received_at) "
        "VALUES ('intake:web', 'p1', '{}', :then)"
    )
    with workspace.database.session() as session:
        session.execute(statement, {"then": datetime.now(UTC) - timedelta(days=2)})
    waiting, _ = check_sources(workspace)
    assert (waiting.check, waiting.state) == ("posted", State.WARN)
    assert "1 posted reports wait" in waiting.detail
    assert "triage up" in waiting.remedy
