"""The HTTP intake as its senders see it: a real server, cleaning processes and database."""

from __future__ import annotations

import concurrent.futures
import json
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import URL, text

from flows.collect_reports import collect
from tests.databases import HASH_KEY, as_text, created_database
from tests.integration.serving import served
from tests.unit.test_redaction_planted import KINDS
from triage.config.loader import load_config
from triage.config.model import IntakeConfig
from triage.database import Database, make_engine
from triage.intake.app import PATH, make_intake
from triage.intake.tokens import load_tokens
from triage.settings import Settings
from triage.store.intake import load_rejections
from triage.store.reports import load_reports
from triage.workspace import Workspace

TOKEN = "a-token-for-tests-of-the-intake"
SLOW_TOKEN = "another-token-that-sends-too-much"
LIMITS = IntakeConfig(
    max_reports_per_request=5, max_bytes=20_000, reports_per_second=100_000, burst=100_000
)


@pytest.fixture(scope="module")
def installed(
    server: URL, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """One installation for all tests of this module; each sends reports of its own."""
    with created_database(server, template) as url:
        home: Path = tmp_path_factory.mktemp("home")
        tokens = SecretStr(f"web={TOKEN} slow={SLOW_TOKEN}")
        opened = Database(make_engine(url))
        known = Settings(home=home, database_url=SecretStr(as_text(url)), intake_tokens=tokens)
        config = load_config(None).model_copy(update={"intake": LIMITS})
        yield Workspace(known, config, opened, HASH_KEY)
        opened.close()


@pytest.fixture(scope="module")
def address(installed: Workspace) -> Iterator[str]:
    with served(make_intake(installed, processes=1)) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
    ) as opened:
        yield opened


@pytest.fixture
def empty(installed: Workspace) -> Workspace:
    """The installation without any report."""
    with installed.database.session() as session:
        for table in ("posted_report", "posted_key", "rejected"):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(text("TRUNCATE report CASCADE"))
    return installed


def waiting(workspace: Workspace) -> int:
    with workspace.database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM posted_report")).scalar_one())


# --- what is taken ------------------------------------------------------------------------------


def test_a_posted_report_is_stored_before_the_answer_and_collected_like_any_other(
    client: httpx.Client, empty: Workspace
) -> None:
    answer = client.post(
        PATH, json={"id": "p1", "body": "The parser drops every call.", "author": "octo-lena"}
    )
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "ids": ["p1"], "set_aside": []}
    assert waiting(empty) == 1
    assert collect(empty).added == 1
    assert waiting(empty) == 0
    with empty.database.session() as session:
        (report,) = load_reports(session)
    assert (report.origin, report.external_id, report.channel) == ("intake:web", "p1", "web")
    client.post(PATH, json={"id": "p1", "body": "The parser drops every second call."})
    client.post(PATH, json={"id": "p2", "body": "The parser drops every second call."})
    summary = collect(empty)
    assert (summary.added, summary.revised, summary.duplicates) == (1, 1, 1)


def test_a_bad_report_of_a_batch_is_told_by_place_and_set_aside(
    client: httpx.Client, empty: Workspace
) -> None:
    batch = [
        {"id": "b0", "body": "It stops in the middle."},
        {"id": "b1", "title": "hunter2 is no body"},
        "no object",
        {"id": "b3", "body": "It stops.", "created_at": "hunter2 o'clock"},
        {"id": "b4", "body": "It stops at the end."},
    ]
    for _ in range(2):
        answer = client.post(PATH, json=batch)
        assert answer.status_code == 202
        found = answer.json()
        assert found["accepted"] == 2
        assert found["ids"] == ["b0", None, None, None, "b4"]
        assert [(one["place"], one["field"]) for one in found["set_aside"]] == [
            (1, "body"), (2, "report"), (3, "created_at"),
        ]  # fmt: skip
        assert all(one["problem"] and one["remedy"] for one in found["set_aside"])
        assert "hunter2" not in answer.text
    with empty.database.session() as session:
        listed = [rejection.place for rejection, _ in load_rejections(session)]
    assert listed == ["posted report 1", "posted report 2", "posted report 3"]


