"""A whole release: from reports on one version to verdicts, closings and carry-overs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from flows.file_issues import file
from flows.ledger import load_ledger
from tests.flows.releasing import (
    A_RELEASED,
    B_RELEASED,
    LATER,
    NEW,
    NEXT,
    OLD,
    TODAY,
    count_anew,
    follow,
    judge,
    report_on,
    says,
    seed_themes,
    serve,
    with_versions,
)
from tests.integration.github.emulator import FILER, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.config.model import Recurrence, Releases
from triage.filing import marker_in
from triage.store.decisions import load_corrections
from triage.store.issues import load_issues
from triage.store.ledger import load_verifications
from triage.store.life import load_past_issues
from triage.store.reports import load_theme_reports
from triage.store.themes import load_theme
from triage.types import ThemeStatus
from triage.verification import ReleaseVerdict, Standing
from triage.workspace import Workspace

AT_ONCE = timedelta(0)
NAMES = ["parser", "memory", "shell", "table", "unit", "tone"]


@pytest.fixture
def github(
    workspace: Workspace, github_proxy: GitHubProxy, github_repository: EmulatedRepository
) -> Workspace:
    """The workspace of this test, connected to the emulator through the proxy."""
    settings = workspace.settings.model_copy(
        update={
            "github_api_url": github_proxy.api_url,
            "github_token": SecretStr(token_of(FILER)),
            "github_repository": github_repository.name,
        }
    )
    policy = workspace.config.policy.model_copy(update={"max_new_issues_per_run": 20})
    config = workspace.config.model_copy(update={"policy": policy})
    return replace(workspace, settings=settings, config=config)


def numbers_of(workspace: Workspace) -> dict[int, int]:
    """The issue's number of every theme that was filed."""
    with workspace.database.session() as session:
        records = load_issues(session)
    return {theme: record.filed.number for theme, record in records.items() if record.filed}


