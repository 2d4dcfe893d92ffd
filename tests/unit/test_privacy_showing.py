"""Who may be quoted where, what is sensitive, and what an issue says without anybody's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_filing_draft import CONTEXT, DECISION, REPORTS, THEME, drafted
from triage.filing import section_digest
from triage.privacy import (
    Signs,
    sensitivity,
    withheld_because,
    withheld_in,
    without_words,
    without_words_of_reports,
)
from triage.types import Kind, Report

WHY = "2 people reported it, and words are shown from 3 on"


@pytest.mark.parametrize(
    ("people", "sensitive", "why"),
    [
        (3, None, None),
        (2, None, WHY),
        (1, None, "1 person reported it, and words are shown from 3 on"),
        (0, None, "0 people reported it, and words are shown from 3 on"),
        (50, "security", "it is about something sensitive (security)"),
        (1, "security", "it is about something sensitive (security)"),
    ],
)
def test_words_are_shown_from_enough_people_on_and_never_of_a_sensitive_theme(
    people: int, sensitive: str | None, why: str | None
) -> None:
    assert withheld_because(people, 3, sensitive) == why


def test_an_issue_without_words_says_why_and_holds_counts_only() -> None:
    shown = drafted(context=replace(CONTEXT, withheld={THEME.theme_id: WHY}))
    assert f"Not quoted here: {WHY}." in shown.body
    assert withheld_in(shown.body) == WHY
    assert f"**{THEME.profile.distinct_reporters} people**" in shown.body
    assert shown.title.endswith(f"A failure that is not quoted here ({THEME.name})")
    whole = f"{shown.title}\n{shown.body}"
    for report in REPORTS:
        for said in (report.title, report.body, report.failure_text, report.environment):
            assert not said or said not in whole
        assert report.external_id not in whole
    for name in (*THEME.profile.error_signatures, "Loomcode", "Tarn CLI"):
        assert name not in whole
    for item in DECISION.evidence:
        assert item.observation not in whole
    assert THEME.text.title not in whole
    assert section_digest(shown.body) != section_digest(drafted().body)


def test_an_issue_with_words_is_not_taken_for_one_without() -> None:
    assert withheld_in(drafted().body) == ""


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_summary_passes_for_a_reason_of_ours(words: str) -> None:
    for said in (f"Not quoted here: {words}.", f"### In the reporters' words\n\n{words}"):
        text = replace(THEME.text, summary=said, title=said)
        assert withheld_in(drafted(theme=replace(THEME, text=text)).body) == ""


def test_a_persons_reason_stays_and_the_policys_reasons_go() -> None:
    by_person = replace(DECISION, set_by="mira", reasons=("mira said so", "an error “x”"))
    assert without_words_of_reports(by_person).reasons == ("mira said so",)
    assert without_words_of_reports(DECISION).reasons == ()
    assert without_words_of_reports(DECISION).verdict is DECISION.verdict


def test_a_models_name_as_a_reporter_wrote_it_is_no_count_of_ours() -> None:
    profile = replace(THEME.profile, versions={"corvane-4.2": 3, "the one of Ana": 1})
    shown = without_words(replace(THEME, profile=profile), WHY, ["corvane-4.2"])
    assert shown.profile.versions == {"corvane-4.2": 3}
    assert shown.profile.distinct_reporters == profile.distinct_reporters


def report(number: int, text: str, kind: Kind = Kind.USER) -> Report:
    return replace(REPORTS[0], report_id=number, failure_text=text, kind=kind)


HARMLESS = "It repeats the same paragraph"
LEAK = "It printed the api key of our account into the chat"
HARM = "It encouraged self-harm when I was low"
OTHERS = "I was shown another user's conversation"


def theme_of(*texts: str, rest: int = 0) -> list[Report]:
    return [report(n, text) for n, text in enumerate([*texts, *[HARMLESS] * rest], start=1)]


@pytest.mark.parametrize(
    ("reports", "signs", "why"),
    [
        (theme_of(rest=6), Signs(), None),
        (theme_of(LEAK, LEAK, rest=4), Signs(), "security"),
        (theme_of(LEAK, rest=5), Signs(), None),
        (theme_of(LEAK, LEAK, rest=5), Signs(), None),
        (theme_of(HARM, HARM, rest=18), Signs(), "self-harm"),
        (theme_of(HARM, HARM, rest=19), Signs(), None),
        (theme_of(OTHERS, OTHERS, rest=1), Signs(), "personal data"),
        (theme_of("It showed other users\u2019 chats", OTHERS), Signs(), "personal data"),
        (theme_of(*["It fails when I send another user message"] * 3), Signs(), None),
        (theme_of(LEAK), Signs(), "security"),
        ([report(1, LEAK, Kind.DEVELOPER), *theme_of(rest=9)], Signs(), "security"),
        ([report(1, LEAK, Kind.DEVELOPER), *theme_of(rest=10)], Signs(), None),
        # once it is sensitive it stays so down to half of the share
        (theme_of(LEAK, LEAK, rest=10), Signs(held="security"), "security"),
        (theme_of(LEAK, LEAK, rest=11), Signs(held="security"), None),
        (theme_of("It deleted my files without my permission", rest=0), Signs(), None),
        (theme_of(rest=5), Signs(word="yes"), "a person said so"),
        (theme_of(LEAK, LEAK), Signs(word="no", capability="x", capabilities=["x"]), None),
        (theme_of(rest=3), Signs(capability="x", capabilities=["x"]), "capability x"),
        (theme_of(rest=3), Signs(capability=None, capabilities=["x"]), None),
        (theme_of(rest=3), Signs(labels=["Security"], sensitive_labels=["security"]),
         "label Security"),
        (theme_of("它泄露了密钥", "它泄露了密钥", rest=1), Signs(), "security"),
    ],
)  # fmt: skip
def test_what_makes_a_theme_sensitive(reports: list[Report], signs: Signs, why: str | None) -> None:
    assert sensitivity(reports, signs) == why
