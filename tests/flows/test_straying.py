"""Loose members leave their theme in a full clustering; the core and a person's word stay."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from flows.recluster_themes import recluster
from tests.flows.topics import take_in, themes_of, topic_reports
from triage.cli import app
from triage.database import Session
from triage.store.clusterings import load_departure
from triage.store.members import add_members, load_pinned, move_members
from triage.store.reports import load_reports
from triage.store.themes import merge_theme, set_theme_status
from triage.types import ThemeStatus
from triage.workspace import Workspace

# 240 reports in twenty themes and 20 alone: of 260, two may leave in a run.
TOPICS, SIZE = 20, 12


def ids(session: Session) -> dict[str, int]:
    return {report.external_id: report.report_id for report in load_reports(session)}


def seed(workspace: Workspace) -> int:
    """Themes, and reports that are alike to nobody; returns a theme's id."""
    take_in(
        workspace,
        *(topic_reports(f"topic{number}", SIZE) for number in range(TOPICS)),
        *(topic_reports(f"alone{number}", 1) for number in range(TOPICS)),
    )
    assert not [name for name in themes_of(workspace) if name.startswith("alone")]
    return themes_of(workspace)["topic0-en-0"]


def test_loose_strangers_leave_no_more_than_may_and_the_trace_says_so(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    theme_id = seed(workspace)
    with workspace.database.session() as session:
        known = ids(session)
        strangers = {known[f"alone{number}-en-0"]: 0.4 for number in range(3)}
        add_members(session, {theme_id: strangers}, joined_by="similarity", loose=strangers)
    assert recluster(workspace).counts["let go or moved"] == 2
    stayed = [name for name in themes_of(workspace) if name.startswith("alone")]
    assert len(stayed) == 1
    (gone, *_) = {f"alone{number}-en-0" for number in range(3)} - set(stayed)
    with workspace.database.session() as session:
        (stranger,) = load_reports(session, [known[gone]])
        found = load_departure(session, stranger.report_id)
        assert load_departure(session, known["topic0-en-0"]) is None
    assert found is not None
    assert found[0] == theme_id
    printed = CliRunner().invoke(app, ["trace", gone, "--json"]).output
    assert json.loads(printed)[0]["left"].startswith(f"T{theme_id} on ")


def test_whom_a_person_put_there_stays(workspace: Workspace) -> None:
    theme_id = seed(workspace)
    with workspace.database.session() as session:
        stranger = ids(session)["alone0-en-0"]
        add_members(session, {theme_id: {stranger: None}}, joined_by="person", loose=[stranger])
        assert load_pinned(session) == {stranger}
    assert recluster(workspace).counts["let go or moved"] == 0
    assert themes_of(workspace)["alone0-en-0"] == theme_id


def test_a_member_of_another_topic_goes_to_its_theme(workspace: Workspace) -> None:
    theme_id = seed(workspace)
    other = themes_of(workspace)["topic1-en-0"]
    take_in(workspace, topic_reports("topic1", 1, first=SIZE))
    with workspace.database.session() as session:
        late = ids(session)[f"topic1-en-{SIZE}"]
    assert themes_of(workspace)[f"topic1-en-{SIZE}"] == other
    with workspace.database.session() as session:
        move_members(session, [late], theme_id, joined_by="similarity")
    recluster(workspace)
    assert themes_of(workspace)[f"topic1-en-{SIZE}"] == other


def test_what_a_person_put_together_stays_together(workspace: Workspace) -> None:
    theme_id = seed(workspace)
    other = themes_of(workspace)["topic1-en-0"]
    with workspace.database.session() as session:
        stranger = ids(session)["alone0-en-0"]
        add_members(session, {theme_id: {stranger: 0.4}}, joined_by="similarity", loose=[stranger])
        merge_theme(session, theme_id, other, said_by="mira", because="one fix")
    assert recluster(workspace).counts["let go or moved"] == 0
    assert themes_of(workspace)["alone0-en-0"] == other


def test_nobody_leaves_or_enters_a_theme_that_a_person_set_aside(workspace: Workspace) -> None:
    theme_id = seed(workspace)
    other = themes_of(workspace)["topic1-en-0"]
    take_in(workspace, topic_reports("topic0", 1, first=SIZE))
    with workspace.database.session() as session:
        known = ids(session)
        inside, late = known["alone0-en-0"], known[f"topic0-en-{SIZE}"]
        add_members(session, {theme_id: {inside: 0.4}}, joined_by="similarity", loose=[inside])
        move_members(session, [late], other, joined_by="similarity")
        set_theme_status(session, theme_id, ThemeStatus.DISMISSED)
    assert recluster(workspace).counts["let go or moved"] == 0
    assert themes_of(workspace)["alone0-en-0"] == theme_id
    assert themes_of(workspace)[f"topic0-en-{SIZE}"] == other
