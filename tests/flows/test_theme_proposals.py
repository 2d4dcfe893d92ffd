"""What a full clustering changes and proposes, and that people's words hold for ever."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flows.proposals import answer_proposal
from flows.recluster_themes import recluster
from flows.update_themes import split_theme
from tests.flows.topics import grouping, take_in, themes_of, topic_reports
from triage.cli import app
from triage.database import Session
from triage.errors import UnknownProposal
from triage.store.anchors import load_anchors
from triage.store.bonds import load_bonds
from triage.store.issues import load_issues, save_filed, save_intent
from triage.store.members import move_members
from triage.store.proposals import load_proposals
from triage.store.reports import load_reports, load_reports_of
from triage.store.themes import absorb_theme, create_themes, load_forwards, load_themes, merge_theme
from triage.themes import standing
from triage.types import (
    FiledIssue,
    IssueDraft,
    ProposalKind,
    ProposalState,
    Report,
    ThemeDraft,
)
from triage.workspace import Workspace

MANY = 20


@pytest.fixture
def themed(workspace: Workspace) -> Workspace:
    """An installation with twenty themes of twelve reports, and twenty reports that are alone."""
    alone = [report for n in range(MANY) for report in topic_reports(f"alone{n}", 1)]
    take_in(workspace, *[topic_reports(f"topic{n}", 12) for n in range(MANY)], alone)
    return workspace


def theme_of(workspace: Workspace, topic: str, number: int = 0) -> int:
    return themes_of(workspace)[f"{topic}-en-{number}"]


def reports_of(session: Session, theme_id: int, names: str) -> list[Report]:
    return [r for r in load_reports_of(session, theme_id) if r.external_id.startswith(names)]


def tear(workspace: Workspace, topic: str, numbers: range) -> int:
    """Put some reports of a topic's theme into another, as a machine that saw less would have."""
    old = theme_of(workspace, topic)
    with workspace.database.session() as session:
        first = load_themes(session)[0]
        names = {f"{topic}-en-{number}" for number in numbers}
        leaving = [r for r in load_reports_of(session, old) if r.external_id in names]
        keys = [report.fingerprint for report in leaving]
        new = create_themes(session, [ThemeDraft(first.text, first.profile, keys)])[0]
        move_members(session, [r.report_id for r in leaving], new, joined_by="cluster")
    return new


def join_up(workspace: Workspace, absorbed: str, survivor: str) -> int:
    """Make one theme of two topics, as a machine that saw less would have."""
    target = theme_of(workspace, survivor)
    with workspace.database.session() as session:
        absorb_theme(session, theme_of(workspace, absorbed), target)
    return target


def file_issue(workspace: Workspace, theme_id: int, number: int) -> None:
    draft = IssueDraft(theme_id, "t", "b", (), None, None, None, "m")
    with workspace.database.session() as session:
        save_intent(session, draft, "lab/model")
        save_filed(session, theme_id, FiledIssue("lab/model", number, f"https://x/{number}"))


class TestMerges:
    def test_two_themes_of_one_failure_become_one(self, themed: Workspace) -> None:
        new, old = tear(themed, "topic1", range(5)), theme_of(themed, "topic1", 11)
        done = recluster(themed)
        assert done.counts["changes made"] == 1
        assert {theme_of(themed, "topic1", n) for n in range(12)} == {old}
        with themed.database.session() as session:
            assert load_forwards(session) == {new: old}
            applied = load_proposals(session, ProposalState.APPLIED)
        assert [p.change.kind for p in applied] == [ProposalKind.MERGE]
        assert "fell into one cluster" in applied[0].change.reason
        assert applied[0].change.figures["share"] == 1.0

    def test_the_theme_with_an_issue_keeps_its_id_and_issue(self, themed: Workspace) -> None:
        new = tear(themed, "topic1", range(4))
        file_issue(themed, new, 7)
        recluster(themed)
        assert {theme_of(themed, "topic1", n) for n in range(12)} == {new}
        with themed.database.session() as session:
            filed = load_issues(session)[new].filed
        assert filed is not None
        assert filed.number == 7

    def test_two_themes_that_both_have_an_issue_wait_for_a_person(self, themed: Workspace) -> None:
        new, old = tear(themed, "topic1", range(5)), theme_of(themed, "topic1", 11)
        file_issue(themed, new, 7)
        file_issue(themed, old, 8)
        assert recluster(themed).counts["changes proposed"] == 1
        assert theme_of(themed, "topic1", 0) != theme_of(themed, "topic1", 11)
        with themed.database.session() as session:
            assert [p.change.hindrance for p in load_proposals(session)] == ["both have an issue"]

    def test_what_a_person_parted_is_never_put_together(self, themed: Workspace) -> None:
        with themed.database.session() as session:
            old = theme_of(themed, "topic1")
            parted = reports_of(session, old, "topic1-en-1")
            new = split_theme(themed, session, parted, said_by="mira", because="another cause")
        take_in(themed, topic_reports("topic1", 40, first=12))
        done = recluster(themed)
        assert not [c for c in done.changes if {c.theme_id, c.other_id} == {old, new}]
        assert {theme_of(themed, r.external_id.rpartition("-en-")[0]) for r in parted} <= {old, new}
        names = {report.external_id for report in parted}
        assert {theme for name, theme in themes_of(themed).items() if name in names} == {new}

    def test_a_theme_that_lost_all_its_anchors_gets_others(self, themed: Workspace) -> None:
        with themed.database.session() as session:
            old = theme_of(themed, "topic1")
            anchors = load_anchors(session)[old]
            parted = [r for r in load_reports_of(session, old) if r.fingerprint in anchors][:-1]
            split_theme(themed, session, parted)
            assert load_anchors(session, [old])


