"""The whole pipeline under Prefect with planted secrets: none is found anywhere afterwards."""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

from flows.artifacts import delete_artifacts
from flows.pipeline import pipeline
from flows.showing import show_counts, show_page, show_table
from tests.flows.test_forgetting import whole_database
from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from tests.unit.test_redaction_planted import KINDS
from triage.store.themes import load_themes
from triage.workspace import Workspace

SAMPLE = Path(__file__).parents[2] / "triage" / "sample" / "reports.jsonl"
REPORTS = 100
PERSON = {
    "email": "ana.pereira" + "@mail.example.org",
    "phone": "+351 912 345 678",
    "address": "203.0.113.77",
    "home": "/home/anapereira/project",
    "author": "AnaPereira",
}


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=240):
        yield


def sample_records() -> Iterator[dict[str, Any]]:
    """The records of the sample that are whole; it has broken lines on purpose."""
    for line in SAMPLE.read_text("utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("body"), str):
            yield record


def planted(path: Path) -> list[str]:
    """Write reports in which every kind of secret stands in every field; returns the secrets."""
    rng = random.Random(7)
    secrets, lines = [], []
    for number, record in enumerate(list(sample_records())[:REPORTS]):
        written, secret = KINDS[sorted(KINDS)[number % len(KINDS)]](rng)
        secrets.append(secret)
        private = " ".join(value for name, value in PERSON.items() if name != "author")
        record["body"] += f"\n\n```\n{written}\n```\n\n{written}"
        if number % 4 == 0:
            private = " ".join(value for name, value in PERSON.items() if name != "author")
            record["body"] += f"\n\nWrite to {private}"
            record["title"] = f"{record.get('title') or ''} {written}"[:250]
        record |= {
            "author": f"{PERSON['author']}{number}",
            "environment": f"Loomcode 2.3 {written}",
            "prompt": f"Use {written}",
            "response": f"I used {written}",
            "url": f"https://forum.example/t/1?token={secret}",
        }
        lines.append(json.dumps(record))
    lines.append(json.dumps({"id": "broken", "body": ["not a text", secrets[0]]}))
    lines.append(f'{{"body": "cut off {secrets[1]}')
    path.write_text("\n".join(lines), "utf-8")
    return secrets


def _api_url() -> str:
    with get_client(sync_client=True) as client:
        return str(client.api_url)


def _all_of(api_url: str, name: str) -> list[dict[str, Any]]:
    """Everything of one kind that the Prefect server keeps."""
    found: list[dict[str, Any]] = []
    while True:
        question = {"limit": 200, "offset": len(found)}
        answer = requests.post(f"{api_url.rstrip('/')}/{name}/filter", json=question, timeout=30)
        answer.raise_for_status()
        found += answer.json()
        if len(answer.json()) < 200:
            return found


def everywhere(workspace: Workspace, repository: EmulatedRepository, home: Path) -> dict[str, str]:
    """All that a run leaves behind, by where it was left."""
    api_url = _api_url()
    logs = [str(each["message"]) for each in _all_of(api_url, "logs")]
    artifacts = [str(each["data"]) for each in _all_of(api_url, "artifacts")]
    runs = [json.dumps(each, ensure_ascii=False) for each in _all_of(api_url, "flow_runs")]
    drafts = [path.read_text("utf-8") for path in workspace.drafts_folder.glob("*")]
    inbox = home / "inbox"
    failed = [path.read_text("utf-8") for path in inbox.rglob("*.reason.txt")]
    issues = [json.dumps(issue) for issue in repository.issues()]
    assert logs
    assert artifacts
    assert drafts
    assert issues
    return {
        "tables": whole_database(workspace),
        "log lines": "\n".join(logs),
        "artifacts": "\n".join(artifacts),
        "runs": "\n".join(runs),
        "drafts": "\n".join([*drafts, *failed]),
        "issues": "\n".join(issues),
        "page": workspace.page_path.read_text("utf-8"),
    }


@pytest.mark.usefixtures("prefect")
def test_no_planted_secret_and_no_log_line_with_report_text_is_left_anywhere(
    workspace: Workspace,
    environment: dict[str, str],
    tmp_path: Path,
    github_proxy: GitHubProxy,
    github_repository: EmulatedRepository,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = tmp_path / "triage.yaml"
    default = (SAMPLE.parents[1] / "config" / "default.yaml").read_text("utf-8")
    config.write_text(default.replace("  min_coherence: 0.5 ", "  min_coherence: 0.0 "))
    for name, value in {
        "CONFIG": str(config),
        "GITHUB_API_URL": github_proxy.api_url,
        "GITHUB_TOKEN": token_of(FILER),
        "GITHUB_REPOSITORY": github_repository.name,
    }.items():
        monkeypatch.setenv(f"TRIAGE_{name}", value)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    secrets = planted(inbox / "reports.jsonl")
    os.utime(inbox / "reports.jsonl", (0, 0))
    with caplog.at_level(logging.DEBUG, logger="triage"):
        pipeline(dry_run=True)
        pipeline(dry_run=False)
    left = everywhere(workspace, github_repository, tmp_path)
    left["our log"] = caplog.text
    for place, said in left.items():
        for secret in secrets:
            assert secret not in said, place
            assert secret[:12] not in said, place
            assert secret[-12:] not in said, place
        for kind, value in PERSON.items():
            assert value not in said, f"{kind} in {place}"
        assert token_of(FILER) not in said, place
        assert environment["TRIAGE_HASH_KEY"] not in said, place
    with workspace.database.session() as session:
        themes = load_themes(session)
    assert themes
    for line in [*left["log lines"].splitlines(), *left["our log"].splitlines()]:
        assert not any(theme.text.title[:30] in line for theme in themes)


@pytest.mark.usefixtures("prefect")
def test_forgetting_leaves_those_artifacts_alone_that_hold_counts_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @flow
    def show_everything() -> None:
        show_counts("theme", {"joined": 3})
        show_page("draft-t7", "the words of somebody", "a draft")
        show_table("themes", [{"title": "the words of somebody"}], "themes")

    show_everything()
    api_url = _api_url()
    monkeypatch.setenv("PREFECT_API_URL", api_url)
    assert delete_artifacts(tmp_path).endswith("artifacts with words were deleted")
    kept = _all_of(api_url, "artifacts")
    assert "stage-theme" in {each["key"] for each in kept}
    assert "the words of somebody" not in str(kept)
