"""Loose members leave their theme in a full clustering; the core and a person's word stay."""

from __future__ import annotations

from flows.recluster_themes import recluster
from tests.flows.topics import take_in, themes_of, topic_reports
from triage.cli.listing import _trace
from triage.database import Session
from triage.store.clusterings import load_departure
from triage.store.reports import load_reports
from triage.store.themes import add_members, load_pinned, move_members
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
    workspace: Workspace,
) -> None:
    theme_id = seed(workspace)
    with workspace.database.session() as session:
        known = ids(session)
        strangers = {known[f"alone{number}-en-0"]: 0.4 for number in range(3)}
        add_members(session, theme_id, strangers, joined_by="similarity", loose=strangers)
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
    assert str(_trace(workspace, stranger)["left"]).startswith(f"T{theme_id} on ")


def test_whom_a_person_put_there_stays(workspace: Workspace) -> None:
    theme_id = seed(workspace)
    with workspace.database.session() as session:
        stranger = ids(session)["alone0-en-0"]
        add_members(session, theme_id, {stranger: None}, joined_by="person", loose=[stranger])
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