def test_a_release_cycle_keeps_every_human_act_doubles_nothing_and_adds_up(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    before = with_versions(github, (OLD, A_RELEASED), upcoming=NEW)
    themes = seed_themes(before, NAMES)
    counts = dict.fromkeys(NAMES, 120) | {"other": 400}
    report_on(before, OLD, counts, themes, start=A_RELEASED, end=B_RELEASED)
    count_anew(before)
    assert file(before, dry_run=False, resend_after=AT_ONCE).filed == len(NAMES)
    follow(before)
    number = {name: numbers_of(before)[theme] for name, theme in themes.items()}
    repository = github_repository
    assert {i["milestone"]["title"] for i in repository.issues()} == {NEW}

    # people act
    labels = repository.labels(number["memory"]) - {"priority: P2"}
    repository.edit_issue(
        number["memory"], by="juno", labels=[*labels, "priority: P0", "hot"], assignees=["okan"]
    )
    repository.comment(number["shell"], f"Duplicate of #{number['parser']}", by="tesse")
    repository.edit_issue(number["table"], by="juno", state="closed", state_reason="not_planned")
    text = repository.issue(number["unit"])["body"]
    repository.edit_issue(number["unit"], by="okan", body=f"Seen in house too.\n\n{text}")
    repository.comment(number["parser"], f"/triage claim {NEW} because I know how", by="mira")
    repository.edit_issue(number["tone"], by="mira", state="closed", state_reason="completed")
    follow(before)
    follow(before)

    # more reports on the old version: quiet where it is claimed
    report_on(before, OLD, {"parser": 150}, themes, start=A_RELEASED, end=B_RELEASED)
    count_anew(before)
    follow(before)
    assert says(repository, number["parser"], "people** report it now") == 0

    # the release, and reports on it
    after = with_versions(github, (OLD, A_RELEASED), (NEW, B_RELEASED), upcoming=NEXT)
    serve(after, OLD, A_RELEASED, B_RELEASED)
    serve(after, NEW, B_RELEASED)
    fresh = {"memory": 66, "unit": 66, "tone": 66, "other": 220}
    report_on(after, NEW, fresh, themes, start=B_RELEASED, end=TODAY)
    count_anew(after)
    follow(after)
    summary = judge(after)
    assert summary.outcome is not None
    verdicts = {one.theme_id: one.verdict for one in summary.outcome.themes}
    assert verdicts[themes["parser"]] is ReleaseVerdict.FIXED
    for name in ("memory", "unit", "tone"):
        assert verdicts[themes[name]] is ReleaseVerdict.UNCHANGED
    assert themes["table"] not in verdicts
    for _ in range(3):
        judge(after)
        follow(after)

    # fixed: closed with the figures; not fixed: carried over; people's closings stand
    parser = repository.issue(number["parser"])
    assert (parser["state"], parser["state_reason"]) == ("closed", "completed")
    assert says(repository, number["parser"], f"### {NEW}: fixed") == 1
    assert says(repository, number["parser"], "95 % interval") == 1
    for name in ("memory", "unit"):
        issue = repository.issue(number[name])
        assert (issue["state"], issue["milestone"]["title"]) == ("open", NEXT)
        assert says(repository, number[name], f"### {NEW}: unchanged") == 1
    assert says(repository, number["memory"], "quick fix did not help") == 1
    assert repository.issue(number["tone"])["state"] == "closed"
    assert says(repository, number["tone"], "A person closed this") == 1
    assert repository.issue(number["table"])["state_reason"] == "not_planned"
    assert repository.comments(number["table"]) == []

    # every human act survived
    assert {"priority: P0", "hot"} <= repository.labels(number["memory"])
    assert [p["login"] for p in repository.issue(number["memory"])["assignees"]] == ["okan"]
    assert repository.issue(number["unit"])["body"].startswith("Seen in house too.\n\n")
    assert "**186 people**" in repository.issue(number["unit"])["body"]
    shell = repository.issue(number["shell"])
    assert shell["state"] == "closed"
    assert says(repository, number["shell"], f"same failure as #{number['parser']}") == 1
    with after.database.session() as session:
        assert load_theme(session, f"T{themes['shell']}").theme_id == themes["parser"]
        assert load_theme(session, f"T{themes['table']}").status is ThemeStatus.DISMISSED
        said = {w.field: w.value for w in load_corrections(session)[themes["memory"]]}
    assert said["priority"] == "P0"
    assert said["claim"] == NEW

    # nothing is doubled
    marked = [marker_in(issue["body"], after.marker_key) for issue in repository.issues()]
    assert sorted(map(str, marked)) == sorted(str(theme) for theme in themes.values())

    # the ledger adds up
    with after.database.session() as session:
        rows = load_ledger(session, after)
        members = load_theme_reports(session)
    for name in ("parser", "memory", "unit", "tone"):
        own = [row for row in rows if row.theme_id == themes[name]]
        assert sum(row.reports for row in own) == len(members[themes[name]])
    standing = {(row.theme_id, row.version): row.standing for row in rows}
    assert standing[themes["parser"], NEW] is Standing.VERIFIED
    assert standing[themes["memory"], NEW] is Standing.REPORTED


@pytest.mark.parametrize("recurrence", [Recurrence.REOPEN, Recurrence.NEW_ISSUE])
def test_what_comes_back_is_reopened_or_filed_anew_and_never_both(
    github: Workspace, github_repository: EmulatedRepository, recurrence: Recurrence
) -> None:
    releases = Releases(recurrence=recurrence)
    github = replace(github, config=github.config.model_copy(update={"releases": releases}))
    c_released = TODAY - timedelta(days=40)
    before = with_versions(github, (OLD, A_RELEASED), upcoming=NEW)
    themes = seed_themes(before, ["parser"])
    report_on(before, OLD, {"parser": 60, "other": 300}, themes, start=A_RELEASED, end=c_released)
    count_anew(before)
    file(before, dry_run=False, resend_after=AT_ONCE)
    follow(before)
    (number,) = numbers_of(before).values()
    middle = TODAY - timedelta(days=100)
    released = with_versions(github, (OLD, A_RELEASED), (NEW, middle), upcoming=NEXT)
    report_on(released, NEW, {"other": 300}, themes, start=middle, end=TODAY)
    serve(released, OLD, A_RELEASED, c_released)
    serve(released, NEW, middle)
    judge(released)
    assert github_repository.issue(number)["state"] == "closed"

    again = with_versions(
        github, (OLD, A_RELEASED), (NEW, middle), (NEXT, c_released), upcoming=LATER
    )
    report_on(again, NEXT, {"parser": 60, "other": 150}, themes, start=c_released, end=TODAY)
    serve(again, NEXT, c_released)
    count_anew(again)
    for _ in range(3):
        judge(again)
        follow(again)
        file(again, dry_run=False, resend_after=AT_ONCE)
    with again.database.session() as session:
        held = load_verifications(session)[themes["parser"], NEXT]
        past = load_past_issues(session, github_repository.name)
    assert held.verdict is ReleaseVerdict.REGRESSED
    states = [issue["state"] for issue in github_repository.issues()]
    if recurrence is Recurrence.REOPEN:
        assert states == ["open"]
        assert past == {}
    else:
        assert states == ["closed", "open"]
        assert past == {number: themes["parser"]}
        assert "It was mended once and came back" in github_repository.issues()[1]["body"]
    assert says(github_repository, number, "It came back") == 1


def test_silence_is_not_a_fix(github: Workspace, github_repository: EmulatedRepository) -> None:
    before = with_versions(github, (OLD, A_RELEASED), upcoming=NEW)
    themes = seed_themes(before, ["parser"])
    counts = {"parser": 60, "other": 300}
    report_on(before, OLD, counts, themes, start=A_RELEASED, end=B_RELEASED)
    count_anew(before)
    file(before, dry_run=False, resend_after=AT_ONCE)
    follow(before)
    after = with_versions(github, (OLD, A_RELEASED), (NEW, B_RELEASED), upcoming=NEXT)
    summary = judge(after)
    follow(after)
    assert summary.counts["not enough evidence"] == 1
    assert [issue["state"] for issue in github_repository.issues()] == ["open"]
    with after.database.session() as session:
        rows = load_ledger(session, after)
    assert {row.version: row.standing for row in rows}[NEW] is Standing.NOT_OBSERVABLE
