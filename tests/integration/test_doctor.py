"""The doctor: every check finds what it is there for, and says what to do about it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from flows.alarms import make_alarm_deployment
from flows.deployments import FLOWS, make_deployments
from flows.raise_alarm import describe_failures, send_alarm
from flows.stages import run_stage
from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.cli import app
from triage.cli.checks_beyond import (
    check_github,
    check_schedules,
    check_sources,
    check_staleness,
    check_stops,
)
from triage.cli.checks_here import check_clock, check_database
from triage.cli.findings import Finding, State, examine
from triage.config.loader import load_config
from triage.config.model import GitHubSource
from triage.errors import EmbeddingError
from triage.sending import SendingError
from triage.store.intake import save_cursor, save_source_error
from triage.store.operation import save_stop
from triage.tracker.rights import clock_ahead_seconds
from triage.workspace import Workspace

Answer = tuple[int, Any]


@contextmanager
def answering(answer: Callable[[str, Any], Answer]) -> Iterator[str]:
    """A server that answers each POST with what ``answer`` makes of path and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(answer(self.path, None))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._send(answer(self.path, json.loads(body)))

        def _send(self, reply: Answer) -> None:
            data = json.dumps(reply[1]).encode()
            self.send_response(reply[0])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def states(findings: Iterator[Finding]) -> dict[str, State]:
    return {finding.check: finding.state for finding in findings}


def test_the_whole_examination_has_a_line_for_everything(environment: dict[str, str]) -> None:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    rows = json.loads(done.stdout)
    assert {row["check"] for row in rows} == {
        "configuration", "embedding model", "LLM", "word vectors", "database", "extension",
        "schema", "clock", "disk", "reader", "sources", "github", "stopped", "schedules", "stages",
    }  # fmt: skip
    assert done.exit_code == 0, rows
    assert all(row["remedy"] for row in rows if row["state"] != "ok")
    (model,) = [row for row in rows if row["check"] == "embedding model"]
    assert "dimensions, by " in model["detail"]


def test_a_failed_check_makes_the_exit_code_1_and_the_others_go_on(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("TRIAGE_EMBEDDING_MODEL", "/nowhere/at/all")
    done = CliRunner().invoke(app, ["doctor", "--json"])
    found = {row["check"]: row["state"] for row in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert (found["database"], found["embedding model"]) == ("fail", "fail")
    assert found["LLM"] == "ok"


def test_database_extension_and_schema_are_told(workspace: Workspace) -> None:
    assert set(states(check_database(workspace)).values()) == {State.OK}
    with workspace.database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert states(check_database(workspace))["schema"] is State.FAIL


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(0.4, State.OK), (-20.0, State.WARN), (61.0, State.FAIL), (-4000.0, State.FAIL)],
)
def test_a_clock_that_is_off_is_told_by_how_much(ahead: float, state: State) -> None:
    finding = check_clock("clock", "the database's", ahead)
    assert finding.state is state
    assert state is State.OK or f"{abs(ahead):.0f} s" in finding.detail


def test_a_stopped_stage_is_shown_with_who_and_why(workspace: Workspace) -> None:
    with workspace.database.session() as session:
        save_stop(session, "file", by="mira", because="the repository moves")
    (finding,) = check_stops(workspace)
    assert finding.state is State.WARN
    assert "mira" in finding.detail
    assert finding.remedy == "Run `triage start file`."


def test_a_source_that_broke_or_was_not_read_for_a_day_is_shown(workspace: Workspace) -> None:
    read = [GitHubSource(repository=f"fennwick/{name}") for name in ("one", "two")]
    sources = workspace.config.sources.model_copy(update={"github": tuple(read)})
    config = workspace.config.model_copy(update={"sources": sources})
    workspace = replace(workspace, config=config)
    with workspace.database.session() as session:
        save_cursor(session, "github:fennwick/one", "1")
        save_cursor(session, "github:fennwick/two", "1")
        save_source_error(session, "github:fennwick/two", "the repository is gone")
        session.execute(
            text("UPDATE source_cursor SET read_at = now() - interval '2 days' "
                 "WHERE origin LIKE '%one'")
        )  # fmt: skip
    stale, broken, _ = check_sources(workspace)
    assert (stale.state, broken.state) == (State.WARN, State.FAIL)
    assert "fennwick/one is stale, last read" in stale.detail
    assert "the repository is gone" in broken.detail