class TestSplits:
    def test_a_theme_of_two_failures_comes_apart(self, themed: Workspace) -> None:
        alone = [r for n in range(200) for r in topic_reports(f"more{n}", 1)]
        take_in(themed, alone)  # 460 reports, of which a run may move three in a hundred
        kept = join_up(themed, "topic1", "topic2")
        done = recluster(themed)
        assert [(c.kind, c.hindrance) for c in done.changes] == [(ProposalKind.SPLIT, None)]
        assert sorted({theme_of(themed, "topic1"), theme_of(themed, "topic2")}) != [kept]
        assert kept in {theme_of(themed, "topic1"), theme_of(themed, "topic2")}
        assert len(grouping(themed)) == MANY

    def test_a_run_moves_no_more_than_three_in_a_hundred(self, themed: Workspace) -> None:
        kept = join_up(themed, "topic1", "topic2")  # twelve of 260
        done = recluster(themed)
        assert done.counts["changes made"] == 0
        assert [c.hindrance for c in done.changes] == ["a run moves at most 3% of all reports"]
        assert {theme_of(themed, "topic1"), theme_of(themed, "topic2")} == {kept}

    def test_what_a_person_put_together_is_never_parted(self, themed: Workspace) -> None:
        kept = theme_of(themed, "topic2")
        with themed.database.session() as session:
            merge_theme(session, theme_of(themed, "topic1"), kept, said_by="mira", because="same")
        take_in(themed, topic_reports("topic1", 40, first=12))
        assert recluster(themed).changes == ()
        assert {theme_of(themed, "topic1"), theme_of(themed, "topic2")} == {kept}

    def test_a_report_that_a_person_placed_stays(self, themed: Workspace) -> None:
        old, there = theme_of(themed, "topic1"), theme_of(themed, "topic2")
        with themed.database.session() as session:
            moved = reports_of(session, old, "topic1-en-1")  # four: 1, 10, 11
            split_theme(themed, session, moved, into=there)
        for _ in range(2):
            take_in(themed, topic_reports("topic2", 20, first=12))
            recluster(themed)
        assert theme_of(themed, "topic1", 10) == there


