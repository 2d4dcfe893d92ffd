"""Saving reports: idempotent, revisable, duplicate families without chains."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

import numpy as np
from sqlalchemy import text as sql

from triage.cleaning import link_duplicates
from triage.database import Database, Session
from triage.store.anchors import load_anchors
from triage.store.decisions import load_corrections, save_correction
from triage.store.duplicates import load_duplicate_candidates, save_duplicate_links
from triage.store.issues import load_issues, save_filed, save_intent
from triage.store.members import add_members, load_join
from triage.store.reports import load_reports, load_theme_members, load_theme_reports
from triage.store.saving import SavedReports, hold_reports, restamp_versions, save_reports
from triage.store.themes import (
    create_themes,
    load_forwards,
    load_theme,
    merge_theme,
    set_theme_status,
)
from triage.themes import profile
from triage.types import (
    CleanReport,
    Correction,
    FiledIssue,
    IssueDraft,
    Kind,
    ThemeDraft,
    ThemeProfile,
    ThemeStatus,
    ThemeText,
)

NOW = datetime(2026, 10, 1, tzinfo=UTC)
TEXT = ThemeText("stops", "stops.", ("stop",), 1, (1,))
PROFILE = ThemeProfile(
    1, 0, 1, 0, 1.0, NOW, NOW, {"corvane-4.2": 1}, {}, {}, {}, {NOW.date(): 1}, {}
)


def clean(external_id: str, text: str = "the agent stops", **values: object) -> CleanReport:
    report = CleanReport(
        origin="files",
        external_id=external_id,
        channel="user",
        kind=Kind.USER,
        created_at=NOW,
        title="",
        body=text,
        failure_text=text,
        fingerprint=text,
    )
    return replace(report, **values)  # type: ignore[arg-type]


def save(session: Session, *reports: CleanReport) -> SavedReports:
    saved = save_reports(session, reports)
    links = link_duplicates(load_duplicate_candidates(session, saved.to_link), saved.to_link)
    save_duplicate_links(session, links)
    return saved


def make_theme(session: Session, *report_ids: int) -> int:
    text = replace(TEXT, medoid_id=report_ids[0], exemplar_ids=report_ids)
    theme_id = create_themes(session, [ThemeDraft(text, PROFILE, ["the agent stops"])])[0]
    add_members(session, {theme_id: dict.fromkeys(report_ids)}, joined_by="cluster")
    return theme_id


def test_the_same_reports_again_change_nothing(database: Database) -> None:
    reports = [clean("a"), clean("b", "another failure")]
    with database.session() as session:
        assert len(save(session, *reports).added) == 2
    with database.session() as session:
        again = save(session, *reports)
    assert (again.added, again.revised, again.unchanged) == ((), (), 2)


def test_a_new_supporter_revises_a_report_but_leaves_it_in_its_theme(database: Database) -> None:
    with database.session() as session:
        report_id = save(session, clean("a")).added[0]
        theme_id = make_theme(session, report_id)
    with database.session() as session:
        saved = save(session, clean("a", supporter_hashes=("p1", "p2")))
        (report,) = load_reports(session)
    assert saved.revised == (report_id,)
    assert report.supporters == ("p1", "p2")
    assert report.theme_id == theme_id


def test_members_of_themes_are_their_reports_without_texts(database: Database) -> None:
    words = ("ends too soon", "never ends", "loops", "prints twice", "forgets its tools")
    reports = [
        clean(name, text, created_at=NOW + timedelta(days=-day))
        for day, (name, text) in enumerate(zip("abcde", words, strict=True))
    ]
    with database.session() as session:
        a, b, c, d, _ = save(session, *reports).added
        draft = ThemeDraft(TEXT, PROFILE, ["the agent stops"])
        first, second = create_themes(session, [draft, replace(draft, anchors=["loops"])])
        assert first < second
        members: dict[int, dict[int, float | None]] = {
            first: {a: 0.9, b: None},
            second: {c: 0.4, d: 0.8},
        }
        add_members(session, members, joined_by="similarity", loose=[b])
        add_members(session, {second: {a: 1.0}}, joined_by="similarity")  # is elsewhere: it stays

        anew = load_theme_reports(session, with_loose=True)
        assert {
            theme: [(r.report_id, r.is_core) for r in each] for theme, each in anew.items()
        } == {
            first: [(b, False), (a, True)],
            second: [(d, True), (c, True)],
        }
        found = load_theme_members(session, [first, second])
        assert load_theme_members(session, [second]) == {second: found[second]}
        for theme_id, loaded in anew.items():
            for member, report in zip(found[theme_id], loaded, strict=True):
                fields = asdict(member)
                assert fields.pop("has_text") is True
                assert fields == {name: getattr(report, name) for name in fields}
            assert profile(found[theme_id]) == profile(loaded)
        session.execute(sql("UPDATE report SET failure_text = '' WHERE report_id = :it"), {"it": a})
        kept = {m.report_id: m.has_text for m in load_theme_members(session, [first])[first]}
        assert kept == {a: False, b: True}
        assert load_join(session, c) == ("similarity", 0.4, ANY)
        assert load_anchors(session) == {first: ["the agent stops"], second: ["loops"]}


def test_a_reworded_report_leaves_its_theme_and_frees_its_duplicates(database: Database) -> None:
    with database.session() as session:
        first, second = save(session, clean("a"), clean("b")).added
        make_theme(session, first)
    with database.session() as session:
        assert [r.duplicate_of for r in load_reports(session)] == [None, first]
        save(session, clean("a", "something else altogether"))
    with database.session() as session:
        reports = {report.report_id: report for report in load_reports(session)}
    assert reports[first].theme_id is None
    assert reports[second].duplicate_of is None


def test_duplicates_of_an_anonymous_report_count_as_one_reporter(database: Database) -> None:
    with database.session() as session:
        save(session, clean("a"), clean("b"), clean("c", author_hash="someone"))
        reporters = {report.reporter for report in load_reports(session)}
    assert len(reporters) == 2


def test_later_copies_point_to_the_first_report_never_to_a_copy(database: Database) -> None:
    with database.session() as session:
        first = save(session, clean("a")).added[0]
    for name in ("b", "c", "d"):
        with database.session() as session:
            save(session, clean(name))
    with database.session() as session:
        assert {r.duplicate_of for r in load_reports(session)} == {None, first}


def test_an_absorbed_theme_forwards_to_its_survivor_for_ever(database: Database) -> None:
    with database.session() as session:
        first, second = save(session, clean("a"), clean("b", "other words")).added
        absorbed, survivor = make_theme(session, first), make_theme(session, second)
        merge_theme(session, absorbed, survivor)
    with database.session() as session:
        assert load_theme(session, f"T{absorbed}").theme_id == survivor
        assert load_theme(session, f"T{absorbed}", follow=False).status is ThemeStatus.MERGED
        assert {report.theme_id for report in load_reports(session)} == {survivor}


def test_a_theme_reads_back_as_it_was_stored(database: Database) -> None:
    with database.session() as session:
        report_id = save(session, clean("a")).added[0]
        theme_id = make_theme(session, report_id)
    with database.session() as session:
        theme = load_theme(session, str(theme_id))
    assert theme.profile.versions == {"corvane-4.2": 1}
    assert theme.profile.weeks == {NOW.date(): 1}
    assert theme.profile.first_seen == NOW
    assert np.isclose(theme.profile.coherence, 1.0)


def test_a_merge_hands_the_issue_and_the_words_over(database: Database) -> None:
    with database.session() as session:
        first, second = save(session, clean("a"), clean("b", "other words")).added
        absorbed, survivor = make_theme(session, first), make_theme(session, second)
        draft = IssueDraft(absorbed, "t", "b", (), None, None, None, "m")
        save_intent(session, draft, "fennwick/issues")
        save_filed(
            session, absorbed, FiledIssue("fennwick/issues", 13, "https://github.example/13")
        )
        save_correction(session, Correction(absorbed, "owner", "ada", "bo", "hers", NOW))
        merge_theme(session, absorbed, survivor)
    with database.session() as session:
        issues = load_issues(session)
        assert set(issues) == {survivor}
        assert issues[survivor].filed == FiledIssue(
            "fennwick/issues", 13, "https://github.example/13"
        )
        assert [word.value for word in load_corrections(session)[survivor]] == ["ada"]
        assert load_forwards(session) == {absorbed: survivor}


def test_a_theme_that_a_person_set_aside_still_takes_its_like(database: Database) -> None:
    with database.session() as session:
        theme_id = make_theme(session, save(session, clean("a")).added[0])
        set_theme_status(session, theme_id, ThemeStatus.DISMISSED)
        assert theme_id in load_anchors(session)


def test_a_new_alias_reaches_the_reports_that_are_stored(database: Database) -> None:
    written = clean("a", model_written="Corvane nightly"), clean("b", "other words")
    with database.session() as session:
        save(session, *written)
        assert restamp_versions(session, {"Corvane nightly": "corvane-4.3"}.get) == 1
        assert restamp_versions(session, {"Corvane nightly": "corvane-4.3"}.get) == 0
    with database.session() as session:
        versions = {r.external_id: r.model_version for r in load_reports(session)}
    assert versions == {"a": "corvane-4.3", "b": None}


def test_a_new_meaning_of_a_models_name_waits_for_who_holds_the_reports(
    database: Database,
) -> None:
    with database.session() as session:
        save(session, clean("a", model_written="Corvane nightly"))

    def restamp() -> int:
        with database.session() as session:
            return restamp_versions(session, {"Corvane nightly": "corvane-4.3"}.get)

    waiting = sql(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    with ThreadPoolExecutor(1) as beside:
        with database.session() as holder:
            hold_reports(holder)
            restamped = beside.submit(restamp)
            while not holder.execute(waiting).scalar_one():
                assert not restamped.done()
                time.sleep(0.01)
        assert restamped.result() == 1
