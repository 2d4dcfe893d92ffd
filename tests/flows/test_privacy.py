"""Privacy over the whole life of an issue: few reporters, sensitive themes, a human's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flows.correcting import apply_corrections
from flows.discretion import load_shown_blockers, load_withheld
from flows.file_issues import file
from flows.ledger import digest_rows
from flows.send_digests import load_digests
from flows.sync_issues import sync
from flows.write_report import draft_report
from tests.flows.seeding import seed_theme
from tests.integration.github.fixtures import EmulatedRepository
from triage.config.model import Privacy
from triage.digests import digest_text
from triage.filing.marker import SECTION_BEGIN
from triage.store.issues import load_issues
from triage.store.themes import load_blockers, save_blocker
from triage.workspace import Workspace

AT_ONCE = timedelta(0)
HARM = "it talks of self-harm"


def with_privacy(workspace: Workspace, **changes: object) -> Workspace:
    privacy = Privacy(**changes)
    return replace(workspace, config=workspace.config.model_copy(update={"privacy": privacy}))


def run(workspace: Workspace) -> dict[str, int]:
    return file(workspace, dry_run=False, resend_after=AT_ONCE).counts()


def look(workspace: Workspace) -> dict[str, int]:
    return sync(
        workspace,
        dry_run=False,
        now=datetime.now(UTC),
        pause_seconds=0,
        resend_after=AT_ONCE,
        apply=lambda _: None,
    )


def say(workspace: Workspace, theme_id: int, value: str) -> None:
    words = {"sensitive": value}
    apply_corrections(workspace, f"T{theme_id}", words, author="mira", because="I know")


def blocker(workspace: Workspace, theme_id: int) -> str:
    with workspace.database.session() as session:
        return load_blockers(session)[theme_id]


def file_in_both(
    github: Workspace, public: EmulatedRepository, private: EmulatedRepository
) -> tuple[Workspace, int, int]:
    """A sensitive theme filed in the private repository, then a plain one in the public."""
    both = with_privacy(github, private_repository=private.name)
    harm, plain = seed_theme(github.database, HARM), seed_theme(github.database, "parser")
    assert run(both)["filed"] == 2
    assert len(public.issues()) == len(private.issues()) == 1
    return both, harm, plain


def test_a_sensitive_theme_stays_inside_until_a_person_or_a_private_repository_lets_it_out(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    theme_id = seed_theme(github.database, HARM)
    assert run(github) == {"drafted": 0, "filed": 0, "waiting": 1}
    assert blocker(github, theme_id).startswith("sensitive: self-harm; privacy.private_repository")
    assert github_repository.issues() == []
    say(github, theme_id, "no")
    assert run(github)["filed"] == 1
    (issue,) = github_repository.issues()
    assert HARM in issue["title"]


def test_a_sensitive_theme_goes_to_the_private_repository_and_nowhere_else(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    private, harm, plain = file_in_both(github, github_repository, second_repository)
    (public_issue,), (private_issue,) = github_repository.issues(), second_repository.issues()
    assert "parser" in public_issue["title"]
    assert HARM not in public_issue["body"]
    assert f"{HARM} fails for person 1" in private_issue["body"]
    assert look(private)["to update"] == 0
    second_repository.edit_issue(private_issue["number"], by="mira", assignees=["okan"])
    assert look(private)["corrections"] > 0
    with github.database.session() as session:
        places = {t: r.repository for t, r in load_issues(session).items()}
    assert places == {harm: second_repository.name, plain: github_repository.name}


def test_what_is_known_of_an_issue_is_never_said_of_its_namesake_elsewhere(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    private, harm, plain = file_in_both(github, github_repository, second_repository)
    (public_issue,), (private_issue,) = github_repository.issues(), second_repository.issues()
    assert public_issue["number"] == private_issue["number"]
    look(private)
    github_repository.edit_issue(public_issue["number"], by="mira", title="Mine", state="closed")
    look(private)
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    waiting = {row["theme"] for row in digest_rows(private, in_a_year) if "nobody" in row["note"]}
    assert waiting == {f"T{harm}"}
    assert plain != harm


def test_a_public_theme_that_joins_a_private_one_is_closed_without_its_address(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    private, harm, plain = file_in_both(github, github_repository, second_repository)
    words = {"merge-into": f"T{harm}"}
    apply_corrections(private, f"T{plain}", words, author="mira", because="the same secret")
    look(private)
    look(private)
    (public_issue,), (private_issue,) = github_repository.issues(), second_repository.issues()
    assert (public_issue["state"], private_issue["state"]) == ("closed", "open")
    (said,) = [each["body"] for each in github_repository.comments(public_issue["number"])]
    assert "followed with others in another repository" in said
    assert second_repository.name not in said
    assert "#" not in said.partition("<sub>")[0]
    assert "secret" not in said
    assert look(private)["to update"] == 0


def test_a_private_repository_that_cannot_be_written_holds_back_its_own_themes_only(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    private = with_privacy(github, private_repository="fennwick/missing")
    theme_id = seed_theme(github.database, HARM)
    seed_theme(github.database, "parser")
    assert run(private) == {"drafted": 2, "filed": 1, "waiting": 1}
    assert "fennwick/missing" in blocker(github, theme_id)
    now = datetime.now(UTC)
    page = draft_report(private, now=now)[0]
    shown = page + str([digest_text(one) for one in load_digests(private, now)])
    assert "fennwick/missing" not in shown
    assert shown.count("the private repository") >= 2
    assert look(private)["private repository not reached"] == 1


def test_only_the_private_repository_s_own_name_is_hidden_in_blockers(github: Workspace) -> None:
    private = with_privacy(github, private_repository="fennwick/corvane")
    theme_id = seed_theme(github.database, HARM)
    said = "404 at /repos/Fennwick/corvane/issues (fennwick/corvane-tools is there)"
    with github.database.session() as session:
        save_blocker(session, theme_id, said)
    with github.database.session() as session:
        assert load_shown_blockers(session, github)[theme_id] == said
        assert load_shown_blockers(session, private)[theme_id] == (
            "404 at /repos/the private repository/issues (fennwick/corvane-tools is there)"
        )


def test_words_are_taken_off_a_theme_that_becomes_sensitive_and_the_issue_says_so(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    theme_id = seed_theme(github.database, "parser")
    run(github)
    (issue,) = github_repository.issues()
    number = issue["number"]
    look(github)
    # somebody edited our part, and so holds it: words that must go outrank that
    edited = issue["body"].replace(SECTION_BEGIN, f"{SECTION_BEGIN}\n\nSeen by me.")
    github_repository.edit_issue(number, by="mira", body=f"Mine stays.\n\n{edited}")
    look(github)
    say(github, theme_id, "yes")
    look(github)
    told = github_repository.issue(number)
    assert "for person" not in told["body"]
    assert "parser fails" not in told["title"] + told["body"]
    assert "Not quoted here: it is about something sensitive (a person said so)" in told["body"]
    assert told["body"].startswith("Mine stays.")
    (comment,) = github_repository.comments(number)
    assert "was taken off this issue" in comment["body"]
    with github.database.session() as session:
        assert "parser fails" not in str(load_issues(session)[theme_id].draft)
        assert list(load_withheld(session, github)) == [theme_id]
    digest = str(digest_rows(github, datetime.now(UTC) + timedelta(days=90)))
    assert "not quoted here" in digest
    assert "parser fails" not in digest
    assert look(github)["to update"] == 0
    say(github, theme_id, "no")
    look(github)
    told = github_repository.issue(number)
    assert "parser fails" in told["title"]
    assert "parser fails for person 1" in told["body"]
    assert "quoted again" in github_repository.comments(number)[-1]["body"]


def test_a_theme_of_too_few_people_is_filed_with_counts_only(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    seed_theme(github.database, "parser", people=4)
    run(with_privacy(github, min_reporters=5))
    (issue,) = github_repository.issues()
    assert "**4 people** report this" in issue["body"]
    assert "4 people reported it, and words are shown from 5 on" in issue["body"]
    assert "parser" not in issue["title"] + issue["body"]


def test_a_title_that_people_gave_stays_when_words_are_taken_off(
    github: Workspace, github_repository: EmulatedRepository
) -> None:
    theme_id = seed_theme(github.database, "parser")
    run(github)
    (issue,) = github_repository.issues()
    github_repository.edit_issue(issue["number"], by="mira", title="Our own title")
    say(github, theme_id, "yes")
    look(github)
    look(github)
    told = github_repository.issue(issue["number"])
    assert told["title"] == "Our own title"
    assert "for person" not in told["body"]
    assert look(github)["to update"] == 0
