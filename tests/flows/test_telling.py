"""Reporters are told once, where their source wants it, and their answers are no reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from flows.collect_reports import collect
from flows.file_issues import file
from flows.ledger import digest_rows, ledger_table, load_ledger, load_release_notes
from flows.sync_issues import sync
from flows.verify_release import verify
from tests.flows.releasing import (
    A_RELEASED,
    B_RELEASED,
    NEW,
    NEXT,
    OLD,
    TODAY,
    count_anew,
    report_on,
    seed_themes,
    serve,
    with_versions,
)
from tests.integration.github.emulator import FILER, ORGANISATION, Emulator, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.config.model import GitHubSource, Sources
from triage.store.members import add_members
from triage.store.reports import load_reports
from triage.workspace import Workspace

AT_ONCE = timedelta(0)
PEOPLE = ("mira", "juno", "okan")


@pytest.fixture
def home(github_emulator: Emulator, github_repository: EmulatedRepository) -> EmulatedRepository:
    """The repository where reporters write, beside the one where issues are filed."""
    name = f"{github_repository.name.partition('/')[2]}-users"
    answer = requests.post(
        f"{github_emulator.url}/orgs/{ORGANISATION}/repos",
        headers={"Authorization": f"token {token_of(FILER)}"},
        json={"name": name},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return EmulatedRepository(github_emulator.url, f"{ORGANISATION}/{name}")


def connected(
    workspace: Workspace,
    proxy: GitHubProxy,
    repository: EmulatedRepository,
    home: EmulatedRepository,
    **source: Any,
) -> Workspace:
    """The workspace that files into one repository and collects from the other."""
    settings = workspace.settings.model_copy(
        update={
            "github_api_url": proxy.api_url,
            "github_token": SecretStr(token_of(FILER)),
            "github_repository": repository.name,
        }
    )
    sources = Sources(files=None, github=(GitHubSource(repository=home.name, **source),))
    config = workspace.config.model_copy(update={"sources": sources})
    return replace(workspace, settings=settings, config=config)


@pytest.fixture
def mended(
    workspace: Workspace,
    github_proxy: GitHubProxy,
    github_repository: EmulatedRepository,
    home: EmulatedRepository,
) -> Callable[..., Workspace]:
    """A theme with three reporters on GitHub that a release mended; its issue is about to close."""

    def stage(*, max_told: int = 20, wanted: bool = True) -> Workspace:
        joined = connected(workspace, github_proxy, github_repository, home, tell_reporters=wanted)
        releases = joined.config.releases.model_copy(update={"max_told_per_run": max_told})
        joined = replace(joined, config=joined.config.model_copy(update={"releases": releases}))
        before = with_versions(joined, (OLD, A_RELEASED), upcoming=NEW)
        themes = seed_themes(before, ["parser"])
        counts = {"parser": 120, "other": 400}
        report_on(before, OLD, counts, themes, start=A_RELEASED, end=B_RELEASED)
        for person in PEOPLE:
            home.open_issue(f"the parser fails {person}", f"It fails for {person}.", by=person)
        assert collect(before).added == len(PEOPLE)
        with before.database.session() as session:
            ids = [r.report_id for r in load_reports(session) if r.channel == "github"]
            add_members(session, {themes["parser"]: dict.fromkeys(ids)}, joined_by="similarity")
        count_anew(before)
        file(before, dry_run=False, resend_after=AT_ONCE)
        after = with_versions(joined, (OLD, A_RELEASED), (NEW, B_RELEASED), upcoming=NEXT)
        serve(after, OLD, A_RELEASED, B_RELEASED)
        serve(after, NEW, B_RELEASED)
        report_on(after, NEW, {"other": 220}, themes, start=B_RELEASED, end=TODAY)
        count_anew(after)
        return after

    return stage


def judge(workspace: Workspace, *, dry_run: bool = False) -> dict[str, int]:
    summary = verify(
        workspace,
        dry_run=dry_run,
        now=datetime.now(UTC),
        pause_seconds=0,
        resend_after=AT_ONCE,
        apply=lambda _: None,
    )
    return dict(summary.counts)


def told(home: EmulatedRepository) -> list[int]:
    """How many comments of ours stand on each reporter's issue."""
    return [
        sum(c["user"]["login"] == FILER for c in home.comments(issue["number"]))
        for issue in home.issues()
    ]


