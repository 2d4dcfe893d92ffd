"""A drafted issue says what a researcher needs, and nothing that a report smuggled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from bs4 import Comment
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.unit.test_filing_judge import page, violations, violations_on
from tests.unit.test_hostile_text import hostile
from triage.filing import (
    DraftContext,
    Release,
    draft_issue,
    marker,
    marker_in,
    render_draft_file,
    with_fallback_assignee,
)
from triage.filing.chart import reports_per_week
from triage.types import (
    Decision,
    EvidenceItem,
    IssueDraft,
    Kind,
    Priority,
    Report,
    Route,
    Theme,
    ThemeProfile,
    ThemeStatus,
    ThemeText,
    Verdict,
)

KEY = b"a key for tests"
HEADINGS = [
    "What fails",
    "Verdict",
    "Evidence",
    "Who reports it",
    "Reports per week",
    "In the reporters' words",
    "Error signatures",
    "Owner",
    "If the machine is wrong",
]
CONTEXT = DraftContext(
    family_title="Corvane",
    marker_key=KEY,
    next_version="corvane-4.3",
    releases=(
        Release("corvane-4.1", date(2026, 9, 1)),
        Release("corvane-4.2", date(2026, 10, 6)),
    ),
    capability_titles={"tool-use": "Tool use"},
    fallback_owner="fennwick-triage",
)
DECISION = Decision(
    verdict=Verdict.FUNDAMENTAL,
    confidence=0.86,
    priority=Priority.P1,
    reasons=(
        "Seen in 3 environments that share no code, so no single harness explains it.",
        "It came back after corvane-4.2, whose notes name a parser fix.",
    ),
    evidence=(
        EvidenceItem("Error signatures", "one parser error in 4 of 18 reports", -0.35),
        EvidenceItem("Spread over environments", "Loomcode, Tarn CLI, Pylon Desktop", 1.2),
        EvidenceItem("Languages", "English and Chinese", 0.0),
    ),
    policy_version="2026-10",
)
ROUTE = Route("tool-use", "mlindqvist", "12 of 18 reports name tool calls.", confidence=0.78)


def report(report_id: int, **changes: object) -> Report:
    plain = Report(
        report_id=report_id,
        external_id=f"S-{report_id:04d}",
        origin="files",
        channel="user",
        kind=Kind.USER,
        created_at=datetime(2026, 10, 3, tzinfo=UTC) + timedelta(days=report_id),
        title="Nested object arrives as a string",
        body="I gave it a tool whose argument is an object.\n\n    {'filter': '{\"a\": 1}'}\n",
        failure_text="Nested object arrives as a string",
        fingerprint="f",
        reporter="r",
        model_written="Corvane 4.2",
        model_version="corvane-4.2",
        environment="Loomcode 2.3 on macOS",
        language="en",
        url=f"https://feedback.example/issues/{2900 + report_id}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


REPORTS = (
    report(1),
    report(2, kind=Kind.DEVELOPER, url=None, environment="Tarn CLI 1.8"),
    report(3, title="", body="参数里的对象变成了带引号的字符串,工具直接报错。" * 3, language="zh"),
    report(4, model_version=None, model_written=None, environment=None),
)
THEME = Theme(
    theme_id=12,
    status=ThemeStatus.OPEN,
    text=ThemeText(
        title="Nested arguments arrive as quoted text",
        summary="A tool argument that should be an object arrives as a quoted string.",
        keywords=("nested", "argument"),
        medoid_id=1,
        exemplar_ids=(1, 2, 3, 4),
    ),
    profile=ThemeProfile(
        reports=18,
        duplicates=3,
        distinct_reporters=14,
        developer_reports=2,
        coherence=0.71,
        first_seen=datetime(2026, 9, 7, 8, tzinfo=UTC),
        last_seen=datetime(2026, 10, 20, 8, tzinfo=UTC),
        versions={"corvane-4.2": 11, "corvane-4.1": 6},
        channels={"user": 15, "evaluation": 3},
        environments={"Loomcode 2.3": 7, "Tarn CLI 1.8": 5, "a": 2, "b": 1, "c": 1, "d": 1, "e": 1},
        languages={"en": 14, "zh": 4},
        weeks={date(2026, 9, 7) + timedelta(weeks=n): n % 4 + 1 for n in range(7)},
        error_signatures={"TypeError: expected object, got str": 4},
    ),
)


def drafted(**changes: Any) -> IssueDraft:
    parts: dict[str, Any] = {
        "theme": THEME,
        "decision": DECISION,
        "route": ROUTE,
        "context": CONTEXT,
        **changes,
    }
    reports = parts.pop("reports", REPORTS)
    return draft_issue(reports=reports, **parts)


def headings(body: str) -> list[str]:
    return [heading.get_text() for heading in page(body).find_all("h3", recursive=False)]


def section(body: str, heading: str) -> str:
    """The text between one heading and the next."""
    return body.split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0]


def test_a_draft_carries_title_labels_assignee_and_milestone() -> None:
    draft = drafted()
    assert draft.title == "[tool-use] Nested arguments arrive as quoted text"
    assert draft.labels == ("capability: tool-use", "fundamental", "priority: P1")
    assert (draft.assignee, draft.fallback_assignee) == ("mlindqvist", "fennwick-triage")
    assert draft.milestone == "corvane-4.3"
    assert draft.body.endswith(draft.marker + "\n")


def test_a_body_has_its_sections_in_order_between_its_marks() -> None:
    draft = drafted()
    assert violations(draft.body) == []
    assert headings(draft.body) == HEADINGS
    comments = page(draft.body).find_all(string=lambda text: isinstance(text, Comment))
    assert [comment.strip() for comment in comments] == [
        "feedback-triage:begin",
        "feedback-triage:end",
        draft.marker.removeprefix("<!--").removesuffix("-->").strip(),
    ]


def test_the_first_section_says_what_fails_for_whom_and_since_when() -> None:
    assert section(drafted().body, "What fails").strip() == (
        "A tool argument that should be an object arrives as a quoted string.\n\n"
        "**14 people** report this about Corvane, in 18 reports (and 3 that repeat another) "
        "between 2026-09-07 and 2026-10-20. 2 reports come from developers who evaluate the model. "
        "The earliest version in the reports is `corvane-4.1` (released 2026-09-01)."
    )


def test_the_verdict_gives_confidence_priority_target_and_reasons() -> None:
    text = section(drafted().body, "Verdict")
    assert "**Fundamental**" in text
    assert "Confidence 86 % (policy `2026-10`). Priority **P1**. Planned for `corvane-4.3`" in text
    assert len(page(text).find_all("li")) == 2


def test_the_evidence_is_ranked_by_what_it_moved() -> None:
    rows = page(section(drafted().body, "Evidence")).select("tbody tr")
    assert [[cell.get_text() for cell in row.find_all("td")][::2] for row in rows] == [
        ["Spread over environments", "fundamental (1.20)"],
        ["Error signatures", "quick-fix (0.35)"],
        ["Languages", "neither"],
    ]


def test_the_breakdown_shows_the_five_most_frequent_and_sums_up_the_rest() -> None:
    text = section(drafted().body, "Who reports it")
    assert "| Model version | `corvane-4.2` 11 · `corvane-4.1` 6 · not stated 1 |" in text
    assert "`c` 1 · 2 more with 2 |" in text


def test_a_quote_names_who_where_when_and_links_to_the_source() -> None:
    text = section(drafted().body, "In the reporters' words")
    soup = page(text)
    assert len(soup.find_all("blockquote")) == 4
    assert soup.find_all("p")[0].get_text() == (
        "User · S-0001 · corvane-4.2 · Loomcode 2.3 on macOS · 2026-10-04 · source"
    )
    assert soup.find_all("a")[0]["href"] == "https://feedback.example/issues/2901"
    assert "Developer's evaluation" in text
    assert "version not stated" in text


def test_the_chart_draws_a_bar_for_every_week() -> None:
    text = section(drafted().body, "Reports per week")
    assert 'x-axis "week from" ["09-07", "09-14"' in text
    assert "bar [1, 2, 3, 4, 1, 2, 3]" in text


def test_the_chart_of_a_long_time_shows_half_a_year_and_counts_what_came_before() -> None:
    weeks = {date(2026, 1, 5) + timedelta(weeks=n): 1 for n in range(40)}
    chart = reports_per_week(weeks)
    assert '["16", "17", ' in chart
    assert chart.count(", 1") == 25
    assert "14 earlier reports are not drawn." in chart
    assert "2026-04-13 to 2026-10-05" in chart


def test_a_theme_with_nothing_known_still_gets_a_whole_body() -> None:
    profile = replace(
        THEME.profile,
        reports=1,
        duplicates=0,
        distinct_reporters=1,
        developer_reports=0,
        last_seen=THEME.profile.first_seen,
        versions={},
        environments={},
        channels={},
        languages={},
        weeks={},
        error_signatures={},
    )
    draft = drafted(
        theme=replace(THEME, profile=profile, text=ThemeText("", "", (), 1, ())),
        decision=Decision(Verdict.UNDECIDED, 0.5, Priority.P3, (), (), "2026-10"),
        route=Route(None, None, "", is_fallback=True),
        reports=(),
        context=DraftContext("Corvane", KEY),
    )
    assert headings(draft.body) == HEADINGS
    assert violations(draft.body) == []
    assert draft.title == "Untitled failure"
    assert draft.labels == ("needs-verdict", "priority: P3")
    assert (draft.assignee, draft.milestone) == (None, None)
    assert "**1 person** reports this about Corvane, in 1 report on 2026-09-07." in draft.body


def test_a_verdict_set_by_a_person_names_the_person_and_no_confidence() -> None:
    text = section(drafted(decision=replace(DECISION, set_by="mlindqvist")).body, "Verdict")
    assert "Set by `mlindqvist`" in text
    assert "Confidence" not in text


def test_the_fallback_takes_over_and_the_body_says_for_whom_and_why() -> None:
    draft = with_fallback_assignee(drafted(), "not a collaborator of @fennwick/models #4")
    assert (draft.assignee, draft.fallback_assignee) == ("fennwick-triage", None)
    owner = page(section(draft.body, "Owner")).get_text()
    assert "mlindqvist could not be assigned: not a collaborator of" in owner
    assert "Assigned to fennwick-triage instead." in owner
    assert violations(draft.body) == []
    assert headings(draft.body) == HEADINGS


def test_without_a_fallback_nobody_is_assigned() -> None:
    draft = with_fallback_assignee(drafted(context=replace(CONTEXT, fallback_owner=None)), "gone")
    assert draft.assignee is None
    assert "Nobody is assigned." in draft.body


def test_an_owner_who_is_the_fallback_has_no_second_fallback() -> None:
    draft = drafted(route=replace(ROUTE, owner=None, is_fallback=True))
    assert (draft.assignee, draft.fallback_assignee) == ("fennwick-triage", None)


def test_the_payload_assigns_the_owner() -> None:
    draft = drafted()
    assert draft.payload["assignees"] == ["mlindqvist"]


def test_the_draft_file_holds_the_header_and_the_exact_body() -> None:
    draft = drafted()
    _, header, body = render_draft_file(draft).split("---\n", 2)
    assert body == draft.body
    assert YAML(typ="safe").load(header) == {
        "title": draft.title,
        "labels": list(draft.labels),
        "assignees": ["mlindqvist"],
        "milestone": "corvane-4.3",
        "theme": "T12",
    }


def test_a_marker_leads_back_to_its_theme() -> None:
    assert marker_in(f"edited by hand\n{marker(12, KEY)}\r\nmore", KEY) == 12


@pytest.mark.parametrize(
    "forged",
    [
        "",
        marker(12, b"another key"),
        marker(12, KEY).replace("T12", "T13"),
        marker(12, KEY).replace("sig=", "sig=0"),
        marker(12, KEY).replace("T12", "T012"),
        marker(12, KEY).replace("T12", "T\uff11\uff12"),
    ],
)
def test_a_forged_marker_is_ignored(forged: str) -> None:
    assert marker_in(forged, KEY) is None
    assert marker_in(f"{forged}\n{marker(7, KEY)}\n{forged}", KEY) == 7


def test_a_huge_report_costs_quotes_but_never_the_marker() -> None:
    reports = tuple(report(n, body="`" * 89 + "\n" + "wort " * 20_000) for n in range(1, 31))
    theme = replace(THEME, text=replace(THEME.text, exemplar_ids=tuple(range(1, 31))))
    context = replace(CONTEXT, max_quotes=30, quote_chars=20_000)
    draft = drafted(theme=theme, reports=reports, context=context)
    assert 30_000 < len(draft.body) <= 60_000
    assert headings(draft.body) == HEADINGS
    assert marker_in(draft.body, KEY) == 12


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["$", "<", "&", "`\\|", "\u6a21", "\n", "\u0301", "#1", "@", "\U0001f600"]))
def test_the_longest_possible_fields_stay_within_the_limit(piece: str) -> None:
    text = piece * 5000
    names = {f"{text}{n}": n for n in range(40)}
    draft = drafted(**everywhere(text, names), context=CONTEXT)
    draft = with_fallback_assignee(draft, text)
    assert len(draft.body) <= 60_000
    assert len(draft.title) <= 120
    assert violations(draft.body) == []


def everywhere(text: str, names: dict[str, int]) -> dict[str, Any]:
    """A theme, its decision, route and reports with one text in every field that is text."""
    described = ThemeText(text, text, (text,), 1, (1, 2))
    profile = replace(
        THEME.profile,
        versions=names,
        channels=names,
        environments=names,
        languages=names,
        error_signatures=names,
    )
    items = tuple(EvidenceItem(text, text, 0.1) for _ in range(30))
    written = {
        "external_id": text,
        "title": text,
        "body": text,
        "failure_text": text,
        "model_written": text,
        "model_version": None,
        "environment": text,
        "language": text,
        "channel": text,
    }
    return {
        "theme": replace(THEME, text=described, profile=profile),
        "decision": replace(DECISION, reasons=(text,) * 20, evidence=items, set_by=text),
        "route": replace(ROUTE, reason=text),
        "reports": (
            report(1, **written, url=text),
            report(2, **written, url=f"https://t.example/{text}"),
        ),
    }


@settings(max_examples=100, deadline=None)
@given(hostile, hostile, hostile)
def test_no_text_from_a_report_has_an_effect_in_the_issue(one: str, two: str, three: str) -> None:
    canary = "zqcanary"
    text = f"{one}{canary}{two}\n{three}"
    parts = everywhere(text, {text: 3, two: 2})
    # The body alone carries a word by which its place on the page is found again.
    quoted = tuple(
        replace(r, title=three, body=f"{canary}body {one}\n{canary}body{two}\n> {canary}body")
        for r in parts["reports"]
    )
    body = drafted(**{**parts, "reports": quoted}).body
    soup = page(body)
    assert list(violations_on(soup)) == []
    assert [heading.get_text() for heading in soup.find_all("h3", recursive=False)] == HEADINGS
    assert body.lower().count("feedback-triage theme=") == 1
    assert body.count("<!--") == 3
    assert marker_in(body, KEY) == 12
    places = soup.find_all(string=lambda found: f"{canary}body" in found)
    for place in places:
        assert [parent.name for parent in place.parents][:3] == ["code", "pre", "blockquote"]
    assert len(places) == 2


@settings(max_examples=50, deadline=None)
@given(hostile)
def test_the_whole_file_survives_hostile_text(text: str) -> None:
    draft = drafted(**everywhere(text, {text: 1}))
    header = render_draft_file(draft).split("---\n", 2)[1]
    assert YAML(typ="safe").load(header)["title"] == draft.title