def test_a_single_bad_report_is_a_problem_and_set_aside(
    client: httpx.Client, empty: Workspace
) -> None:
    answer = client.post(PATH, json={"id": "s1", "body": "hunter2", "rating": "hunter2"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["set_aside"][0]["field"] == "rating"
    assert "hunter2" not in answer.text
    with empty.database.session() as session:
        assert len(load_rejections(session)) == 1


def test_no_planted_secret_and_no_author_reaches_any_table_or_answer(
    client: httpx.Client, empty: Workspace
) -> None:
    planted = [build(random.Random(7)) for build in KINDS.values()]
    answers = []
    for secret, _ in planted:
        report = {"title": secret, "body": f"it printed {secret} and stopped", "prompt": secret,
                  "response": secret, "environment": secret, "author": "octo-lena",
                  "created_at": secret, "id": secret[:150]}  # fmt: skip
        answers.append(client.post(PATH, json=report).text)
        del report["created_at"], report["id"]
        answers.append(client.post(PATH, json=[report, secret]).text)
    with empty.database.session() as session:
        tables = [
            session.execute(text(f"SELECT {name}::text FROM {name}")).scalars().all()
            for name in ("posted_report", "posted_key", "rejected")
        ]
    everything = json.dumps([tables, answers], ensure_ascii=False)
    assert waiting(empty) > 10
    assert [needle for _, needle in planted if needle in everything] == []
    assert "octo-lena" not in everything


# --- idempotency --------------------------------------------------------------------------------


def test_a_key_stores_once_and_gets_the_same_answer(client: httpx.Client, empty: Workspace) -> None:
    def post(body: Any) -> httpx.Response:
        return client.post(PATH, json=body, headers={"Idempotency-Key": "k-1"})

    first = post([{"body": "It hangs."}, {"body": ""}])
    again = post([{"body": "It hangs."}, {"body": ""}])
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert waiting(empty) == 1
    other = post([{"body": "It hangs again."}])
    assert other.status_code == 422
    assert "another body" in other.json()["detail"]
    assert waiting(empty) == 1


def test_a_key_that_is_sent_many_times_at_once_stores_once(
    client: httpx.Client, empty: Workspace
) -> None:
    def post(_: int) -> tuple[int, str]:
        headers = {"Idempotency-Key": "k-2"}
        answer = client.post(PATH, json={"body": "It hangs."}, headers=headers)
        return answer.status_code, answer.text

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(post, range(24)))
    assert len(answers) == 1
    assert waiting(empty) == 1


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"body": "x"}', {"Authorization": "Bearer nobody"}, 401),
        (b'{"body": "x"}', {"Content-Type": "text/plain"}, 415),
        (b'{"body": "x"}', {"Content-Encoding": "gzip"}, 415),
        (b'{"body": "x"}', {"Idempotency-Key": "two words"}, 422),
        (b'{"body": "hunter2', {}, 422),
        (b'{"body": "\xff hunter2"}', {}, 422),
        (b"[" * 9_000, {}, 422),
        (b"[]", {}, 422),
        (b"17", {}, 422),
        (json.dumps([{"body": "hunter2"}] * 6).encode(), {}, 422),
        (json.dumps({"body": "hunter2 " * 3_000}).encode(), {}, 413),
    ],
)
def test_what_cannot_be_taken_is_one_kind_of_problem_that_quotes_nothing(
    client: httpx.Client, empty: Workspace, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post(
        PATH, content=body, headers={"Content-Type": "application/json", **headers}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "remedy"} <= problem.keys()
    assert problem["status"] == status
    assert "hunter2" not in answer.text
    assert waiting(empty) == 0


def test_a_body_without_length_is_read_to_the_limit_only(address: str) -> None:
    url = urlsplit(address)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port), 20) as connection:
        connection.sendall(head.encode())
        sent = 0
        try:
            while sent < 100_000_000:
                connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                sent += 4096
        except OSError:
            pass  # closed against us, as it should
    assert sent < 20_000_000


