"""A release and the private repository: verdicts are told there, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.correcting import apply_corrections
from flows.file_issues import file
from flows.ledger import digest_rows
from flows.send_digests import load_digests
from flows.verify_release import verify
from flows.write_report import draft_report
from tests.flows.releasing import (
    A_RELEASED,
    AT_ONCE,
    B_RELEASED,
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
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import GitHubProxy
from triage.config.model import Privacy, Recurrence, Releases
from triage.digests import digest_text
from triage.store.actions import load_open_actions
from triage.store.issues import load_issues
from triage.store.life import load_life, save_life
from triage.types import FiledIssue
from triage.verification import ReleaseVerdict
from triage.workspace import Workspace

COUNT = 120


class Cycle:
    """Reports on an old version, their issues in two repositories, and a release to judge.

    The themes of ``private`` are sensitive, since a person said so. Both repositories number
    their issues from one, so that each private issue has a public namesake.
    """

    def __init__(
        self,
        workspace: Workspace,
        public: EmulatedRepository,
        private: EmulatedRepository,
        names: dict[str, bool],
        releases: Releases | None = None,
    ) -> None:
        privacy = Privacy(private_repository=private.name)
        config = workspace.config.model_copy(
            update={"privacy": privacy, "releases": releases or Releases()}
        )
        self.repositories = {False: public, True: private}
        self.workspace = replace(workspace, config=config)
        before = with_versions(self.workspace, (OLD, A_RELEASED), upcoming=NEW)
        self.themes = seed_themes(before, list(names))
        self.is_private = names
        counts = dict.fromkeys(names, COUNT) | {"other": 400}
        report_on(before, OLD, counts, self.themes, start=A_RELEASED, end=B_RELEASED)
        count_anew(before)
        for name, is_private in names.items():
            if is_private:
                self.say(name, {"sensitive": "yes"})
        assert file(before, dry_run=False, resend_after=AT_ONCE).filed == len(names)
        follow(before)
        self.before = before

    def say(self, name: str, values: dict[str, str]) -> None:
        """A person's word on a theme."""
        theme = f"T{self.themes[name]}"
        apply_corrections(self.workspace, theme, values, author="mira", because="I know")

    def release(self, **counts: int) -> Workspace:
        """The workspace after the release, on which so many reports came."""
        after = with_versions(self.workspace, (OLD, A_RELEASED), (NEW, B_RELEASED), upcoming=NEXT)
        serve(after, OLD, A_RELEASED, B_RELEASED)
        serve(after, NEW, B_RELEASED)
        fresh = {"other": 220, **counts}
        report_on(after, NEW, fresh, self.themes, start=B_RELEASED, end=TODAY)
        count_anew(after)
        return after

    def filed(self, name: str) -> FiledIssue:
        """Where a theme's issue is."""
        with self.workspace.database.session() as session:
            found = load_issues(session)[self.themes[name]].filed
        assert found is not None
        return found

    def issue(self, name: str) -> Any:
        """A theme's issue as GitHub has it."""
        repository = self.repositories[self.is_private[name]]
        filed = self.filed(name)
        assert filed.repository == repository.name
        return repository.issue(filed.number)

    def says(self, name: str, text: str) -> int:
        """How many of our comments on a theme's issue say this."""
        return says(self.repositories[self.is_private[name]], self.filed(name).number, text)

    def told_in_public(self) -> str:
        """Every word of the public repository."""
        public = self.repositories[False]
        comments = [public.comments(issue["number"]) for issue in public.issues()]
        return str([*public.issues(), *comments])


