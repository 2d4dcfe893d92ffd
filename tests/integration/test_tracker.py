"""The tracker against a GitHub API that runs on this machine, over real HTTP."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from tests.integration.github.emulator import (
    APP_ID,
    FILER,
    INSTALLATION_ID,
    Emulator,
    token_of,
)
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.errors import SettingsError, TrackerError, TrackerRateLimited
from triage.filing import marker, marker_in, render_draft_file, with_fallback_assignee
from triage.filing.sections import OWNER_HEADING
from triage.settings import Settings
from triage.tracker import (
    AppLogin,
    ConsoleTracker,
    GitHubTracker,
    open_session,
    open_tracker,
)
from triage.tracker.limits import asked_wait_seconds
from triage.types import FiledIssue, IssueDraft

KEY = b"a key for tests"
ISSUES = r"/issues$"
YESTERDAY = datetime.now(UTC) - timedelta(days=1)

MakeTracker = Callable[..., GitHubTracker]


@pytest.fixture
def tracker_for(github_proxy: GitHubProxy, github_repository: EmulatedRepository) -> MakeTracker:
    """Makes a tracker of this test's repository; without arguments, the filer's token's."""

    def make(repository: str = github_repository.name, **login: object) -> GitHubTracker:
        login = login or {"token": token_of(FILER)}
        return GitHubTracker(
            open_session(api_url=github_proxy.api_url, **login),  # type: ignore[arg-type]
            repository,
            theme_of=lambda body: marker_in(body, KEY),
            with_fallback=with_fallback_assignee,
        )

    return make


def draft_of(theme_id: int = 7, **changes: object) -> IssueDraft:
    hidden = marker(theme_id, KEY)
    draft = IssueDraft(
        theme_id=theme_id,
        title="[tool-use] Corvane repeats a tool call that already succeeded",
        body=f"What fails: 汉字 and `code`.\n\n{OWNER_HEADING}\n\nText.\n\n{hidden}",
        labels=("capability: tool-use", "fundamental", "priority: P1"),
        milestone="corvane-4.3",
        assignee="okan",
        fallback_assignee="juno",
        marker=hidden,
    )
    return replace(draft, **changes)  # type: ignore[arg-type]


def names(entries: list[dict[str, str]], field: str = "login") -> list[str]:
    return [entry[field] for entry in entries]


# --- what is created -------------------------------------------------------------------------


