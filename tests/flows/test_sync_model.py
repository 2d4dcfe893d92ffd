"""Machine and people act in any order, answers get lost, looks come late: what always holds."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pydantic import SecretStr

from flows.file_issues import file
from flows.ledger import load_ledger
from flows.sync_issues import sync
from flows.verify_release import verify
from tests.databases import HASH_KEY, run_sql
from tests.flows.releasing import (
    A_RELEASED,
    B_RELEASED,
    CENTRE,
    NEW,
    NEXT,
    OLD,
    TODAY,
    count_anew,
    report_on,
    serve,
    with_versions,
)
from tests.flows.seeding import seed_theme
from tests.integration.github.emulator import FILER, ORGANISATION, Emulator, token_of
from tests.integration.github.fixtures import EmulatedRepository
from tests.integration.github.proxy import running_proxy
from triage.config.loader import load_config
from triage.database import Database, make_engine
from triage.filing import marker_in
from triage.settings import Settings
from triage.store.decisions import load_corrections
from triage.store.intake import save_cursor
from triage.store.issues import load_issues
from triage.store.ledger import load_verification_history
from triage.store.reports import load_theme_reports
from triage.store.themes import Counted, load_theme, load_themes, save_profiles
from triage.types import ThemeStatus
from triage.workspace import Workspace

NAMES = ("parser", "memory", "shell")
WHO = ("mira", "juno", "okan")
PEOPLE = st.sampled_from(WHO)
OWN_PLANS = "own plans"
# The release mends the first theme, and does nothing to the second and the third.
ON_OLD = {"parser": 240, "memory": 120, "shell": 120, "other": 400}
ON_NEW = {"memory": 66, "shell": 66, "other": 220}
ISSUE = st.integers(0, len(NAMES) - 1)
VERDICTS = ("quick-fix", "fundamental", "needs-verdict")


class IssueLives(RuleBasedStateMachine):
    """One repository with three issues; ``acts`` is what people set last, by issue and field."""

    emulator: Emulator
    server: Any
    template: str

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        stamp = f"{datetime.now(UTC):%H%M%S%f}"
        name = f"model_{stamp}"
        run_sql(self.server, f'CREATE DATABASE "{name}" TEMPLATE "{self.template}"')
        self.stack.callback(run_sql, self.server, f'DROP DATABASE "{name}" WITH (FORCE)')
        database = Database(make_engine(self.server.set(database=name)))
        self.stack.callback(database.close)
        self.proxy = self.stack.enter_context(running_proxy(self.emulator))
        answer = requests.post(
            f"{self.emulator.url}/orgs/{ORGANISATION}/repos",
            headers={"Authorization": f"token {token_of(FILER)}"},
            json={"name": name},
            timeout=30,
        )
        assert answer.status_code == 201
        self.repository = EmulatedRepository(self.emulator.url, f"{ORGANISATION}/{name}")
        set_up = Settings(
            github_api_url=self.proxy.api_url,
            github_token=SecretStr(token_of(FILER)),
            github_repository=self.repository.name,
        )
        whole = Workspace(set_up, load_config(None), database, HASH_KEY)
        before = with_versions(whole, (OLD, A_RELEASED), upcoming=NEW)
        self.themes = [seed_theme(database, each) for each in NAMES]
        named = dict(zip(NAMES, self.themes, strict=True))
        report_on(before, OLD, ON_OLD, named, start=A_RELEASED, end=B_RELEASED)
        count_anew(before)
        file(before, dry_run=False, resend_after=timedelta(0))
        own = self.repository.request("POST", "/milestones", json={"title": OWN_PLANS})
        self.milestones = {None: None, OWN_PLANS: own["number"]}
        self.workspace = with_versions(whole, (OLD, A_RELEASED), (NEW, B_RELEASED), upcoming=NEXT)
        report_on(self.workspace, NEW, ON_NEW, named, start=B_RELEASED, end=TODAY)
        serve(self.workspace, OLD, A_RELEASED, B_RELEASED)
        serve(self.workspace, NEW, B_RELEASED)
        count_anew(self.workspace)
        self.acts: dict[tuple[int, str], str | None] = {}
        self.people = 400
        self.is_judged = False
        self.look()

    def teardown(self) -> None:
        """Let the machine come to rest, then check that it rests."""
        try:
            self.proxy.heal()
            for _ in range(3):
                self.rest()
            self.proxy.requests.clear()
            self.rest()
            writes = [r for r in self.proxy.requests if r.method not in ("GET",)]
            assert writes == [], "the machine does not come to rest"
            self.check_rest()
        finally:
            self.stack.close()

    @rule()
    def look(self) -> None:
        """A pass of the machine."""
        sync(
            self.workspace,
            dry_run=False,
            pause_seconds=0,
            resend_after=timedelta(0),
            apply=lambda _: None,
        )

    def rest(self) -> None:
        """What the machine does by itself, all of it."""
        if self.is_judged:
            self.judge()
        self.look()

    @rule()
    def judge(self) -> None:
        """The release is judged: the machine closes, comments and carries over."""
        verify(
            self.workspace,
            dry_run=False,
            pause_seconds=0,
            resend_after=timedelta(0),
            apply=lambda _: None,
        )
        self.is_judged = True

    @rule(after_write=st.booleans(), method=st.sampled_from(["POST", "PATCH"]))
    def lose_an_answer(self, after_write: bool, method: str) -> None:
        """The next write is answered by nobody, whether it arrives or not."""
        path = r"/comments$" if method == "POST" else r"/issues/\d+$"
        self.proxy.fail(method, path, drop=True, after_write=after_write)

    @rule()
    def lose_a_list(self) -> None:
        """The next list of comments comes late."""
        self.proxy.fail("GET", r"/issues/comments$", status=200, body=[])

    @rule()
    def read_everything_again(self) -> None:
        """The cursors are lost: all that was heard is heard once more."""
        with self.workspace.database.session() as session:
            for list_of in ("issues-of", "comments-of"):
                save_cursor(session, f"{list_of}:{self.repository.name}", None)

    @rule()
    def turn_lists_round(self) -> None:
        """From now on lists come in the other order."""
        self.proxy.scene.reverses = not self.proxy.scene.reverses

    @rule(which=ISSUE, by=PEOPLE, who=PEOPLE)
    def assign(self, which: int, by: str, who: str) -> None:
        """A person gives an issue to somebody."""
        self.repository.edit_issue(which + 1, by=by, assignees=[who])
        self.acts[which, "owner"] = who

    @rule(which=ISSUE, by=PEOPLE, title=st.sampled_from([None, OWN_PLANS]))
    def plan(self, which: int, by: str, title: str | None) -> None:
        """A person moves an issue to a milestone of theirs, or out of all."""
        self.repository.edit_issue(which + 1, by=by, milestone=self.milestones[title])
        self.acts[which, "milestone"] = title

    @rule(which=ISSUE, by=PEOPLE, takes=st.booleans())
    def claim(self, which: int, by: str, takes: bool) -> None:
        """A person takes a theme for the next version, or gives it back."""
        said = f"/triage claim {NEXT}" if takes else "/triage unclaim"
        self.repository.comment(which + 1, said, by=by)

    @rule(which=ISSUE)
    def more_people_report(self, which: int) -> None:
        """A theme grows."""
        self.people *= 2
        with self.workspace.database.session() as session:
            theme = load_theme(session, f"T{self.themes[which]}")
            grown = replace(theme.profile, distinct_reporters=self.people)
            counted = Counted(theme.theme_id, grown, "counted by the test", CENTRE)
            save_profiles(session, [counted])

    @rule(which=ISSUE, by=PEOPLE, verdict=st.sampled_from(VERDICTS))
    def relabel(self, which: int, by: str, verdict: str) -> None:
        """A person sets a verdict's label."""
        kept = self.repository.labels(which + 1) - set(VERDICTS)
        self.repository.edit_issue(which + 1, by=by, labels=sorted({*kept, verdict}))
        self.acts[which, "label"] = verdict

    @rule(which=ISSUE, by=PEOPLE, closes=st.booleans())
    def close_or_reopen(self, which: int, by: str, closes: bool) -> None:
        """A person closes or reopens an issue."""
        wanted = "closed" if closes else "open"
        if self.repository.issue(which + 1)["state"] != wanted:
            self.repository.edit_issue(which + 1, by=by, state=wanted)
            self.acts[which, "state"] = wanted

    @rule(which=ISSUE, by=PEOPLE)
    def write_around(self, which: int, by: str) -> None:
        """A person adds a line before the machine's part."""
        body = self.repository.issue(which + 1)["body"]
        self.repository.edit_issue(which + 1, by=by, body=f"A note by {by}.\n\n{body}")
        self.acts[which, "note"] = f"A note by {by}."

    @rule(which=ISSUE, original=ISSUE, by=PEOPLE)
    def name_a_duplicate(self, which: int, original: int, by: str) -> None:
        """A person says that one issue repeats another."""
        self.repository.comment(which + 1, f"Duplicate of #{original + 1}", by=by)

    @rule(which=ISSUE, original=ISSUE, by=PEOPLE)
    def command_a_merge(self, which: int, original: int, by: str) -> None:
        """A person merges by command."""
        self.repository.comment(which + 1, f"/triage merge #{original + 1}", by=by)

    @rule(which=ISSUE)
    def a_program_takes_a_label_away(self, which: int) -> None:
        """A program undoes what the machine set."""
        self.proxy.scene.bots.add("waldo")
        labels = self.repository.labels(which + 1)
        self.repository.edit_issue(which + 1, by="waldo", labels=sorted(labels - {"priority: P2"}))

    @invariant()
    def no_issue_is_doubled(self) -> None:
        """Every theme has one issue, for ever the same."""
        bodies = [issue["body"] for issue in self.repository.issues()]
        marked = [marker_in(body, self.workspace.marker_key) for body in bodies]
        assert marked == self.themes

    @invariant()
    def people_win(self) -> None:
        """What a person set last is so, unless another person changed it since."""
        issues = {issue["number"]: issue for issue in self.repository.issues()}
        for (which, name), value in self.acts.items():
            issue = issues[which + 1]
            if name == "label":
                assert value in {label["name"] for label in issue["labels"]}
            elif name == "note":
                assert value is not None
                assert value in issue["body"]
            elif name == "owner":
                assert [each["login"] for each in issue["assignees"]] == [value]
            elif name == "milestone":
                assert (issue["milestone"] or {}).get("title") == value
            elif value == "closed" or not self.is_absorbed(which):
                assert issue["state"] == value

    def is_absorbed(self, which: int) -> bool:
        """Whether people merged the theme into another."""
        with self.workspace.database.session() as session:
            theme = load_theme(session, f"T{self.themes[which]}", follow=False)
        return theme.status is ThemeStatus.MERGED

    def check_rest(self) -> None:
        """At rest: no loops, nothing said twice, nothing open forgotten, the ledger adds up."""
        for issue in self.repository.issues():
            said = [
                comment["body"]
                for comment in self.repository.comments(issue["number"])
                if comment["user"]["login"] == FILER
            ]
            assert len(said) == len(set(said))
        with self.workspace.database.session() as session:
            assert len(load_themes(session)) >= 1
            assert len(load_issues(session)) == len(NAMES)
            rows = load_ledger(session, self.workspace)
            members = load_theme_reports(session)
            history = [load_verification_history(session, theme) for theme in self.themes]
            words = [word for said in load_corrections(session).values() for word in said]
        assert all(word.author in (*WHO, "somebody") for word in words)
        assert {word.value for word in words if word.field == "claim"} <= {"", NEW, NEXT}
        for verdicts in history:
            stored = [(each.verdict, each.reason, each.next_check) for each in verdicts]
            assert all(one != other for one, other in pairwise(stored))
        for theme_id, reports in members.items():
            counted = sum(row.reports for row in rows if row.theme_id == theme_id)
            assert counted == len(reports)


@pytest.fixture
def model(github_emulator: Emulator, server: Any, template: str) -> type[IssueLives]:
    """The state machine, told where the emulator and the database server are."""
    IssueLives.emulator, IssueLives.server, IssueLives.template = (
        github_emulator,
        server,
        template,
    )
    return IssueLives


def test_whatever_machine_and_people_do_people_win_and_the_machine_comes_to_rest(
    model: type[IssueLives],
) -> None:
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=5,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