def test_a_token_that_sent_too_much_waits_and_others_do_not(empty: Workspace) -> None:
    config = empty.config.model_copy(
        update={"intake": LIMITS.model_copy(update={"reports_per_second": 0.1, "burst": 2})}
    )
    with served(make_intake(replace(empty, config=config), processes=1)) as found:

        def post(token: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx.post(found + PATH, json={"body": "It hangs."}, headers=headers)

        assert [post(SLOW_TOKEN).status_code for _ in range(3)] == [202, 202, 429]
        assert int(post(SLOW_TOKEN).headers["retry-after"]) >= 9
        assert post(TOKEN).status_code == 202
        large = {"body": "It hangs. " * 1_000}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.post(found + PATH, json=large, headers=headers).status_code == 202
        assert post(TOKEN).status_code == 429


def test_a_burst_beyond_what_fits_is_told_to_wait_and_what_was_accepted_is_stored(
    empty: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.intake.receiving.MOST_REQUESTS", 3)
    with (
        served(make_intake(empty, processes=1)) as found,
        httpx.Client(
            base_url=found, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        ) as client,
    ):

        def post(number: int) -> httpx.Response:
            return client.post(PATH, json={"id": f"burst-{number}", "body": "It hangs."})

        with concurrent.futures.ThreadPoolExecutor(24) as threads:
            answers = list(threads.map(post, range(150)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {202, 503}
    assert all("retry-after" in one.headers for one in answers if one.status_code == 503)
    assert waiting(empty) == statuses.count(202)


def test_without_its_database_it_says_so_and_then_goes_on(empty: Workspace) -> None:
    with served(make_intake(empty, processes=1)) as found:

        def post() -> httpx.Response:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            return httpx.post(found + PATH, json={"body": "It hangs."}, headers=headers)

        with empty.database.session() as session:
            session.execute(text("ALTER TABLE posted_report RENAME TO away"))
        refused, health = post(), httpx.get(f"{found}/health")
        with empty.database.session() as session:
            session.execute(text("ALTER TABLE away RENAME TO posted_report"))
        assert (refused.status_code, health.status_code) == (503, 503)
        assert refused.headers["retry-after"] == "1"
        assert post().status_code == 202
    assert waiting(empty) == 1


def test_a_cleaning_process_that_dies_takes_nothing_with_it(empty: Workspace) -> None:
    import psutil

    before = set(psutil.Process().children(recursive=True))
    with served(make_intake(empty, processes=1)) as found:

        def post() -> httpx.Response:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            return httpx.post(found + PATH, json={"body": "It hangs."}, headers=headers, timeout=30)

        assert post().status_code == 202
        for process in set(psutil.Process().children(recursive=True)) - before:
            if "spawn_main" in " ".join(process.cmdline()):
                process.kill()
                process.wait(10)
        statuses = [post().status_code for _ in range(3)]
        assert statuses[-1] == 202
        assert set(statuses) <= {202, 503}


def test_its_health_needs_no_token_and_tells_what_waits(
    client: httpx.Client, empty: Workspace
) -> None:
    answer = httpx.get(f"{client.base_url}/health")
    assert answer.status_code == 200
    assert answer.json()["state"] == "ok"


def test_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    from triage.errors import SettingsError

    with pytest.raises(SettingsError, match="triage token NAME"):
        load_tokens(Settings(home=tmp_path))


# --- the description ----------------------------------------------------------------------------


# 422 may answer what fits the description: no schema says that a date lies ahead of now, or that a
# text holds nothing but invisible characters.
SCHEMATHESIS = """
seed = 20261101
[generation]
max-examples = 100
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "413", "422"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "413", "415", "422"]
[phases]
stateful.enabled = false
"""


def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(SCHEMATHESIS, "utf-8")
    tool = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command = [
        *tool, "--config-file", str(config), "run", f"{address}/openapi.json", "--checks", "all",
        "--header", f"Authorization: Bearer {TOKEN}",
    ]  # fmt: skip
    # it keeps notes of earlier runs where it runs
    found = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]
    assert "No issues found" in found.stdout
