"""What follows on an issue: verdicts, marked parts, exposure, quick fixes that did not help."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.decision.failed_fixes import after_failed_fixes
from triage.errors import IntakeError
from triage.filing.marker import SECTION_BEGIN, SECTION_END, has_note_marker, note_marker
from triage.filing.section import section_digest, with_section
from triage.listening import what_answer_says
from triage.sources.exposure import read_exposure
from triage.types import AnswerSays, Decision, Priority, Verdict
from triage.verification import (
    ALL_CHANNELS,
    Consequences,
    Exposure,
    IssueStanding,
    LedgerCount,
    ReleaseVerdict,
    Standing,
    ThemeOutcome,
    ThemeTopic,
    Use,
    consequences,
    make_ledger,
    propose_pairs,
    requests_by_week,
)

ISSUE = IssueStanding(True, False, None, "M1", "M1", "M2", True, True, True)
MOVED = replace(ISSUE, milestone="mine")
CLOSED = replace(ISSUE, is_open=False)
OURS = replace(CLOSED, closed_by_machine=True)
V = ReleaseVerdict
LAUNCH = date(2026, 6, 1)
NAMED_TWICE = [("corvane", 99), ("corvane", 5), ("pro", 7)]


@pytest.mark.parametrize(
    ("verdict", "issue", "wanted"),
    [
        (V.NOT_ENOUGH_EVIDENCE, ISSUE, Consequences()),
        (V.FIXED, ISSUE, Consequences(comments=True, closes=True)),
        (V.FIXED, replace(ISSUE, held_open_by="juno"), Consequences(comments=True)),
        (V.FIXED, CLOSED, Consequences(comments=True)),
        (V.FIXED, OURS, Consequences()),
        (V.UNCHANGED, OURS, Consequences()),
        (V.REGRESSED, OURS, Consequences(comments=True, reopens=True, milestone="M2")),
        (V.REGRESSED, replace(OURS, reopens=False), Consequences(comments=True, files_anew=True)),
        (V.REGRESSED, CLOSED, Consequences(comments=True, failed_quick_fix=True)),
        (V.IMPROVED, ISSUE, Consequences(comments=True, milestone="M2")),
        (V.UNCHANGED, ISSUE, Consequences(comments=True, milestone="M2", failed_quick_fix=True)),
        (V.WORSE, MOVED, Consequences(comments=True, failed_quick_fix=True)),
        (V.WORSE, replace(ISSUE, fix_was_tried=False), Consequences(comments=True, milestone="M2")),
    ],
    ids=str,
)  # fmt: skip
def test_a_verdict_has_its_consequences_and_undoes_nobody(
    verdict: ReleaseVerdict, issue: IssueStanding, wanted: Consequences
) -> None:
    assert replace(consequences(verdict, issue), sentences=()) == wanted


def marked(text: str) -> str:
    return f"{SECTION_BEGIN}\n{text}\n{SECTION_END}"


@given(st.text(max_size=80), st.text(max_size=80))
def test_all_but_the_marked_part_stays_to_the_letter(before: str, after: str) -> None:
    body = before + marked("old") + after
    assert with_section(body, marked("new")) == before + marked("new") + after


@pytest.mark.parametrize("body", ["", marked("x") * 2, SECTION_END + SECTION_BEGIN, SECTION_BEGIN])
def test_a_body_without_exactly_one_part_is_left_alone(body: str) -> None:
    assert section_digest(body) is None
    assert with_section(body, marked("new")) is None


def test_line_ends_are_no_edit() -> None:
    assert section_digest(marked("a\nb")) == section_digest(marked("a\nb ").replace("\n", "\r\n"))


def test_a_note_is_known_by_its_signed_marker_only() -> None:
    body = f"text\n\n{note_marker('x#1 verdict', b'key')}"
    assert has_note_marker(body, "x#1 verdict", b"key")
    assert not has_note_marker(body, "x#2 verdict", b"key")
    assert not has_note_marker(body, "x#1 verdict", b"other")


def exposed(day: int, requests: float, channel: str = "user") -> Exposure:
    return Exposure("corvane-4.2", LAUNCH + timedelta(days=day), channel, requests)


def test_a_week_with_an_unknown_day_is_unknown_and_never_less() -> None:
    days = [exposed(day, 10) for day in range(16) if day != 9]
    last = LAUNCH + timedelta(days=15)
    assert requests_by_week(days, LAUNCH, last) == {"user": (70, None, 20)}
    assert requests_by_week([], LAUNCH, last) is None
    assert requests_by_week(days, None, last) is None


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("x.csv", "version,day,requests\nnone,2026-06-01,5\n", "line 2, version"),
        ("x.csv", "version,day,requests\ncorvane,soon,5\n", "line 2, day"),
        ("x.csv", "version,day,requests\ncorvane,2026-06-01,-5\n", "line 2, requests"),
        ("x.csv", "version,day,requests\ncorvane,2026-06-01,nan\n", "line 2, requests"),
        ("x.jsonl", "\n{", "line 2, line"),
        ("x.jsonl", "[]", "line 1, line"),
    ],
)
def test_a_wrong_line_of_exposure_is_named(
    tmp_path: Path, name: str, content: str, place: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(IntakeError, match=place):
        read_exposure(path, {"corvane": "corvane-4.2"}.get)


def test_several_names_of_one_version_add_up_and_the_same_name_again_is_corrected(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    lines = ["version,day,requests", *(f"{name},2026-06-01,{n}" for name, n in NAMED_TWICE)]
    path.write_text("\n".join(lines), "utf-8")
    resolve = {"corvane": "corvane-4.2", "pro": "corvane-4.2"}.get
    assert read_exposure(path, resolve) == [Exposure("corvane-4.2", LAUNCH, ALL_CHANNELS, 12)]


def test_exposure_is_read_from_csv_and_jsonl(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.jsonl"
    first.write_text("version,day,channel,requests\ncorvane,2026-06-01,api,5\n", "utf-8")
    second.write_text('{"version": "corvane", "day": "2026-06-01", "requests": 7}\n', "utf-8")
    resolve = {"corvane": "corvane-4.2"}.get
    assert read_exposure(first, resolve) == [Exposure("corvane-4.2", LAUNCH, "api", 5)]
    assert read_exposure(second, resolve) == [Exposure("corvane-4.2", LAUNCH, ALL_CHANNELS, 7)]


@pytest.mark.parametrize(
    ("held", "versions", "verdict"),
    [
        (Verdict.QUICK_FIX, [], Verdict.QUICK_FIX),
        (Verdict.QUICK_FIX, ["a"], Verdict.UNDECIDED),
        (Verdict.QUICK_FIX, ["a", "b"], Verdict.FUNDAMENTAL),
        (Verdict.FUNDAMENTAL, ["a"], Verdict.FUNDAMENTAL),
    ],
)
def test_a_quick_fix_that_did_not_help_speaks_for_fundamental(
    held: Verdict, versions: list[str], verdict: Verdict
) -> None:
    decision = Decision(held, 0.8, Priority.P2, ("why",), (), "test")
    found = after_failed_fixes(decision, versions)
    assert found.verdict is verdict
    assert len(found.evidence) == (1 if versions else 0)


def test_a_version_that_nobody_used_is_not_observable_and_late_reports_count_for_theirs() -> None:
    counts = [LedgerCount(1, "a", LAUNCH, LAUNCH, 4, 3), LedgerCount(1, "", LAUNCH, LAUNCH, 2, 2)]
    use = Use({"a": 100.0}, {"a": 9})
    rows = make_ledger([1], ["a", "b"], counts, use, {(1, "b"): "juno"}, {})
    assert [(row.version, row.reports, row.standing) for row in rows] == [
        ("a", 4, Standing.REPORTED),
        ("b", 0, Standing.CLAIMED),
        ("", 2, Standing.REPORTED),
    ]
    rows = make_ledger([1], ["a", "b"], counts, use, {}, {})
    assert rows[1].standing is Standing.NOT_OBSERVABLE


def moved(theme_id: int, verdict: ReleaseVerdict) -> ThemeOutcome:
    return ThemeOutcome(theme_id, verdict, None, None, None, None, None, ())


def topic(area: str | None, *centre: float) -> ThemeTopic:
    return ThemeTopic(area, np.array(centre, dtype=np.float32))


OUTCOMES = [moved(1, V.IMPROVED), moved(2, V.WORSE), moved(3, V.UNCHANGED), moved(4, V.REGRESSED)]
SAFETY = {n: topic("safety", 1, n / 10) for n in (1, 2, 3)} | {4: topic("safety", -1, 1)}


@pytest.mark.parametrize(
    ("topics", "known", "pairs"),
    [
        (SAFETY, [], [(1, 2)]),
        (SAFETY | {4: topic("safety", 1, 0.1)}, [], [(1, 4), (1, 2)]),  # the likest first
        (SAFETY, [(2, 1)], []),
        (SAFETY | {2: topic("coding", 1, 0)}, [], []),
        (SAFETY | {1: topic(None, 1, 0), 2: topic(None, 1, 0)}, [], []),
        (SAFETY | {2: topic("safety", 0, 0)}, [], []),
        ({}, [], []),
    ],
)
def test_pairs_that_moved_against_each_other_are_proposed_where_they_are_alike(
    topics: dict[int, ThemeTopic], known: list[tuple[int, int]], pairs: list[tuple[int, int]]
) -> None:
    found = propose_pairs(OUTCOMES, topics, known, least_similarity=0.3)
    assert [(each.mended, each.worsened) for each in found] == pairs
    assert all("releases.opposites" in each.line for each in found)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("It still fails for me on the new version.", AnswerSays.STILL_BROKEN),
        ("Still not fixed \u2014 same error.", AnswerSays.STILL_BROKEN),
        ("It doesn\u2019t work.", AnswerSays.STILL_BROKEN),
        ("This was not resolved", AnswerSays.STILL_BROKEN),
        ("Funktioniert immer noch nicht.", AnswerSays.STILL_BROKEN),
        ("还是不行", AnswerSays.STILL_BROKEN),
        ("Works now, thank you!", AnswerSays.WORKS),
        ("It no longer happens here.", AnswerSays.WORKS),
        ("I can't reproduce it any more", AnswerSays.WORKS),
        ("Ça fonctionne, merci", AnswerSays.WORKS),
        ("> it still fails\n\nConfirmed, all good.", AnswerSays.WORKS),
        ("```\nstill broken\n```\nThanks!", AnswerSays.OTHER),
        ("I will try it tomorrow.", AnswerSays.OTHER),
        ("", AnswerSays.OTHER),
    ],
)
def test_an_answer_is_read_by_its_own_words(body: str, says: AnswerSays) -> None:
    assert what_answer_says(body) is says


@given(st.text())
def test_any_answer_can_be_read(body: str) -> None:
    assert what_answer_says(body) in AnswerSays
