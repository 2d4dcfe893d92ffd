"""Retention: old texts and vectors go, counts stay, nothing brings them back, off by default."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from flows.correcting import take_effect
from flows.expire_texts import expire
from flows.theme_upkeep import refresh_themes
from tests.flows.test_forgetting import whole_database
from tests.flows.topics import arrive, take_in, themes_of, topic_reports
from triage.config.model import Privacy
from triage.store.anchors import load_anchors
from triage.store.audit import load_audit
from triage.store.embeddings import load_unembedded
from triage.store.reports import load_reports, load_texts
from triage.store.saving import save_reports
from triage.store.themes import load_themes
from triage.workspace import Workspace

NOW = datetime.now(UTC)


def keeping(workspace: Workspace, **privacy: int) -> Workspace:
    changes = {"privacy": Privacy(**privacy)}
    return replace(workspace, config=workspace.config.model_copy(update=changes))


def age(workspace: Workspace, names: list[str], days: int) -> None:
    with workspace.database.session() as session:
        session.execute(
            text("UPDATE report SET received_at = :at WHERE external_id = ANY(:names)"),
            {"at": NOW - timedelta(days=days), "names": names},
        )


def refresh(workspace: Workspace) -> None:
    with workspace.database.session() as session:
        refresh_themes(workspace, session)


def test_nothing_expires_unless_it_is_configured(workspace: Workspace) -> None:
    reports = topic_reports("commas", 8)
    arrive(workspace, reports)
    age(workspace, [report.external_id for report in reports], days=9000)
    before = whole_database(workspace)
    assert not any(expire(workspace, apply=take_effect).values())
    assert whole_database(workspace) == before


def test_texts_and_vectors_go_and_counts_stay(workspace: Workspace) -> None:
    commas, dots = topic_reports("commas", 10), topic_reports("dots", 10)
    take_in(workspace, commas, dots)
    with workspace.database.session() as session:
        before = {theme.theme_id: theme for theme in load_themes(session)}
    assert before
    old = [report for report in (*commas[:6], *dots)]
    age(workspace, [report.external_id for report in old], days=100)
    inbox = workspace.settings.home / "inbox" / "done"
    inbox.mkdir(parents=True)
    (inbox / "old.jsonl").write_text(commas[0].body)
    os.utime(inbox / "old.jsonl", (0, 0))
    counts = expire(keeping(workspace, keep_text_days=90), apply=refresh)
    assert (counts["reports"], counts["files"]) == (16, 1)
    whole = whole_database(workspace)
    for report in old:
        assert report.body not in whole
        assert report.fingerprint not in whole
    with workspace.database.session() as session:
        after = {theme.theme_id: theme for theme in load_themes(session)}
        assert len(load_reports(session)) == 20
        assert len(load_texts(session, 100)) == 4
        assert load_unembedded(session, 1) == {}
        assert [entry.action for entry in load_audit(session)] == ["expired"]
        anchors = load_anchors(session)
    kept = {report.body for report in commas[6:]}
    for theme_id, theme in before.items():
        now = after[theme_id]
        assert now.profile.distinct_reporters == theme.profile.distinct_reporters
        assert now.profile.weeks == theme.profile.weeks
        assert now.text.title == f"T{theme_id}" or any(now.text.title[:20] in b for b in kept)
    assert any(anchors.values())
    assert not any(expire(keeping(workspace, keep_text_days=90), apply=refresh).values())


def test_what_expired_is_not_read_in_again(workspace: Workspace) -> None:
    reports = topic_reports("commas", 8)
    take_in(workspace, reports)
    age(workspace, [report.external_id for report in reports], days=100)
    members = themes_of(workspace)
    expire(keeping(workspace, keep_text_days=90), apply=lambda _: None)
    with workspace.database.session() as session:
        saved = save_reports(session, reports)
    assert (saved.added, saved.revised, saved.unchanged) == ((), (), 8)
    assert reports[0].body not in whole_database(workspace)
    assert themes_of(workspace) == members


@pytest.mark.parametrize("days", [29, 0, -1])
def test_the_audit_log_is_kept_for_a_month_at_least(days: int) -> None:
    with pytest.raises(ValueError, match="30"):
        Privacy(keep_audit_days=days)
