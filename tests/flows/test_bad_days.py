"""What befalls repositories and issues while they are followed: nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.file_issues import file
from flows.ledger import load_ledger
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
from tests.flows.seeding import seed_theme
from tests.flows.syncing import (
    AT_ONCE,
    grow,
    look,
    seed_filed,
    words,
)
from tests.integration.github.emulator import FILER
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.filing import marker_in
from triage.store.actions import COMMENT, intend, load_open_actions, mark_done
from triage.store.heard import load_heard
from triage.store.ledger import load_verifications
from triage.store.life import load_label_aliases
from triage.verification import Reason, ReleaseVerdict, Standing
from triage.workspace import Workspace


def move(repository: EmulatedRepository, how: str) -> EmulatedRepository:
    """Rename a repository, or give it to another owner."""
    owner, _, name = repository.name.partition("/")
    if how == "renamed":
        repository.request("PATCH", "", json={"name": f"{name}-two"})
        return replace(repository, name=f"{owner}/{name}-two")
    repository.request("POST", "/transfer", json={"new_owner": FILER})
    return replace(repository, name=f"{FILER}/{name}")


@pytest.mark.parametrize("how", ["renamed", "transferred"])
def test_a_repository_is_followed_to_its_new_name_with_all_that_is_known(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    how: str,
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.comment(number, "/triage verdict quick-fix", by="juno")
    github_repository.request("PATCH", "/labels/priority:%20P2", json={"new_name": "soon"})
    grow(github, theme_id, 9)
    look(github)
    said = [c["body"] for c in github_repository.comments(number)]
    former = github_repository.name
    said_already = f"#{number} verdict {NEW} fixed"
    with github.database.session() as session:
        intend(session, former, number, former + said_already, COMMENT, {}, now=datetime.now(UTC))
        (action,) = load_open_actions(session, former)
        mark_done(session, action.action_id, "written", now=datetime.now(UTC))
    moved = move(github_repository, how)
    github_proxy.scene.renamed[former] = moved.name
    github_proxy.scene.roles["okan"] = "write"

    moved.comment(number, "/triage owner tesse", by="okan")
    for _ in range(2):
        look(github)
    assert words(github, theme_id)["verdict"] == ("quick-fix", "juno")
    assert words(github, theme_id)["owner"] == ("tesse", "okan")
    assert [c["body"] for c in moved.comments(number)][: len(said)] == said
    with github.database.session() as session:
        assert load_label_aliases(session, moved.name) == {"priority: P2": "soon"}
        assert load_heard(session, former) == []
        again = moved.name + said_already
        assert not intend(session, moved.name, number, again, COMMENT, {}, now=datetime.now(UTC))

    # a new theme is filed there, under the old name or the new one, and nothing is said twice
    seed_theme(github.database, "memory")
    file(github, dry_run=False, resend_after=AT_ONCE)
    look(github)
    settings = github.settings.model_copy(update={"github_repository": moved.name})
    renewed = replace(github, settings=settings)
    look(renewed)
    github_proxy.requests.clear()
    look(renewed)
    assert [r for r in github_proxy.requests if r.method != "GET"] == []
    marked = [marker_in(issue["body"], github.marker_key) for issue in moved.issues()]
    assert len(marked) == len(set(marked)) == 2


def test_a_new_name_in_the_configuration_alone_is_followed_too(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    moved = move(github_repository, "renamed")
    github_proxy.scene.renamed[github_repository.name] = moved.name
    settings = github.settings.model_copy(update={"github_repository": moved.name})
    renewed = replace(github, settings=settings)
    moved.comment(number, "/triage verdict quick-fix", by="juno")
    look(renewed)
    assert words(github, theme_id)["verdict"] == ("quick-fix", "juno")
    file(renewed, dry_run=False, resend_after=AT_ONCE)
    assert len(moved.issues()) == 1


def test_an_issue_that_is_locked_meanwhile_is_left_alone(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    ((theme_id, _),) = seed_filed(github, "parser")
    grow(github, theme_id, 9)
    said = {"message": "Unable to create comment because issue is locked."}
    github_proxy.fail("POST", r"/comments$", status=403, body=said)
    look(github)
    look(github)
    assert len(github_proxy.sent("POST", r"/comments$")) == 1
    with github.database.session() as session:
        assert load_open_actions(session, github_repository.name) == []


def test_what_an_archived_repository_refuses_is_written_once_it_is_open_again(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    grow(github, theme_id, 9)
    said = {"message": "Repository was archived so is read-only."}
    github_proxy.fail("POST", r"/comments$", status=403, body=said)
    github_proxy.fail("PATCH", r"/issues/\d+$", status=403, body=said)
    assert look(github)["writes failed"] == 2
    look(github)
    assert len(github_repository.comments(number)) == 1
    assert "**9 people**" in github_repository.issue(number)["body"]


@pytest.mark.parametrize("status", [404, 410, 301])
def test_a_deleted_or_a_moved_issue_is_left_alone_and_not_filed_again(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    status: int,
) -> None:
    ((theme_id, number), (_, other)) = seed_filed(github, "parser", "memory")
    elsewhere = f"{github_proxy.api_url}/repos/{github_repository.name}/issues/{other}"
    headers = {"Location": elsewhere} if status == 301 else {}
    grow(github, theme_id, 7)
    path = rf"/issues/{number}$"
    github_proxy.fail("GET", path, status=status, headers=headers, body={"message": "Gone"})
    assert look(github)["issues gone"] == 1
    github_proxy.heal()
    github_proxy.scene.gone.add(number)
    github_proxy.requests.clear()
    look(github)
    file(github, dry_run=False, resend_after=AT_ONCE)
    assert [r for r in github_proxy.requests if r.method != "GET"] == []


def test_a_program_that_rewrites_our_part_or_the_state_gets_its_way_before_long(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_proxy.scene.bots.add("waldo")
    for people in range(20, 26):
        body = github_repository.issue(number)["body"].replace("### What fails", "### Not so")
        github_repository.edit_issue(number, by="waldo", body=body)
        grow(github, theme_id, people)
        look(github)
    assert len(github_proxy.sent("PATCH", rf"/issues/{number}$")) <= 2
    assert "### Not so" in github_repository.issue(number)["body"]
    assert words(github, theme_id) == {}


def test_whatever_happens_an_issue_is_written_to_so_often_a_day_and_no_more(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    ((theme_id, _),) = seed_filed(github, "parser")
    for round_ in range(18):
        grow(github, theme_id, 5 + round_)  # every look has something to write
        look(github)
    written = [
        r for r in github_proxy.requests if r.method in ("PATCH", "POST") and r.path.find("/1") > 0
    ]
    assert len(written) == 12
    assert look(github, days=2)["edits"] == 1


def released(github: Workspace, *, day: Any = B_RELEASED) -> tuple[Workspace, int]:
    """One theme with many reports on the old version, filed; the new version is out."""
    before = with_versions(github, (OLD, A_RELEASED), upcoming=NEW)
    themes = seed_themes(before, ["parser"])
    counts = {"parser": 60, "other": 300}
    report_on(before, OLD, counts, themes, start=A_RELEASED, end=B_RELEASED)
    count_anew(before)
    file(before, dry_run=False, resend_after=AT_ONCE)
    look(before)
    after = with_versions(github, (OLD, A_RELEASED), (NEW, day), upcoming=NEXT)
    return after, themes["parser"]


def test_nothing_is_said_of_a_version_without_reports_without_use_or_with_clocks_that_disagree(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    after, theme_id = released(github)

    def judge() -> tuple[ReleaseVerdict, str | None]:
        verify(after, dry_run=False, pause_seconds=0, resend_after=AT_ONCE, apply=lambda _: None)
        with after.database.session() as session:
            held = load_verifications(session)[theme_id, NEW]
        return held.verdict, held.reason

    unsure = ReleaseVerdict.NOT_ENOUGH_EVIDENCE
    # used, but nobody wrote about it
    serve(after, OLD, A_RELEASED, B_RELEASED)
    serve(after, NEW, B_RELEASED)
    assert judge() == (unsure, Reason.NO_REPORTS)
    # reports from long before the launch: a preview, or clocks that disagree
    early = B_RELEASED - timedelta(days=40)
    report_on(after, NEW, {"early": 30}, {}, start=early, end=B_RELEASED - timedelta(days=10))
    report_on(after, NEW, {"late": 40}, {}, start=B_RELEASED, end=TODAY)
    assert judge() == (unsure, Reason.CLOCKS_DISAGREE)
    for _ in range(2):
        judge()
        look(after)
    (issue,) = github_repository.issues()
    assert issue["state"] == "open"
    assert github_repository.comments(issue["number"]) == []
    assert f"### On `{NEW}`" in issue["body"]
    assert "**Not enough evidence**, as of" in issue["body"]
    assert "the clocks disagree" in issue["body"]
    assert "The smallest effect that could have been seen" in issue["body"]
    assert "Next check on" in issue["body"]
    with after.database.session() as session:
        standing = {row.version: row.standing for row in load_ledger(session, after)}
    assert standing[NEW] is Standing.NOT_OBSERVABLE
    # the promised day stands until it comes: no rewriting from day to day
    github_proxy.requests.clear()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    verify(
        after,
        dry_run=False,
        now=tomorrow,
        pause_seconds=0,
        resend_after=AT_ONCE,
        apply=lambda _: None,
    )
    look(after, days=1)
    assert [r for r in github_proxy.requests if r.method != "GET"] == []


def test_a_version_whose_use_is_unknown_is_held_against_its_own_reports(
    github: Workspace,
) -> None:
    after, theme_id = released(github)
    report_on(after, NEW, {"late": 12}, {}, start=B_RELEASED, end=TODAY)
    verify(after, dry_run=True)
    with after.database.session() as session:
        held = load_verifications(session)[theme_id, NEW]
    assert (held.verdict, held.reason) == (
        ReleaseVerdict.NOT_ENOUGH_EVIDENCE,
        Reason.LOW_EXPOSURE,
    )
