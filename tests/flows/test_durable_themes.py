"""Themes stay what they are: through arrivals, full clusterings, crashes and floods."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from flows import arrivals
from flows import update_themes as update_module
from flows.corpus import load_corpus
from flows.recluster_themes import recluster
from flows.update_themes import update
from tests.flows.topics import arrive, grouping, take_in, themes_of, topic_reports
from triage.store.clusterings import load_latest_run
from triage.store.themes import load_themes, set_theme_status
from triage.types import CleanReport, Kind, ThemeStatus
from triage.workspace import Workspace

MANY = 20  # topics: with some 240 reports a corpus is large enough to believe a cluster
TABLES = "theme theme_member theme_anchor landmark clustering_run clustering_centre proposal bond"


def base(topics: int = MANY, size: int = 12) -> list[CleanReport]:
    """Several topics of one size, and as many reports that are alone."""
    alone = [report for number in range(topics) for report in topic_reports(f"alone{number}", 1)]
    return [r for n in range(topics) for r in topic_reports(f"topic{n}", size)] + alone


def stored(workspace: Workspace) -> dict[str, list[str]]:
    """The content of every table that theming writes."""
    with workspace.database.session() as session:
        return {
            table: sorted(str(row) for row in session.execute(text(f"SELECT * FROM {table}")))
            for table in TABLES.split()
        }


def topics_in(names: frozenset[str]) -> set[str]:
    return {name.rsplit("-", 2)[0] for name in names}


def test_without_reports_nothing_happens(workspace: Workspace) -> None:
    assert update(workspace) == {"joined": 0, "new themes": 0, "open themes": 0}
    assert recluster(workspace).counts["open themes"] == 0


def test_one_report_makes_no_theme(workspace: Workspace) -> None:
    assert take_in(workspace, topic_reports("topic", 1))["open themes"] == 0
    assert update(workspace)["open themes"] == 0


def test_reports_that_are_all_alike_make_one_theme(workspace: Workspace) -> None:
    arrive(workspace, topic_reports("topic", 30), scatter=0.3)
    assert update(workspace)["open themes"] == 1
    assert len(themes_of(workspace)) >= 20


def test_reports_that_are_all_different_make_none(workspace: Workspace) -> None:
    different = [report for n in range(60) for report in topic_reports(f"alone{n}", 1)]
    assert take_in(workspace, different)["open themes"] == 0


def test_each_topic_becomes_a_theme_and_whoever_is_alone_stays_out(workspace: Workspace) -> None:
    take_in(workspace, base())
    groups = grouping(workspace)
    assert len(groups) == MANY
    assert all(len(topics_in(group)) == 1 for group in groups)
    assert not any(name.startswith("alone") for group in groups for name in group)


def test_running_twice_changes_nothing(workspace: Workspace) -> None:
    take_in(workspace, base())
    before = stored(workspace)
    assert update(workspace)["new themes"] == 0
    assert recluster(workspace).counts["new themes"] == 0
    assert stored(workspace) == before
    take_in(workspace, topic_reports("topic1", 4, first=12), topic_reports("new", 8))
    before = stored(workspace)
    update(workspace)
    assert stored(workspace) == before


def test_new_reports_join_their_theme_and_a_new_failure_founds_one(workspace: Workspace) -> None:
    take_in(workspace, base())
    before = themes_of(workspace)
    counts = take_in(workspace, topic_reports("topic1", 5, first=12), topic_reports("new", 8))
    assert (counts["joined"], counts["new themes"]) == (5, 1)
    after = themes_of(workspace)
    assert {name: after[name] for name in before} == before
    assert after["topic1-en-14"] == before["topic1-en-0"]
    assert len({after[f"new-en-{n}"] for n in range(8)} - set(before.values())) == 1


def test_who_was_in_no_theme_founds_one_with_later_reports_of_its_kind(
    workspace: Workspace,
) -> None:
    take_in(workspace, base())
    first = topic_reports("alone3", 5, first=1)
    assert take_in(workspace, first)["new themes"] == 1
    assert len({themes_of(workspace)[f"alone3-en-{n}"] for n in range(6)}) == 1


def test_between_two_full_clusterings_vectors_stay_as_they_were(workspace: Workspace) -> None:
    take_in(workspace, base())
    with workspace.database.session() as session:
        before = load_corpus(workspace, session).vectors
    take_in(workspace, topic_reports("elsewhere", 20))
    with workspace.database.session() as session:
        after = load_corpus(workspace, session).vectors
    for key, vector in before.items():
        np.testing.assert_array_equal(after[key], vector)


def test_everything_is_clustered_anew_once_the_reports_grew_by_a_tenth(
    workspace: Workspace,
) -> None:
    take_in(workspace, base())
    runs = []
    for number in range(3):
        take_in(workspace, topic_reports(f"later{number}", 10))
        with workspace.database.session() as session:
            run = load_latest_run(session, 1)
        assert run is not None
        runs.append((run.run_id, run.cause, run.reports))
    # 260 reports at first; 286 are the tenth more
    assert runs == [(1, "first", 260), (1, "first", 260), (2, "growth", 290)]


def test_a_run_says_from_what_and_with_what_it_was_made(workspace: Workspace) -> None:
    take_in(workspace, base())
    with workspace.database.session() as session:
        run = load_latest_run(session, 1)
    assert run is not None
    assert run.made_at is not None
    assert run.parameters["min_cluster_size"] == workspace.config.policy.min_cluster_size
    assert run.results["clusters"] == MANY == len(run.results["founded"])


def test_the_order_of_arrival_does_not_matter(workspace: Workspace) -> None:
    reports = base()
    random.Random(3).shuffle(reports)
    take_in(workspace, reports)
    late = topic_reports("topic2", 6, first=12) + topic_reports("new", 8)
    random.Random(4).shuffle(late)
    take_in(workspace, late)
    shuffled = grouping(workspace)
    with workspace.database.session() as session:
        session.execute(text("TRUNCATE report, theme, embedding_space CASCADE"))
    take_in(workspace, base())
    take_in(workspace, topic_reports("new", 8) + topic_reports("topic2", 6, first=12))
    assert grouping(workspace) == shuffled


def test_the_index_finds_what_comparing_with_every_landmark_finds(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(workspace, base())
    late = topic_reports("topic2", 6, first=12) + topic_reports("new", 8)
    monkeypatch.setattr(arrivals, "EXACT", 0)
    take_in(workspace, late)
    by_index = grouping(workspace)
    with workspace.database.session() as session:
        indexes = session.execute(text("SELECT indexdef FROM pg_indexes")).scalars().all()
        assert any("hnsw" in each and "WHERE (space_id = 1)" in each for each in indexes)
        session.execute(text("TRUNCATE report, theme, embedding_space CASCADE"))
    monkeypatch.undo()
    take_in(workspace, base())
    take_in(workspace, late)
    assert grouping(workspace) == by_index


def test_two_languages_meet_in_one_theme(workspace: Workspace) -> None:
    reports = [
        report
        for number in range(MANY)
        for report in topic_reports(f"topic{number}", 6)
        + topic_reports(f"topic{number}", 4, language="zh")
    ]
    take_in(workspace, reports)
    groups = grouping(workspace)
    assert all(len(topics_in(group)) == 1 for group in groups)
    mixed = [group for group in groups if {n.rsplit("-", 2)[1] for n in group} == {"en", "zh"}]
    assert len(mixed) >= MANY - 1


def test_what_one_user_says_two_thousand_times_founds_no_theme(workspace: Workspace) -> None:
    take_in(workspace, base())
    before = grouping(workspace)
    counts = take_in(workspace, topic_reports("flood", 2000, author="one person"))
    assert counts["new themes"] == 0
    assert before == {
        frozenset(name for name in group if not name.startswith("flood"))
        for group in grouping(workspace)
    }


def test_near_copies_count_as_one_report_by_one_person(workspace: Workspace) -> None:
    take_in(workspace, base())
    theme_id = themes_of(workspace)["topic1-en-0"]
    with workspace.database.session() as session:
        before = next(t.profile for t in load_themes(session) if t.theme_id == theme_id)
    report = topic_reports("topic1", 1, first=12, author="one person")[0]
    copies = [
        replace(report, external_id=f"topic1-en-{12 + n}", fingerprint=f"{report.fingerprint} {n}")
        for n in range(2000)
    ]
    arrive(workspace, copies, link=True)
    update(workspace)
    with workspace.database.session() as session:
        after = next(t.profile for t in load_themes(session) if t.theme_id == theme_id)
    assert after.reports == before.reports + 1
    assert after.duplicates == 1999
    assert after.distinct_reporters == before.distinct_reporters + 1


def test_what_one_developer_found_many_times_is_a_theme(workspace: Workspace) -> None:
    take_in(workspace, base())
    one = topic_reports("eval", 8, author="one developer", kind=Kind.DEVELOPER)
    assert take_in(workspace, one)["new themes"] == 1


def test_whatever_is_like_a_dismissed_theme_goes_there(workspace: Workspace) -> None:
    take_in(workspace, base())
    dismissed = themes_of(workspace)["topic1-en-0"]
    with workspace.database.session() as session:
        set_theme_status(session, dismissed, ThemeStatus.DISMISSED)
    take_in(workspace, topic_reports("topic1", 40, first=12))  # and everything is clustered anew
    assert {themes_of(workspace)[f"topic1-en-{n}"] for n in range(12, 50)} == {dismissed}


def test_a_run_that_fails_half_way_leaves_everything_as_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(workspace, base())
    before = stored(workspace)
    arrive(workspace, topic_reports("new", 40))

    def fail(*_: Any) -> int:
        raise RuntimeError("the power went")

    monkeypatch.setattr(update_module, "refresh_themes", fail)
    with pytest.raises(RuntimeError):
        update(workspace)
    assert stored(workspace) == before
    monkeypatch.undo()
    assert update(workspace)["new themes"] == 1


UPDATE_AND_HANG = """
import time
from flows import update_themes
def hang(*_):
    print("half way", flush=True)
    time.sleep(60)
update_themes.refresh_themes = hang
from triage.workspace import open_workspace
with open_workspace() as workspace:
    update_themes.update(workspace)
"""


def test_a_killed_process_leaves_nothing_half_made(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    arrive(workspace, base())
    before = stored(workspace)
    process = subprocess.Popen(
        [sys.executable, "-c", UPDATE_AND_HANG],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "half way"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert stored(workspace) == before
    assert update(workspace)["new themes"] == MANY


def test_a_dry_run_says_what_would_be_done_and_does_nothing(workspace: Workspace) -> None:
    arrive(workspace, base())
    before = stored(workspace)
    assert recluster(workspace, dry_run=True).counts["new themes"] == MANY
    assert stored(workspace) == before