def test_each_reporter_is_told_once_in_plain_words_within_the_budget(
    mended: Callable[..., Workspace], home: EmulatedRepository
) -> None:
    workspace = mended(max_told=2)
    assert judge(workspace, dry_run=True).get("to tell", 0) == 0  # its issue is still open
    assert told(home) == [0, 0, 0]
    first = judge(workspace)
    assert (first["told"], first["to tell"]) == (2, 1)
    assert judge(workspace, dry_run=True)["to tell"] == 1
    assert judge(workspace)["told"] == 1
    assert judge(workspace).get("told", 0) == 0
    assert told(home) == [1, 1, 1]
    body = home.comments(1)[0]["body"]
    assert f"mended in `{NEW}`" in body
    assert "@" not in body
    assert "#" not in body


def test_nobody_is_told_unless_the_source_wants_it(
    mended: Callable[..., Workspace], home: EmulatedRepository
) -> None:
    workspace = mended(wanted=False)
    judge(workspace)
    assert told(home) == [0, 0, 0]


def test_a_locked_a_deleted_and_a_told_issue_get_no_comment(
    mended: Callable[..., Workspace], home: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    workspace = mended()
    home.edit_issue(1, by="mira", state="closed")
    home.request("PUT", "/issues/1/lock", by="mira", json={})
    github_proxy.fail("GET", rf"{home.name}/issues/2$", status=410, body={"message": "deleted"})
    home.edit_issue(3, by="okan", state="closed")  # closed, but not locked: it is told
    counts = judge(workspace)
    assert (counts["told"], counts["not told"]) == (1, 2)
    judge(workspace)
    assert told(home) == [0, 0, 1]


@pytest.mark.parametrize("after_write", [False, True])
def test_a_lost_answer_tells_nobody_twice(
    mended: Callable[..., Workspace],
    home: EmulatedRepository,
    github_proxy: GitHubProxy,
    after_write: bool,
) -> None:
    workspace = mended()
    path = rf"{home.name}/issues/\d+/comments$"
    github_proxy.fail("POST", path, drop=True, after_write=after_write)
    github_proxy.fail("POST", path, status=403, headers={"Retry-After": "4000"})
    first = judge(workspace)
    assert (first["tellings failed"], first["tellings waiting"]) == (1, 2)
    judge(workspace)
    assert told(home) == [1, 1, 1]


def test_an_archived_source_waits_and_a_reopened_theme_tells_nobody(
    mended: Callable[..., Workspace],
    home: EmulatedRepository,
    github_repository: EmulatedRepository,
) -> None:
    workspace = mended()
    home.request("PATCH", "", json={"archived": True})
    assert judge(workspace)["tellings waiting"] == 3
    home.request("PATCH", "", json={"archived": False})
    github_repository.edit_issue(1, by="juno", state="open")
    sync(workspace, dry_run=False, pause_seconds=0, resend_after=AT_ONCE, apply=lambda _: None)
    assert judge(workspace).get("told", 0) == 0
    assert told(home) == [0, 0, 0]


def test_answers_are_counted_apart_and_make_no_report_and_no_reporter(
    mended: Callable[..., Workspace],
    home: EmulatedRepository,
    github_repository: EmulatedRepository,
) -> None:
    workspace = mended()
    home.comment(1, "Same here.", by="waldo")  # before: one more person behind the report
    judge(workspace)
    home.comment(1, "Thank you, I will try.", by="mira")
    home.comment(1, "It still fails for me.", by="mira")
    home.comment(1, "> It still fails for me.\n\nWorks here.", by="tesse")
    home.comment(2, "Not fixed: same error as before.", by="juno")
    judge(workspace)
    summary = collect(workspace)
    assert summary.added == 0
    with workspace.database.session() as session:
        people = {r.external_id: r.supporters for r in load_reports(session) if r.url}
        rows = ledger_table(load_ledger(session, workspace))
        (note,) = load_release_notes(session, workspace).values()
    assert sorted(len(each) for each in people.values()) == [0, 0, 1]
    answers = {row["version"]: row["answers"] for row in rows}
    assert answers[NEW] == "2 still broken, 1 works"
    assert answers[OLD] == ""
    assert note.answers == "2 still broken, 1 works"
    digest = " ".join(row["note"] for row in digest_rows(workspace, datetime.now(UTC)))
    assert f"2 of its reporters say that it still fails on {NEW}" in digest
    collect(workspace)
    sync(workspace, dry_run=False, pause_seconds=0, resend_after=AT_ONCE, apply=lambda _: None)
    body = github_repository.issue(1)["body"]
    assert "Answers of reporters who were told: 2 still broken, 1 works." in body
    assert told(home) == [1, 1, 1]
