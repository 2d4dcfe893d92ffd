"""Issues in both directions: people's acts become corrections and are never undone."""

from __future__ import annotations

import pytest

from flows.file_issues import file
from tests.flows.seeding import seed_theme
from tests.flows.syncing import (
    AT_ONCE,
    decide_anew,
    grow,
    look,
    seed_filed,
    words,
)
from tests.integration.github.emulator import FILER
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.filing.marker import SECTION_BEGIN, SECTION_END
from triage.store.actions import load_open_actions
from triage.store.heard import load_heard
from triage.store.life import load_life
from triage.store.themes import load_theme, load_themes, set_theme_status
from triage.types import Priority, ThemeStatus, Verdict
from triage.workspace import Workspace


def test_a_second_look_at_an_unchanged_issue_writes_nothing(
    github: Workspace, github_proxy: GitHubProxy
) -> None:
    seed_filed(github, "parser")
    github_proxy.requests.clear()
    assert look(github)["to update"] == 0
    assert [r for r in github_proxy.requests if r.method != "GET"] == []


def test_a_label_an_assignee_and_a_milestone_set_by_people_are_corrections_that_stay(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    labels = [*(github_repository.labels(number) - {"fundamental", "priority: P2"})]
    github_repository.edit_issue(
        number, by="juno", labels=[*labels, "quick-fix", "priority: P0"], assignees=["okan"]
    )
    look(github)
    said = words(github, theme_id)
    assert said["verdict"] == ("quick-fix", "juno")
    assert said["priority"] == ("P0", "juno")
    assert said["owner"] == ("okan", "juno")
    assert said["claim"] == ("corvane-4.3", "juno")
    decide_anew(github, theme_id, priority=Priority.P3)
    look(github, days=40)
    assert {"quick-fix", "priority: P0"} <= github_repository.labels(number)
    assert [p["login"] for p in github_repository.issue(number)["assignees"]] == ["okan"]


@pytest.mark.parametrize("reason", ["completed", "not_planned"])
def test_a_closing_by_a_person_is_kept_with_its_reason_and_not_undone(
    github: Workspace, github_repository: EmulatedRepository, reason: str
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.edit_issue(number, by="juno", state="closed", state_reason=reason)
    look(github)
    assert words(github, theme_id)["state"] == (f"closed: {reason}", "juno")
    grow(github, theme_id, 40)
    look(github)
    assert github_repository.issue(number)["state"] == "closed"
    assert github_repository.comments(number) == []
    with github.database.session() as session:
        status = load_theme(session, f"T{theme_id}").status
    assert (status is ThemeStatus.DISMISSED) == (reason == "not_planned")


def test_reopening_takes_a_theme_up_again(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.edit_issue(number, by="juno", state="closed", state_reason="not_planned")
    look(github)
    github_repository.edit_issue(number, by="okan", state="open")
    look(github)
    look(github)
    assert github_repository.issue(number)["state"] == "open"
    with github.database.session() as session:
        assert load_theme(session, f"T{theme_id}").status is ThemeStatus.OPEN


def test_a_command_is_answered_by_one_reaction_and_no_comment(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    comment = github_repository.comment(
        number,
        "I looked at it.\n\n/triage verdict quick-fix because the parser drops it\n"
        "/triage claim 4.3\r\n/triage owner @tesse",
        by="juno",
    )
    github_repository.comment(number, "/triage claim corvane-4.3", by="okan")
    for _ in range(3):
        look(github)
    said = words(github, theme_id)
    assert said["verdict"] == ("quick-fix", "juno")
    assert said["owner"] == ("tesse", "juno")
    assert said["claim"] == ("corvane-4.3", "okan")
    assert github_proxy.scene.answers[0] == (comment, "confused")  # 4.3 is no name of a version
    assert [c["user"]["login"] for c in github_repository.comments(number)].count(FILER) == 1


def test_nobody_without_write_access_is_heard_nor_answered_at_length(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_proxy.scene.roles["waldo"] = "read"
    comment = github_repository.comment(number, "/triage not-planned", by="waldo")
    look(github)
    look(github)
    assert words(github, theme_id) == {}
    assert github_proxy.scene.answers == [(comment, "confused")]
    assert len(github_repository.comments(number)) == 1
    assert len(github_proxy.sent("GET", r"/collaborators/waldo/")) == 1


def test_programs_and_the_machine_itself_are_not_heard(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_proxy.scene.bots.add("waldo")
    github_repository.comment(number, "/triage not-planned", by="waldo")
    github_repository.comment(number, "/triage not-planned", by=FILER)
    look(github)
    assert words(github, theme_id) == {}
    assert github_proxy.scene.answers == []


def test_a_program_that_fights_back_gets_its_way_before_long(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_proxy.scene.bots.add("waldo")
    for _ in range(6):
        labels = github_repository.labels(number) - {"fundamental"}
        github_repository.edit_issue(number, by="waldo", labels=sorted(labels))
        look(github)
    assert "fundamental" not in github_repository.labels(number)
    assert len(github_proxy.sent("PATCH", rf"/issues/{number}$")) == 1
    assert words(github, theme_id) == {}


def test_edits_around_the_marked_part_stay_and_the_part_follows_the_numbers(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    body = github_repository.issue(number)["body"].replace("\n", "\r\n")
    github_repository.edit_issue(number, by="juno", body=f"Mira: see below.\r\n\r\n{body}\r\nEnd.")
    look(github)
    grow(github, theme_id, 7)
    assert look(github)["edits"] == 1
    fresh = github_repository.issue(number)["body"]
    assert fresh.startswith("Mira: see below.\r\n\r\n")
    assert fresh.endswith("\r\nEnd.")
    assert "**7 people**" in fresh
    assert (fresh.count(SECTION_BEGIN), fresh.count(SECTION_END)) == (1, 1)
    assert github_repository.comments(number) == []


def test_an_edit_inside_the_marked_part_is_kept_until_somebody_gives_it_back(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    body = github_repository.issue(number)["body"].replace("### What fails", "### What it is")
    github_repository.edit_issue(number, by="juno", body=body)
    look(github)
    grow(github, theme_id, 7)
    look(github)
    assert github_repository.issue(number)["body"] == body
    github_repository.comment(number, "/triage refresh", by="juno")
    look(github)
    assert "**7 people**" in github_repository.issue(number)["body"]


def test_an_edit_between_look_and_write_is_not_lost(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    grow(github, theme_id, 7)
    github_proxy.fail(
        "GET",
        rf"/issues/{number}$",
        meanwhile=lambda: github_repository.edit_issue(number, by="juno", labels=["mine"]),
    )
    look(github)
    assert github_repository.labels(number) == {"mine"}
    look(github)
    assert github_repository.labels(number) == {"mine"}
    assert "**7 people**" in github_repository.issue(number)["body"]


def test_a_comment_comes_when_the_reporters_doubled_and_once(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    grow(github, theme_id, 7)
    look(github)
    assert github_repository.comments(number) == []
    grow(github, theme_id, 8)
    look(github)
    look(github)
    (comment,) = github_repository.comments(number)
    assert "**8 people** report it now; it was 4" in comment["body"]
    assert "/triage mute" in comment["body"]


def test_a_new_version_and_another_verdict_are_told_in_one_comment(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    grow(github, theme_id, 5, **{"corvane-4.1": 1})
    decide_anew(github, theme_id, verdict=Verdict.QUICK_FIX, reasons=("The parser, @all.",))
    look(github)
    (comment,) = github_repository.comments(number)
    assert "`corvane-4.1` too" in comment["body"]
    assert "The verdict is **quick-fix** now, not fundamental." in comment["body"]
    assert "@all" not in comment["body"]
    assert "quick-fix" in github_repository.labels(number)


@pytest.mark.parametrize("command", ["/triage mute", "/triage claim corvane-4.3"])
def test_it_is_quiet_when_told_to_be_and_while_a_release_is_awaited(
    github: Workspace, github_repository: EmulatedRepository, command: str
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.comment(number, command, by="juno")
    look(github)
    grow(github, theme_id, 40)
    look(github)
    assert [c["user"]["login"] for c in github_repository.comments(number)] == ["juno"]
    assert "**40 people**" in github_repository.issue(number)["body"]


def test_the_priority_rises_at_once_and_falls_after_two_weeks_of_calm(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    decide_anew(github, theme_id, priority=Priority.P0)
    look(github)
    assert "priority: P0" in github_repository.labels(number)
    decide_anew(github, theme_id, priority=Priority.P3)
    look(github)
    look(github, days=13)
    assert "priority: P0" in github_repository.labels(number)
    look(github, days=15)
    assert "priority: P3" in github_repository.labels(number)
    assert words(github, theme_id) == {}


def test_duplicates_are_followed_to_the_end_and_closed_with_a_word(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    (a, first), (b, second), (c, third) = seed_filed(github, "parser", "memory", "shell")
    github_repository.comment(third, f"/triage merge #{second}", by="juno")
    github_repository.comment(second, f"Duplicate of #{first}", by="okan")
    look(github)
    look(github)
    with github.database.session() as session:
        assert [t.theme_id for t in load_themes(session)] == [a]
        assert load_theme(session, f"T{c}").theme_id == a
        assert load_theme(session, f"T{b}").theme_id == a
    assert [i["state"] for i in github_repository.issues()] == ["open", "closed", "closed"]
    for number in (second, third):
        said = [x["body"] for x in github_repository.comments(number)]
        assert sum(f"same failure as #{first}" in body for body in said) == 1
    told = [x["body"] for x in github_repository.comments(first)]
    assert sum("were merged into this theme" in body for body in told) == 1


def test_githubs_own_duplicate_is_followed(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    (a, first), (b, second) = seed_filed(github, "parser", "memory")
    github_proxy.scene.duplicates[second] = first
    github_repository.edit_issue(second, by="juno", state="closed")
    look(github)
    with github.database.session() as session:
        assert load_theme(session, f"T{b}").theme_id == a


def test_nothing_is_merged_into_a_circle_or_a_closed_issue(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    (_, first), (_, second), (_, third) = seed_filed(github, "parser", "memory", "shell")
    github_repository.comment(first, f"Duplicate of #{second}", by="juno")
    github_repository.comment(second, f"Duplicate of #{first}", by="okan")
    github_repository.edit_issue(second, by="okan", state="closed")
    comment = github_repository.comment(third, f"/triage merge #{second}", by="juno")
    look(github)
    look(github)
    with github.database.session() as session:
        assert len(load_themes(session)) == 3
        outcomes = " ".join(outcome for *_, outcome in load_heard(session, github_repository.name))
    assert "name each other as duplicates" in outcomes
    assert [i["state"] for i in github_repository.issues()] == ["open", "closed", "open"]
    assert "could not be done" in github_repository.comments(third)[-1]["body"]
    assert comment


def test_a_theme_that_was_set_aside_here_is_closed_there(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    with github.database.session() as session:
        set_theme_status(session, theme_id, ThemeStatus.DISMISSED)
    look(github)
    assert github_repository.issue(number)["state_reason"] == "not_planned"
    github_repository.edit_issue(number, by="juno", state="open")
    look(github)
    look(github)
    assert github_repository.issue(number)["state"] == "open"


def test_a_renamed_label_is_taken_over_and_no_correction(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.request("PATCH", "/labels/fundamental", json={"new_name": "deep"})
    grow(github, theme_id, 6)
    look(github)
    seed_theme(github.database, "memory")
    file(github, dry_run=False, resend_after=AT_ONCE)
    look(github)
    assert all("deep" in github_repository.labels(n) for n in (number, number + 1))
    assert all("fundamental" not in github_repository.labels(n) for n in (number, number + 1))
    assert words(github, theme_id) == {}


@pytest.mark.parametrize("after_write", [False, True])
def test_a_lost_answer_doubles_no_comment(
    github: Workspace,
    github_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    after_write: bool,
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    grow(github, theme_id, 9)
    github_proxy.fail("POST", r"/comments$", drop=True, after_write=after_write)
    github_proxy.fail("PATCH", r"/issues/\d+$", status=502, after_write=after_write)
    for _ in range(3):
        look(github)
    assert len(github_repository.comments(number)) == 1
    assert "**9 people**" in github_repository.issue(number)["body"]
    assert words(github, theme_id) == {}
    with github.database.session() as session:
        assert load_open_actions(session, github_repository.name) == []
        life = load_life(session, github_repository.name, number)
    assert life is not None
    assert life.held == {}


def test_a_rate_limit_stops_the_writing_and_the_next_look_goes_on(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    filed = seed_filed(github, "parser", "memory", "shell")
    for theme_id, _ in filed:
        grow(github, theme_id, 7)
    github_proxy.fail("PATCH", r"/issues/\d+$", meanwhile=lambda: None)
    github_proxy.fail("PATCH", r"/issues/\d+$", status=403, headers={"Retry-After": "4000"})
    assert look(github)["writes waiting"] == 2
    assert len(github_proxy.sent("PATCH", r"/issues/\d+$")) == 2
    look(github)
    assert all("**7 people**" in i["body"] for i in github_repository.issues())


def test_a_deleted_issue_is_left_alone_and_not_filed_again(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_proxy.scene.gone.add(number)
    grow(github, theme_id, 9)
    assert look(github)["issues gone"] == 1
    github_proxy.requests.clear()
    look(github)
    file(github, dry_run=False, resend_after=AT_ONCE)
    assert [r for r in github_proxy.requests if r.method != "GET"] == []


def test_an_archived_repository_is_read_and_not_written(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.comment(number, "/triage verdict quick-fix", by="juno")
    github_repository.request("PATCH", "", json={"archived": True})
    github_proxy.requests.clear()
    look(github)
    assert words(github, theme_id)["verdict"] == ("quick-fix", "juno")
    assert [r for r in github_proxy.requests if r.method != "GET"] == []


def test_a_locked_issue_gets_no_comment(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.request("PUT", f"/issues/{number}/lock", by="juno", json={})
    look(github)
    grow(github, theme_id, 9)
    look(github)
    assert github_repository.comments(number) == []
    assert "**9 people**" in github_repository.issue(number)["body"]


def test_a_removed_milestone_is_not_put_back(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    milestone = github_repository.issue(number)["milestone"]["number"]
    github_repository.request("DELETE", f"/milestones/{milestone}")
    grow(github, theme_id, 7)
    look(github)
    assert github_repository.issue(number)["milestone"] is None


def test_an_older_word_that_arrives_late_does_not_undo_a_newer_one(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.comment(number, "/triage verdict quick-fix", by="juno")
    github_proxy.fail("GET", r"/issues/comments$", status=200, body=[])
    look(github)
    github_repository.comment(number, "/triage verdict undecided", by="okan")
    look(github)
    assert words(github, theme_id)["verdict"] == ("undecided", "okan")


def test_a_dry_look_listens_and_writes_nothing(
    github: Workspace, github_repository: EmulatedRepository, github_proxy: GitHubProxy
) -> None:
    ((theme_id, number),) = seed_filed(github, "parser")
    github_repository.comment(number, "/triage verdict quick-fix", by="juno")
    grow(github, theme_id, 9)
    github_proxy.requests.clear()
    assert look(github, dry_run=True)["to update"] == 1
    assert words(github, theme_id)["verdict"] == ("quick-fix", "juno")
    assert [r for r in github_proxy.requests if r.method != "GET"] == []