def test_stages_that_failed_or_did_not_run_when_due_are_shown(workspace: Workspace) -> None:
    def break_down() -> dict[str, int]:
        raise EmbeddingError("Embedding", "the model is gone", "Set another.")

    (never,) = check_staleness(workspace)
    assert never.state is State.WARN
    assert never.detail.startswith("never ran yet: collect, embed, ")
    for stage in workspace.config.schedules.by_stage():
        run_stage(workspace, stage, lambda: {"done": 1})
    assert states(check_staleness(workspace)) == {"stages": State.OK}
    with pytest.raises(EmbeddingError):
        run_stage(workspace, "embed", break_down)
    with workspace.database.session() as session:
        session.execute(
            text("UPDATE stage_run SET ended_at = now() - interval '3 hours' WHERE stage = 'route'")
        )
    found = {each.detail.split()[0]: each for each in check_staleness(workspace)}
    assert set(found) == {"embed", "route"}
    assert (found["embed"].state, found["route"].state) == (State.FAIL, State.WARN)
    assert "Embedding: the model is gone" in found["embed"].detail


def test_paused_and_missing_schedules_are_named(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [
        {"name": flow.name, "paused": False, "schedules": [{"active": True}]}
        for stage, flow in FLOWS.items()
        if stage != "embed"
    ]
    listed[0]["paused"] = True
    with answering(lambda path, _: (200, listed)) as url:
        monkeypatch.setenv("PREFECT_API_URL", f"{url}/api")
        (finding,) = check_schedules(workspace)
        assert finding.state is State.FAIL
        assert "collect" in finding.detail
        assert "embed" in finding.detail
    (gone,) = examine("schedules", lambda: check_schedules(workspace))
    assert gone.state is State.FAIL
    monkeypatch.delenv("PREFECT_API_URL")
    assert states(check_schedules(workspace)) == {"schedules": State.WARN}


def test_what_the_login_may_not_do_on_github_is_told(
    workspace: Workspace, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> None:
    def examined(**answer: Any) -> dict[str, Finding]:
        if answer:
            github_proxy.fail("GET", rf"/repos/{github_repository.name}$", status=200, **answer)
        return {finding.check: finding for finding in check_github(here)}

    settings = workspace.settings.model_copy(
        update={
            "github_api_url": github_proxy.api_url,
            "github_token": SecretStr(token_of(FILER)),
            "github_repository": github_repository.name,
        }
    )
    here = replace(workspace, settings=settings)
    assert State.FAIL not in {finding.state for finding in examined().values()}
    reader = examined(body={"permissions": {"pull": True}})
    assert "Issues: read and write" in reader["github"].detail
    narrow = examined(
        body={"permissions": {"push": True}}, headers={"X-OAuth-Scopes": "gist, read:org"}
    )
    assert (narrow["github"].state, "scope repo" in narrow["github"].detail) == (State.FAIL, True)
    github_proxy.fail("GET", r"/repos/", status=401, body={"message": "Bad credentials"})
    (refused,) = examine("github", lambda: check_github(here))
    assert (refused.state, "token" in refused.detail) == (State.FAIL, True)
    nobody = replace(here, settings=settings.model_copy(update={"github_token": None}))
    assert states(check_github(nobody)) == {"github": State.FAIL}


def test_githubs_clock_is_read_from_its_answers() -> None:
    answer = requests.Response()
    assert clock_ahead_seconds(answer, 0.0) is None
    answer.headers["Date"] = "Thu, 01 Jan 1970 01:00:00 GMT"
    assert clock_ahead_seconds(answer, 0.5) == pytest.approx(3600.0)


def test_an_alarm_names_the_stage_and_reaches_the_webhook(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    def break_down() -> dict[str, int]:
        raise EmbeddingError("Embedding", "the model is gone", "Set another.")

    with pytest.raises(EmbeddingError):
        run_stage(workspace, "embed", break_down)
    message = describe_failures("embed_reports", "prefect.flow-run.Failed")
    assert message.splitlines() == [
        "embed_reports: failed",
        "embed failed 1 times and never succeeded: Embedding: the model is gone",
    ]
    told: list[Any] = []

    def answer(_: str, body: Any) -> Answer:
        told.append(body)
        return 200, {}

    with answering(answer) as url:
        secret = {"alarm_webhook_url": SecretStr(f"{url}/hidden-word")}
        settings = workspace.settings.model_copy(update=secret)
        assert send_alarm(settings, message)
    text = f"*A stage failed*\n{message}"
    assert told == [{"text": text, "unfurl_links": False, "unfurl_media": False}]
    with pytest.raises(SendingError) as caught:  # nobody is there any more
        send_alarm(settings, message)
    assert "hidden-word" not in str(caught.value)
    assert not send_alarm(workspace.settings, message)


def test_in_a_work_pool_every_flow_is_found_by_its_module() -> None:
    found = make_deployments(load_config(None), "triage")
    assert {each.work_pool_name for each in found} == {"triage"}
    entries = {each.name: each.entrypoint for each in [*found, make_alarm_deployment("triage")]}
    assert entries["collect_reports"] == "flows.collect_reports.collect_reports"
    assert entries["raise_alarm"] == "flows.raise_alarm.raise_alarm"
