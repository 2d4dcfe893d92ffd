"""The filing stage against a real HTTP API: exactly once, within the budget, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from flows.file_issues import file
from tests.flows.seeding import seed_theme
from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.errors import SettingsError, TrackerError
from triage.filing import marker_in
from triage.store.issues import load_issues
from triage.store.themes import load_blockers, set_theme_status
from triage.types import IssueState, ThemeStatus
from triage.workspace import Workspace

AT_ONCE = timedelta(0)
CREATE = r"/repos/[^/]+/[^/]+/issues$"


def run(workspace: Workspace) -> dict[str, int]:
    return file(workspace, dry_run=False, resend_after=AT_ONCE).counts()


def states(workspace: Workspace) -> list[IssueState]:
    with workspace.database.session() as session:
        return [record.state for record in load_issues(session).values()]


def let_pass(workspace: Workspace, *, hours: int) -> None:
    """Move every intent back in time: the database's clock says how old it is."""
    earlier = text(
        "UPDATE issue SET intended_at = intended_at - make_interval(hours => :hours), "
        "attempted_at = attempted_at - make_interval(hours => :hours)"
    )
    with workspace.database.session() as session:
        session.execute(earlier, {"hours": hours})


def test_issues_appear_whole_and_a_second_run_adds_none(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    first, second = seed_theme(github.database, "parser"), seed_theme(github.database, "memory")
    assert run(github)["filed"] == 2
    assert run(github) == {"drafted": 0, "filed": 0, "waiting": 0}
    issues = github_repository.issues()
    assert {marker_in(issue["body"], github.marker_key) for issue in issues} == {first, second}
    for issue in issues:
        labels = {label["name"] for label in issue["labels"]}
        assert labels == {"capability: tool-use", "fundamental", "priority: P2"}
        assert issue["milestone"]["title"] == "corvane-4.3"
        assert [person["login"] for person in issue["assignees"]] == ["mira"]


def test_a_dry_run_writes_drafts_and_nothing_to_github(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    theme_id = seed_theme(github.database, "parser")
    assert file(github, dry_run=True).counts() == {"drafted": 1, "filed": 0, "waiting": 0}
    assert github_proxy.requests == []
    assert (github.drafts_folder / f"T{theme_id}.md").read_text("utf-8").startswith("---\ntitle:")
    with github.database.session() as session:
        assert load_blockers(session) == {theme_id: "dry run: would be filed"}
        assert load_issues(session) == {}


def test_what_is_beyond_the_budget_waits_for_the_next_run(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    for number in range(7):
        seed_theme(github.database, f"failure {number}")
    assert run(github) == {"drafted": 5, "filed": 5, "waiting": 2}
    assert run(github)["filed"] == 2
    assert len(github_repository.issues()) == 7


@pytest.mark.parametrize(
    ("fault", "filed_at_once"),
    [
        ({"status": 403, "headers": {"Retry-After": "1"}}, 2),
        ({"status": 429, "headers": {"Retry-After": "1"}}, 2),
        ({"status": 422, "body": {"message": "Validation Failed"}}, 1),
        ({"status": 403}, 1),
        ({"status": 502}, 1),
        ({"status": 502, "after_write": True}, 1),
        ({"drop": True}, 1),
        ({"drop": True, "after_write": True}, 1),
        ({"status": 403, "headers": {"Retry-After": "4000"}}, 0),
    ],
    ids=str,
)
def test_a_fault_loses_and_doubles_nothing(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    fault: dict[str, Any],
    filed_at_once: int,
) -> None:
    themes = {seed_theme(github.database, "parser"), seed_theme(github.database, "memory")}
    github_proxy.fail("POST", CREATE, **fault)
    assert run(github)["filed"] == filed_at_once
    with github.database.session() as session:
        assert len([b for b in load_blockers(session).values() if b]) == 2 - filed_at_once
    run(github)
    found = [marker_in(issue["body"], github.marker_key) for issue in github_repository.issues()]
    assert sorted(map(str, found)) == sorted(map(str, themes))
    assert states(github) == [IssueState.FILED] * 2


def test_an_interrupted_creation_is_not_sent_again_while_github_may_not_list_it_yet(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    theme_id = seed_theme(github.database, "parser")
    github_proxy.fail("POST", CREATE, drop=True)
    run(github)
    assert file(github, dry_run=False).waiting == 1
    with github.database.session() as session:
        assert "looked for again" in load_blockers(session)[theme_id]
    assert github_repository.issues() == []
    run(github)
    assert len(github_repository.issues()) == 1


FILE_ONCE = """
from datetime import timedelta
from flows.file_issues import file
from triage.workspace import open_workspace
with open_workspace() as workspace:
    file(workspace, dry_run=False, resend_after=timedelta(0))
"""


def test_a_process_killed_between_the_write_and_the_record_leaves_one_issue(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    environment: dict[str, str],
) -> None:
    seed_theme(github.database, "parser")
    github_proxy.fail("POST", CREATE, after_write=True, delay_seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-c", FILE_ONCE],
        env={
            **environment,
            "TRIAGE_GITHUB_API_URL": github_proxy.api_url,
            "TRIAGE_GITHUB_TOKEN": token_of(FILER),
            "TRIAGE_GITHUB_REPOSITORY": github_repository.name,
            "PREFECT_HOME": os.environ["TRIAGE_HOME"],
        },
    )
    deadline = time.monotonic() + 90
    while not github_repository.issues() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.kill()
    process.wait()
    assert states(github) == [IssueState.INTENDED]
    run(github)
    assert len(github_repository.issues()) == 1
    assert states(github) == [IssueState.FILED]


def test_a_theme_set_aside_by_a_person_is_not_filed_though_it_was_intended(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    theme_id = seed_theme(github.database, "parser")
    github_proxy.fail("POST", CREATE, drop=True)
    run(github)
    with github.database.session() as session:
        set_theme_status(session, theme_id, ThemeStatus.DISMISSED)
    run(github)
    assert github_repository.issues() == []
    assert states(github) == [IssueState.INTENDED]
    let_pass(github, hours=25)
    run(github)
    assert states(github) == []


def test_an_old_intent_is_carried_out_where_its_theme_still_passes_the_gate(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    seed_theme(github.database, "parser")
    github_proxy.fail("POST", CREATE, drop=True)
    run(github)
    let_pass(github, hours=25)
    run(github)
    assert states(github) == [IssueState.FILED]
    assert len(github_repository.issues()) == 1


def test_an_old_intent_that_did_arrive_is_recorded_though_its_theme_no_longer_passes(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    theme_id = seed_theme(github.database, "parser")
    github_proxy.fail("POST", CREATE, drop=True, after_write=True)
    run(github)
    let_pass(github, hours=25)
    with github.database.session() as session:
        set_theme_status(session, theme_id, ThemeStatus.DISMISSED)
    run(github)
    assert states(github) == [IssueState.FILED]
    assert len(github_repository.issues()) == 1


def test_an_owner_who_cannot_be_assigned_is_named_and_the_fallback_takes_it(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    seed_theme(github.database, "parser", owner="nobody-here")
    assert run(github)["filed"] == 1
    (issue,) = github_repository.issues()
    assert "`nobody-here` could not be assigned" in issue["body"]


def test_filing_without_a_repository_or_a_login_says_what_to_set(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match="TRIAGE_GITHUB_REPOSITORY"):
        file(workspace, dry_run=False)
    settings = workspace.settings.model_copy(update={"github_repository": "fennwick/issues"})
    with pytest.raises(SettingsError, match="TRIAGE_GITHUB_TOKEN"):
        file(replace(workspace, settings=settings), dry_run=False)


def test_a_repository_that_cannot_be_written_stops_the_stage_before_anything_is_sent(
    github: Workspace, github_proxy: GitHubProxy
) -> None:
    seed_theme(github.database, "parser")
    settings = github.settings.model_copy(update={"github_repository": "fennwick/missing"})
    with pytest.raises(TrackerError, match="fennwick/missing"):
        file(replace(github, settings=settings), dry_run=False)
    assert states(github) == []
    assert [request for request in github_proxy.requests if request.method == "POST"] == []