class TestAnswers:
    def proposed(self, workspace: Workspace) -> int:
        """A split that waits: it would move too many reports at once."""
        join_up(workspace, "topic1", "topic2")
        recluster(workspace)
        with workspace.database.session() as session:
            return load_proposals(session)[0].proposal_id

    def test_an_accepted_split_is_carried_out_and_holds(self, themed: Workspace) -> None:
        number = self.proposed(themed)
        said = answer_proposal(themed, number, accept=True, author="mira", because="two causes")
        assert "12 reports went to" in said
        parted = theme_of(themed, "topic1"), theme_of(themed, "topic2")
        assert len(set(parted)) == 2
        take_in(themed, topic_reports("topic1", 40, first=12))
        assert (theme_of(themed, "topic1"), theme_of(themed, "topic2")) == parted

    def test_a_declined_split_is_never_proposed_again(self, themed: Workspace) -> None:
        number = self.proposed(themed)
        answer_proposal(themed, number, accept=False, author="mira", because="one fix mends both")
        take_in(themed, topic_reports("topic1", 40, first=12))
        assert recluster(themed).changes == ()
        with themed.database.session() as session:
            states = [p.state for p in load_proposals(session, None)]
        assert states == [ProposalState.DECLINED]

    def test_a_declined_merge_is_never_proposed_again(self, themed: Workspace) -> None:
        new, old = tear(themed, "topic1", range(5)), theme_of(themed, "topic1", 11)
        for theme_id in (new, old):
            file_issue(themed, theme_id, theme_id)
        recluster(themed)
        with themed.database.session() as session:
            number = load_proposals(session)[0].proposal_id
        answer_proposal(themed, number, accept=False, author="mira", because="two fixes")
        take_in(themed, topic_reports("topic3", 40, first=12))
        assert recluster(themed).changes == ()
        assert {theme_of(themed, "topic1", 0), theme_of(themed, "topic1", 11)} == {new, old}

    def test_an_accepted_merge_forwards_and_holds(self, themed: Workspace) -> None:
        new, old = tear(themed, "topic1", range(5)), theme_of(themed, "topic1", 11)
        for theme_id in (new, old):
            file_issue(themed, theme_id, theme_id)
        recluster(themed)
        with themed.database.session() as session:
            number = load_proposals(session)[0].proposal_id
        answer_proposal(themed, number, accept=True, author="mira", because="one fix")
        assert {theme_of(themed, "topic1", n) for n in range(12)} == {old}
        with themed.database.session() as session:
            assert load_forwards(session) == {new: old}

    def test_a_proposal_keeps_its_number_and_goes_when_it_is_no_more(
        self, themed: Workspace
    ) -> None:
        number = self.proposed(themed)
        take_in(themed, topic_reports("topic3", 4, first=12))
        recluster(themed)
        with themed.database.session() as session:
            assert [p.proposal_id for p in load_proposals(session)] == [number]
            kept = theme_of(themed, "topic2")
            parted = reports_of(session, kept, "topic1")
            split_theme(themed, session, parted)
            assert load_proposals(session) == []
            assert load_proposals(session, ProposalState.WITHDRAWN)[0].proposal_id == number

    def test_a_proposal_is_answered_once(self, themed: Workspace) -> None:
        number = self.proposed(themed)
        answer_proposal(themed, number, accept=False, author="mira", because="no")
        with pytest.raises(UnknownProposal, match="declined already"):
            answer_proposal(themed, number, accept=True, author="ada", because="yes")
        with pytest.raises(UnknownProposal, match="no proposal has this number"):
            answer_proposal(themed, 99, accept=True, author="ada", because="yes")


def test_of_contradictory_words_the_later_holds_and_the_conflict_is_shown(
    themed: Workspace, environment: dict[str, str]
) -> None:
    kept = theme_of(themed, "topic2")
    with themed.database.session() as session:
        first = reports_of(session, theme_of(themed, "topic1"), "topic1")
        merge_theme(session, theme_of(themed, "topic1"), kept, said_by="mira", because="same")
    with themed.database.session() as session:
        ids = [report.report_id for report in first]
        split_theme(themed, session, load_reports(session, ids), said_by="ada", because="not so")
    take_in(themed, topic_reports("topic1", 40, first=12))
    assert theme_of(themed, "topic1") != theme_of(themed, "topic2") == kept
    with themed.database.session() as session:
        holds, overruled = standing(load_bonds(session))
    assert [bond.said_by for bond in holds] == ["ada"]
    assert [(older.said_by, later.said_by) for older, later in overruled] == [("mira", "ada")]
    shown = CliRunner().invoke(app, ["proposals", "--json"])
    assert "together (mira" in json.loads(shown.stdout)["overruled"][0]


def test_proposals_are_listed_and_answered_on_the_command_line(
    themed: Workspace, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flows.decide_themes.decide_all", "flows.route_themes.route_all"):
        monkeypatch.setattr(name, lambda _: None)  # they would load the model
    runner = CliRunner()
    kept = join_up(themed, "topic1", "topic2")
    again = runner.invoke(app, ["recluster", "--dry"])
    assert "proposed (a run moves at most 3% of all reports)" in again.stdout
    runner.invoke(app, ["recluster"])
    listed = json.loads(runner.invoke(app, ["proposals", "--json"]).stdout)["proposals"]
    assert listed[0]["proposal"] == f"let 12 reports of T{kept} go to a theme of their own"
    number = str(listed[0]["number"])
    answer = ["proposal", number, "--accept", "--because", "two causes", "--by", "mira"]
    assert "12 reports went to" in runner.invoke(app, answer).stdout
    assert json.loads(runner.invoke(app, ["proposals", "--json"]).stdout)["proposals"] == []
    every = json.loads(runner.invoke(app, ["proposals", "--all", "--json"]).stdout)["proposals"]
    assert (every[0]["state"], every[0]["answered by"]) == ("accepted", "mira")
