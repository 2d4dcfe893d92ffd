"""Only the core of a theme counts for it; the loose rest is shown."""

from __future__ import annotations

from flows.corpus import load_corpus
from flows.recluster_themes import recluster
from flows.update_themes import refresh, update
from tests.flows.topics import arrive, themes_of, topic_reports
from triage.store.assignments import load_assignments
from triage.store.members import move_members, save_core
from triage.store.reports import load_reports, load_theme_reports
from triage.store.themes import load_themes
from triage.types import Theme
from triage.workspace import Workspace


def take_in_topics(workspace: Workspace) -> tuple[int, list[int]]:
    """Twenty topics of twelve reports; the first theme and its reports, oldest first."""
    arrive(workspace, [r for number in range(20) for r in topic_reports(f"topic{number}", 12)])
    update(workspace)
    theme_id = themes_of(workspace)["topic0-en-0"]
    with workspace.database.session() as session:
        found = load_theme_reports(session, [theme_id], with_loose=True)[theme_id]
    return theme_id, [report.report_id for report in found]


def loosen(workspace: Workspace, report_ids: list[int]) -> None:
    """Say of some members that meaning alone holds them, and count anew."""
    with workspace.database.session() as session:
        save_core(session, dict.fromkeys(report_ids, False))
    refresh(workspace)


def theme_of(workspace: Workspace, theme_id: int) -> Theme:
    with workspace.database.session() as session:
        return next(each for each in load_themes(session) if each.theme_id == theme_id)


def test_members_that_are_worded_alike_are_core(workspace: Workspace) -> None:
    theme_id, members = take_in_topics(workspace)
    with workspace.database.session() as session:
        core = load_theme_reports(session, [theme_id])[theme_id]
    assert len(core) > len(members) / 2
    assert theme_of(workspace, theme_id).profile.coherence == len(core) / len(members)


def test_loose_members_are_shown_and_do_not_count(workspace: Workspace) -> None:
    theme_id, members = take_in_topics(workspace)
    loosen(workspace, members[:3])
    with workspace.database.session() as session:
        core = {r.report_id for r in load_theme_reports(session, [theme_id])[theme_id]}
        whole = load_theme_reports(session, [theme_id], with_loose=True)[theme_id]
        names = {r.external_id for r in whole if r.report_id not in core}
        counted = {row.id: row.theme_id for row in load_assignments(session, core_only=True)}
        shown = {row.id: row.theme_id for row in load_assignments(session)}
    assert [report.report_id for report in whole] == members
    assert not core & set(members[:3])
    assert all(shown[name] and not counted[name] for name in names)
    profile = theme_of(workspace, theme_id).profile
    assert (profile.reports, profile.loose) == (len(core), len(members) - len(core))


def test_whom_a_person_put_into_a_theme_is_core_whatever_the_words(workspace: Workspace) -> None:
    _, members = take_in_topics(workspace)
    with workspace.database.session() as session:
        move_members(session, members[:3], themes_of(workspace)["topic5-en-0"])
    arrive(workspace, topic_reports("topic9", 40, first=50))
    recluster(workspace)
    loosen(workspace, members[:3])
    with workspace.database.session() as session:
        assert all(report.is_core for report in load_reports(session, members[:3]))


def test_a_theme_without_a_core_is_judged_whole_and_not_coherent(workspace: Workspace) -> None:
    theme_id, members = take_in_topics(workspace)
    loosen(workspace, members)
    with workspace.database.session() as session:
        assert len(load_theme_reports(session, [theme_id])[theme_id]) == len(members)
        assert len(load_corpus(workspace, session).by_theme()[theme_id]) == len(members)
    profile = theme_of(workspace, theme_id).profile
    assert (profile.reports, profile.loose, profile.coherence) == (len(members), 0, 0)