def test_an_issue_appears_with_labels_milestone_and_assignee(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    filed = tracker_for().create(draft_of())

    [issue] = github_repository.issues()
    assert (issue["title"], issue["body"]) == (draft_of().title, draft_of().body)
    assert sorted(names(issue["labels"], "name")) == sorted(draft_of().labels)
    assert issue["milestone"]["title"] == "corvane-4.3"
    assert names(issue["assignees"]) == ["okan"]
    web_url = github_proxy.api_url.removesuffix("/api/v3")
    expected = f"{web_url}/{github_repository.name}/issues/{issue['number']}"
    assert filed == FiledIssue(github_repository.name, issue["number"], expected)


def test_labels_tell_verdict_and_priority_apart_by_colour(
    tracker_for: MakeTracker, github_repository: EmulatedRepository
) -> None:
    tracker_for().create(draft_of(labels=("quick-fix", "fundamental", "priority: P0", "x")))
    labels = github_repository.request("GET", "/labels")
    assert len({label["color"] for label in labels}) == 4


def test_the_console_shows_to_the_letter_what_is_sent(
    tracker_for: MakeTracker, github_proxy: GitHubProxy, tmp_path: Path
) -> None:
    draft = draft_of(title="[bold]no markup[/bold] " + "long " * 40)
    screen = io.StringIO()
    ConsoleTracker(tmp_path, render_draft_file).show(draft, Console(file=screen, width=40))
    tracker_for().create(draft)

    shown = json.loads(screen.getvalue())
    assert shown == draft.payload
    [sent] = github_proxy.sent("POST", ISSUES)
    assert {**sent.body, "milestone": None} == {**shown, "milestone": None}


def test_existing_labels_and_milestones_are_used_even_if_closed(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    github_repository.request("POST", "/labels", json={"name": "Fundamental", "color": "ffffff"})
    github_repository.request(
        "POST", "/milestones", json={"title": "corvane-4.3", "state": "closed"}
    )
    tracker = tracker_for()
    tracker.create(draft_of(1, labels=("fundamental", "priority: P1")))
    tracker.create(draft_of(2, labels=("fundamental", "priority: P1")))

    assert len(github_repository.request("GET", "/milestones?state=all")) == 1
    assert [r.body["name"] for r in github_proxy.sent("POST", r"/labels$")] == ["priority: P1"]
    assert (
        names([i["milestone"] for i in github_repository.issues()], "title") == ["corvane-4.3"] * 2
    )


def test_a_label_that_another_process_creates_first_is_used(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    def first() -> object:
        return github_repository.request("POST", "/labels", json={"name": "fundamental"})

    github_proxy.fail("POST", r"/labels$", meanwhile=first)
    tracker_for().create(draft_of(labels=("fundamental",)))
    assert [r.status for r in github_proxy.sent("POST", r"/labels$")] == [422]
    assert len(github_repository.issues()) == 1


def test_a_draft_without_owner_and_milestone_is_filed(
    tracker_for: MakeTracker, github_repository: EmulatedRepository
) -> None:
    tracker_for().create(draft_of(assignee=None, fallback_assignee=None, milestone=None, labels=()))
    [issue] = github_repository.issues()
    assert (issue["assignees"], issue["milestone"], issue["labels"]) == ([], None, [])


# --- who is assigned -------------------------------------------------------------------------


def test_an_unknown_owner_gives_way_to_the_fallback_and_is_named_in_the_body(
    tracker_for: MakeTracker, github_repository: EmulatedRepository
) -> None:
    tracker_for().create(draft_of(assignee="nobody-here"))
    [issue] = github_repository.issues()
    assert names(issue["assignees"]) == ["juno"]
    assert "`nobody-here` could not be assigned" in issue["body"]
    assert marker_in(issue["body"], KEY) == 7


def test_without_an_assignable_fallback_nobody_is_assigned(
    tracker_for: MakeTracker, github_repository: EmulatedRepository
) -> None:
    tracker_for().create(draft_of(assignee="nobody-here", fallback_assignee="nor-here"))
    [issue] = github_repository.issues()
    assert issue["assignees"] == []
    assert "Nobody is assigned." in issue["body"]


@pytest.mark.parametrize(("refusals", "assigned"), [(1, ["juno"]), (2, [])])
def test_a_422_over_the_assignee_files_without_him_and_creates_one_issue(
    tracker_for: MakeTracker,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    refusals: int,
    assigned: list[str],
) -> None:
    error = {"resource": "Issue", "field": "assignees", "code": "invalid"}
    body = {"message": "Validation Failed", "errors": [error]}
    github_proxy.fail("POST", ISSUES, status=422, body=body, times=refusals)
    tracker_for().create(draft_of())

    [issue] = github_repository.issues()
    assert names(issue["assignees"]) == assigned
    assert "`okan` could not be assigned" in issue["body"]


def test_another_422_is_an_error_that_says_what_github_says(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    error = {"resource": "Issue", "field": "body", "message": "body is too long"}
    github_proxy.fail(
        "POST", ISSUES, status=422, body={"message": "Validation Failed", "errors": [error]}
    )
    with pytest.raises(TrackerError, match="body is too long"):
        tracker_for().create(draft_of())
    assert len(github_proxy.sent("POST", ISSUES)) == 1
    assert github_repository.issues() == []


# --- what goes wrong on the way ----------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429])
def test_a_short_wait_is_waited_and_the_issue_filed_once(
    tracker_for: MakeTracker,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    status: int,
) -> None:
    github_proxy.fail("POST", ISSUES, status=status, headers={"Retry-After": "1"}, body={})
    began = time.monotonic()
    tracker_for().create(draft_of())
    assert time.monotonic() - began >= 1.0
    assert [r.status for r in github_proxy.sent("POST", ISSUES)] == [status, 201]
    assert len(github_repository.issues()) == 1


def test_a_spent_primary_limit_is_waited_out(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    reset = str(int(time.time()) + 1)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    github_proxy.fail("POST", ISSUES, status=403, headers=headers, body={})
    tracker_for().create(draft_of())
    assert time.time() >= int(reset)
    assert len(github_repository.issues()) == 1


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (403, {"Retry-After": "30"}, 30.0),
        (429, {"Retry-After": "Thu, 01 Jan 1970 00:16:45 GMT"}, 15.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000"}, 11.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "900"}, 1.0),
        (403, {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1000"}, None),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
        (429, {"Retry-After": "soon"}, None),
        (403, {}, None),
        (502, {"Retry-After": "30"}, None),
    ],
)
def test_a_wait_is_reckoned_by_the_servers_clock(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    dated = {**headers, "Date": "Thu, 01 Jan 1970 00:16:30 GMT"}  # 990 s
    assert asked_wait_seconds(status, dated, now=5e9) == seconds
    assert asked_wait_seconds(status, headers, now=990.0) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"Retry-After": "61"}, {}),
        (429, {"Retry-After": "3600"}, {}),
        (429, {}, {}),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}, {}),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}),
    ],
)
def test_a_long_or_unknown_wait_ends_the_run_without_a_second_request(
    tracker_for: MakeTracker,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    status: int,
    headers: dict[str, str],
    body: dict[str, str],
) -> None:
    github_proxy.fail("POST", ISSUES, status=status, headers=headers, body=body)
    with pytest.raises(TrackerRateLimited):
        tracker_for().create(draft_of())
    assert len(github_proxy.sent("POST", ISSUES)) == 1
    assert github_repository.issues() == []