def test_a_verdict_closes_and_carries_over_private_issues_once_and_says_nothing_outside(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    names = {"parser": False, "harm": True, "shell": False, "leak": True, "hole": True}
    cycle = Cycle(github, github_repository, second_repository, names)
    numbers = {name: cycle.filed(name).number for name in names}
    assert (numbers["parser"], numbers["shell"]) == (numbers["harm"], numbers["leak"])
    second_repository.edit_issue(
        numbers["hole"], by="mira", state="closed", state_reason="completed"
    )
    second_repository.comment(numbers["leak"], f"/triage claim {NEW} because I know how", by="mira")
    follow(cycle.before)
    after = cycle.release(parser=66, leak=66, hole=66)
    summary = judge(after)
    assert summary.outcome is not None
    verdicts = {one.theme_id: one.verdict for one in summary.outcome.themes}
    assert verdicts[cycle.themes["harm"]] is ReleaseVerdict.FIXED
    assert verdicts[cycle.themes["leak"]] is ReleaseVerdict.UNCHANGED
    for _ in range(2):
        judge(after)
        follow(after)

    assert (cycle.issue("harm")["state"], cycle.issue("harm")["state_reason"]) == (
        "closed",
        "completed",
    )
    assert cycle.says("harm", f"### {NEW}: fixed") == 1
    leak = cycle.issue("leak")
    assert (leak["state"], leak["milestone"]["title"]) == ("open", NEXT)
    assert cycle.says("leak", f"### {NEW}: unchanged") == 1
    assert cycle.says("leak", "quick fix did not help") == 1
    assert cycle.issue("hole")["state"] == "closed"
    assert cycle.says("hole", "A person closed this") == 1
    # and the namesakes have their own
    assert (cycle.issue("parser")["state"], cycle.issue("shell")["state"]) == ("open", "closed")
    assert cycle.says("parser", f"### {NEW}: unchanged") == 1
    assert cycle.says("parser", "###") == 1
    assert cycle.says("shell", f"### {NEW}: fixed") == 1

    told = cycle.told_in_public()
    in_time = datetime.now(UTC) + timedelta(days=90)
    digests = load_digests(after, datetime.now(UTC) + timedelta(days=7))
    messages = str([digest_text(digest) for digest in digests])
    page = draft_report(after, now=datetime.now(UTC))[0]
    digest = str(digest_rows(after, in_time))
    assert f"T{cycle.themes['harm']}" in messages  # its verdict is told to its owner
    for text in (told, messages, page, digest):
        assert second_repository.name not in text
        for name in ("harm", "leak", "hole"):
            assert f"{name} fails" not in text
    for text in (messages, page, digest):
        assert f"{github_repository.name}/issues/{numbers['parser']}" in text
    assert "filed in the private repository" in page


@pytest.mark.parametrize("after_write", [True, False])
def test_a_private_comment_whose_answer_was_lost_is_written_once(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
    after_write: bool,
) -> None:
    cycle = Cycle(github, github_repository, second_repository, {"harm": True})
    after = cycle.release()
    comments = rf"/{second_repository.name}/issues/\d+/comments$"
    github_proxy.fail("POST", comments, drop=True, after_write=after_write)
    judge(after)
    assert cycle.issue("harm")["state"] == "open"  # the closing waits for what announces it
    judge(after)
    judge(after)
    assert cycle.issue("harm")["state"] == "closed"
    assert cycle.says("harm", f"### {NEW}: fixed") == 1


def test_a_private_repository_out_of_reach_is_told_later_and_holds_up_nothing(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
    github_proxy: GitHubProxy,
) -> None:
    cycle = Cycle(github, github_repository, second_repository, {"parser": False, "harm": True})
    after = cycle.release()
    github_proxy.fail("GET", f"/repos/{second_repository.name}", status=404, times=100)
    assert judge(after).counts["private repository not reached"] == 1
    assert cycle.issue("parser")["state"] == "closed"
    assert cycle.issue("harm")["state"] == "open"
    github_proxy.heal()
    follow(after)
    assert cycle.issue("harm")["state"] == "closed"
    assert cycle.says("harm", f"### {NEW}: fixed") == 1
    assert "private repository not reached" not in judge(after).counts
    assert cycle.says("harm", "###") == 1


def test_dry_a_release_intends_nothing_in_the_private_repository(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    cycle = Cycle(github, github_repository, second_repository, {"harm": True})
    verify(cycle.release(), dry_run=True)
    with github.database.session() as session:
        assert load_open_actions(session, second_repository.name) == []


def test_an_opposite_that_is_followed_in_private_is_not_named_outside(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    releases = Releases(opposites=(("T1", "T2"),))
    names = {"refuses": False, "complies": True}
    cycle = Cycle(github, github_repository, second_repository, names, releases)
    assert cycle.themes == {"refuses": 1, "complies": 2}
    after = cycle.release(complies=250)
    judge(after)
    follow(after)
    assert cycle.says("refuses", "its opposite, which is not named here, moved the other") == 1
    assert cycle.issue("refuses")["state"] == "open"
    assert "moved the other way" in cycle.issue("refuses")["body"]
    assert re.search(r"\bT2\b", cycle.told_in_public()) is None
    assert cycle.says("complies", "Traded: T1 is fixed, but its opposite T2 is worse") == 1


def test_a_private_issue_that_was_followed_by_a_public_one_is_not_linked_from_it(
    github: Workspace,
    github_repository: EmulatedRepository,
    second_repository: EmulatedRepository,
) -> None:
    releases = Releases(recurrence=Recurrence.NEW_ISSUE)
    cycle = Cycle(github, github_repository, second_repository, {"harm": True}, releases)
    former = cycle.filed("harm")
    with github.database.session() as session:
        life = load_life(session, former.repository, former.number)
        assert life is not None
        closed = replace(life.facts, state="closed", state_reason="completed")
        save_life(session, replace(life, facts=closed, closed_by="machine"))
    second_repository.edit_issue(former.number, state="closed", state_reason="completed")
    after = cycle.release(harm=250)
    judge(after)
    assert says(second_repository, former.number, "a new issue follows it") == 1
    cycle.say("harm", {"sensitive": "no"})
    assert file(after, dry_run=False, resend_after=AT_ONCE).filed == 1
    (issue,) = github_repository.issues()
    assert "harm fails" in issue["title"]
    assert "the former issue" not in issue["body"]
    assert second_repository.name not in cycle.told_in_public()
    follow(after)
    assert second_repository.name not in cycle.told_in_public()