def test_a_403_without_a_wait_names_the_missing_right(
    tracker_for: MakeTracker, github_proxy: GitHubProxy
) -> None:
    said = {"message": "Resource not accessible by integration"}
    github_proxy.fail("POST", ISSUES, status=403, body=said)
    with pytest.raises(TrackerError, match=r"rights.*not accessible by integration.*Issues: read"):
        tracker_for().create(draft_of())
    assert len(github_proxy.sent("POST", ISSUES)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502, "after_write": True},
        {"status": 500, "after_write": True, "body": "<html>oops</html>"},
        {"drop": True, "after_write": True},
        {"status": 201, "after_write": True, "body": "<html>not the API</html>"},
    ],
    ids=["502", "500", "dropped", "garbled"],
)
def test_an_answer_lost_after_the_write_is_not_sent_again_and_the_issue_is_found(
    tracker_for: MakeTracker,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    fault: dict[str, object],
) -> None:
    github_proxy.fail("POST", ISSUES, **fault)
    with pytest.raises(TrackerError, match="looks for its marker"):
        tracker_for().create(draft_of())

    assert len(github_proxy.sent("POST", ISSUES)) == 1
    [issue] = github_repository.issues()
    found = tracker_for().find_filed(since=datetime.now(UTC))
    assert {theme: filed.number for theme, filed in found.items()} == {7: issue["number"]}


@pytest.mark.parametrize("fault", [{"status": 502}, {"drop": True}], ids=["502", "dropped"])
def test_a_failure_before_the_write_is_not_sent_again_and_nothing_is_found(
    tracker_for: MakeTracker,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    fault: dict[str, object],
) -> None:
    github_proxy.fail("POST", ISSUES, **fault)
    with pytest.raises(TrackerError, match="looks for its marker"):
        tracker_for().create(draft_of())
    assert len(github_proxy.sent("POST", ISSUES)) == 1
    assert tracker_for().find_filed(since=YESTERDAY) == {}
    assert github_repository.issues() == []


def test_an_answer_that_comes_too_late_counts_as_lost(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    github_proxy.fail("POST", ISSUES, delay_seconds=1.5)
    with pytest.raises(TrackerError, match="ReadTimeout"):
        tracker_for(token=token_of(FILER), timeout_seconds=0.5).create(draft_of())
    assert len(github_repository.issues()) == 1
    assert len(tracker_for().find_filed(since=YESTERDAY)) == 1


def test_an_answer_that_comes_late_but_in_time_is_taken(
    tracker_for: MakeTracker, github_proxy: GitHubProxy
) -> None:
    github_proxy.fail("POST", ISSUES, delay_seconds=0.5)
    assert tracker_for().create(draft_of()).number == 1


def test_a_field_that_the_library_misses_does_not_lose_a_created_issue(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    bare = {"number": 1, "html_url": "https://github.example/x/issues/1"}
    github_proxy.fail("POST", ISSUES, status=201, body=bare, after_write=True)
    assert tracker_for().create(draft_of()).number == 1
    assert len(github_repository.issues()) == 1


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 429, "body": {}}, {"drop": True}])
def test_reading_is_tried_again(
    tracker_for: MakeTracker, github_proxy: GitHubProxy, fault: dict[str, object]
) -> None:
    tracker_for().create(draft_of())
    github_proxy.fail("GET", ISSUES, times=2, **fault)
    assert list(tracker_for().find_filed(since=YESTERDAY)) == [7]


def test_reading_is_given_up_in_the_end(
    tracker_for: MakeTracker, github_proxy: GitHubProxy
) -> None:
    github_proxy.fail("GET", ISSUES, times=99, status=503)
    with pytest.raises(TrackerError, match="GitHub failed"):
        tracker_for().find_filed(since=YESTERDAY)
    assert len(github_proxy.sent("GET", ISSUES)) == 4


def test_no_server_is_an_error_that_names_the_setting() -> None:
    github = open_session(api_url="http://127.0.0.1:9", token="x", timeout_seconds=1)
    tracker = GitHubTracker(
        github, "a/b", theme_of=lambda _: None, with_fallback=with_fallback_assignee
    )
    with pytest.raises(TrackerError, match="TRIAGE_GITHUB_API_URL"):
        tracker.find_filed(since=YESTERDAY)


def test_an_address_that_is_no_api_is_told_so(
    github_proxy: GitHubProxy, tracker_for: MakeTracker
) -> None:
    github_proxy.fail("GET", ISSUES, status=200, body="<html>a web page</html>")
    with pytest.raises(TrackerError, match="/api/v3"):
        tracker_for().find_filed(since=YESTERDAY)


# --- what is found again -----------------------------------------------------------------------


def test_forged_and_foreign_markers_are_ignored(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    forged = marker(7, b"another key")
    github_repository.open_issue("forged", f"text\n{forged}")
    github_repository.open_issue("cut", marker(7, KEY)[:-8])
    github_repository.open_issue("empty", None)
    pull = github_repository.open_issue("a pull request", marker(9, KEY))
    github_proxy.scene.pull_requests.add(pull)
    assert tracker_for().find_filed(since=YESTERDAY) == {}


def test_of_two_issues_with_one_marker_the_older_counts(
    tracker_for: MakeTracker, github_repository: EmulatedRepository
) -> None:
    filed = tracker_for().create(draft_of())
    github_repository.open_issue("a copy", draft_of().body)
    assert tracker_for().find_filed(since=YESTERDAY) == {7: filed}


def test_an_issue_is_found_closed_without_labels_and_behind_many_others(
    tracker_for: MakeTracker, github_repository: EmulatedRepository
) -> None:
    for number in range(101):
        github_repository.open_issue(f"other {number}", "text")
    filed = tracker_for().create(draft_of())
    github_repository.edit_issue(filed.number, state="closed", labels=[])
    assert tracker_for().find_filed(since=datetime.now(UTC)) == {7: filed}


# --- who logs in, and what is not said ----------------------------------------------------------


def test_a_github_app_files_as_its_installation(
    tracker_for: MakeTracker,
    github_emulator: Emulator,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    app = AppLogin(APP_ID, INSTALLATION_ID, github_emulator.app_private_key)
    tracker = tracker_for(app=app)
    assert tracker.can_write() is None
    tracker.create(draft_of())

    [issue] = github_repository.issues()
    assert issue["user"]["type"] == "Bot"
    assert len(github_proxy.sent("POST", "access_tokens")) == 1


def test_an_app_fetches_a_new_token_before_the_old_one_ends(
    tracker_for: MakeTracker, github_emulator: Emulator, github_proxy: GitHubProxy
) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    body = {"token": token_of(FILER), "expires_at": soon, "permissions": {"issues": "read"}}
    github_proxy.fail("POST", "access_tokens", status=201, body=body)
    app = AppLogin(APP_ID, INSTALLATION_ID, github_emulator.app_private_key)
    tracker = tracker_for(app=app)
    tracker.find_filed(since=YESTERDAY)
    tracker.find_filed(since=YESTERDAY)
    assert len(github_proxy.sent("POST", "access_tokens")) == 2


def test_a_key_that_is_none_is_a_settings_error(tracker_for: MakeTracker) -> None:
    tracker = tracker_for(app=AppLogin(APP_ID, INSTALLATION_ID, "not a key"))
    with pytest.raises(SettingsError, match="TRIAGE_GITHUB_APP_PRIVATE_KEY"):
        tracker.create(draft_of())


def test_a_foreign_installation_is_refused_with_a_remedy(
    tracker_for: MakeTracker, github_emulator: Emulator
) -> None:
    app = AppLogin(APP_ID, 999, github_emulator.app_private_key)
    with pytest.raises(TrackerError, match="installation 999 of App 4242"):
        tracker_for(app=app).find_filed(since=YESTERDAY)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "no login"),
        ({"github_app_id": 3}, "INSTALLATION_ID and TRIAGE_GITHUB_APP_PRIVATE_KEY is not set"),
        ({"github_token": "t", "github_api_url": "api.github.com"}, "not an address"),
        ({"github_token": "t", "github_api_url": "https://u:p@github.example"}, "not an address"),
    ],
)
def test_a_login_that_is_missing_or_half_set_is_a_settings_error(
    settings: dict[str, object], problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem):
        open_tracker(
            Settings(**settings),  # type: ignore[arg-type]
            "fennwick/corvane",
            theme_of=lambda _: None,
            with_fallback=with_fallback_assignee,
        )


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 401, "body": {"message": "Bad credentials"}},
        {"status": 403, "body": {"message": "Forbidden"}},
        {"status": 502, "after_write": True},
        {"drop": True},
        {"status": 403, "headers": {"Retry-After": "1"}, "body": {}},
    ],
)
def test_the_token_is_in_no_message_and_in_no_log(
    tracker_for: MakeTracker,
    github_proxy: GitHubProxy,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, object],
) -> None:
    secret = "ghp_a-secret-of-nobody-9876543210"
    caplog.set_level(logging.DEBUG)
    github_proxy.fail("POST", ISSUES, **fault)
    said = ""
    try:
        tracker_for(token=secret).create(draft_of())
    except TrackerError as error:
        said = str(error) + str(error.__cause__) + repr(error.__cause__)
    assert github_proxy.sent("POST", ISSUES)[0].headers["Authorization"] == f"token {secret}"
    assert "api/v3" in caplog.text
    assert secret not in said + caplog.text


# --- whether it can be written to at all ---------------------------------------------------------


def test_a_repository_that_takes_issues_has_no_blocker(tracker_for: MakeTracker) -> None:
    assert tracker_for().can_write() is None


@pytest.mark.parametrize(
    ("change", "blocker"),
    [({"archived": True}, "archived"), ({"has_issues": False}, "switched off")],
)
def test_a_repository_that_takes_no_issues_says_why(
    tracker_for: MakeTracker,
    github_repository: EmulatedRepository,
    change: dict[str, bool],
    blocker: str,
) -> None:
    github_repository.request("PATCH", "", json=change)
    assert blocker in str(tracker_for().can_write())


def test_a_missing_repository_a_bad_token_and_missing_rights_are_blockers(
    tracker_for: MakeTracker, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    assert "not found" in str(tracker_for("fennwick/nothing-here").can_write())
    assert "no login" in str(tracker_for(token=None).can_write())

    found = f"/repos/{github_repository.name}$"
    github_proxy.fail("GET", found, status=401, body={"message": "Bad credentials"})
    assert "does not accept the token" in str(tracker_for().can_write())

    readable = github_repository.request("GET", "")
    rights = dict.fromkeys(readable["permissions"], False) | {"pull": True}
    seen = github_proxy.scene.overlay({**readable, "permissions": rights})
    github_proxy.fail("GET", found, status=200, body=seen)
    assert "may not write" in str(tracker_for().can_write())


def test_an_app_without_the_permission_is_a_blocker(
    tracker_for: MakeTracker, github_emulator: Emulator, github_proxy: GitHubProxy
) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"token": token_of(FILER), "expires_at": later, "permissions": {"issues": "read"}}
    github_proxy.fail("POST", "access_tokens", status=201, body=body)
    app = AppLogin(APP_ID, INSTALLATION_ID, github_emulator.app_private_key)
    assert "may not write" in str(tracker_for(app=app).can_write())


def test_switched_off_issues_are_named_when_creating(
    tracker_for: MakeTracker, github_proxy: GitHubProxy
) -> None:
    said = {"message": "Issues has been disabled in this repository."}
    github_proxy.fail("POST", ISSUES, status=410, body=said)
    with pytest.raises(TrackerError, match="switched off"):
        tracker_for().create(draft_of())


# --- the folder of a dry run --------------------------------------------------------------------


def test_the_folder_holds_exactly_this_runs_drafts(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "drafts"
    console = ConsoleTracker(folder, render_draft_file)
    console.write([draft_of(1), draft_of(2)])
    (folder / "notes.md").write_text("mine", "utf-8")
    written = console.write([draft_of(2, title="newer"), draft_of(3)])

    assert sorted(p.name for p in folder.iterdir()) == ["T2.md", "T3.md", "notes.md"]
    assert [p.name for p in written] == ["T2.md", "T3.md"]
    assert "newer" in written[0].read_text("utf-8")


def test_a_draft_that_cannot_be_rendered_leaves_the_earlier_file_whole(tmp_path: Path) -> None:
    ConsoleTracker(tmp_path, render_draft_file).write([draft_of(1)])
    before = (tmp_path / "T1.md").read_text("utf-8")

    def broken(draft: IssueDraft) -> str:
        raise ValueError(draft.title)

    with pytest.raises(ValueError, match="Corvane"):
        ConsoleTracker(tmp_path, broken).write([draft_of(1)])
    assert [p.name for p in tmp_path.iterdir()] == ["T1.md"]
    assert (tmp_path / "T1.md").read_text("utf-8") == before


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(TrackerError, match="TRIAGE_HOME"):
        ConsoleTracker(tmp_path / "file" / "drafts", render_draft_file).write([])
