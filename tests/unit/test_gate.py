"""The gate: one test per exit, and the budget."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from triage.filing import FilingPolicy, filing_blocker, within_budget
from triage.types import (
    Decision,
    Priority,
    Route,
    Theme,
    ThemeProfile,
    ThemeStatus,
    ThemeText,
    Verdict,
)

SEEN = datetime(2026, 10, 1, tzinfo=UTC)
POLICY = FilingPolicy(min_reporters=3, min_coherence=0.5, max_new_issues_per_run=2)
DECISION = Decision(Verdict.FUNDAMENTAL, 0.9, Priority.P1, (), (), "2026-10")
ROUTE = Route("tool-use", "mlindqvist", "the reports name tool calls")


def theme(theme_id: int = 12, *, reporters: int = 3, coherence: float = 0.7) -> Theme:
    profile = ThemeProfile(
        reports=5,
        duplicates=0,
        distinct_reporters=reporters,
        developer_reports=0,
        coherence=coherence,
        first_seen=SEEN,
        last_seen=SEEN,
        versions={},
        channels={},
        environments={},
        languages={},
        weeks={},
        error_signatures={},
    )
    text = ThemeText("Arguments arrive as text", "", (), 1, (1,))
    return Theme(theme_id, ThemeStatus.OPEN, text, profile)


def blocker(
    it: Theme,
    decision: Decision | None = DECISION,
    route: Route | None = ROUTE,
    *,
    has_issue: bool = False,
    developer_severe: bool = False,
) -> str | None:
    return filing_blocker(
        it, decision, route, POLICY, has_issue=has_issue, developer_severe=developer_severe
    )


def test_a_coherent_theme_of_enough_people_is_filed() -> None:
    assert blocker(theme()) is None


def test_what_a_person_set_aside_is_not_filed() -> None:
    assert blocker(replace(theme(), status=ThemeStatus.DISMISSED)) == "set aside by a person"


def test_an_absorbed_theme_is_not_filed() -> None:
    absorbed = replace(theme(), status=ThemeStatus.MERGED, forwards_to=7)
    assert blocker(absorbed) == "merged into T7"


def test_a_filed_theme_is_not_filed_again() -> None:
    assert blocker(theme(), has_issue=True) == "already filed"


def test_a_theme_that_was_never_decided_is_not_filed() -> None:
    assert blocker(theme(), decision=None) == "not decided yet"


def test_a_theme_without_a_route_is_not_filed() -> None:
    assert blocker(theme(), route=None) == "not routed yet"


def test_an_incoherent_theme_is_not_filed_and_the_figures_are_named() -> None:
    assert blocker(theme(coherence=0.31)) == "not coherent: 0.31, needs 0.50"


def test_an_unknown_coherence_is_not_taken_for_a_good_one() -> None:
    assert blocker(theme(coherence=math.nan)) == "not coherent: nan, needs 0.50"


def test_too_few_people_are_not_enough_however_much_they_write() -> None:
    assert blocker(theme(reporters=2)) == (
        "too few reporters: 2, needs 3 or one developer's report of high severity"
    )


def test_one_severe_report_of_a_developer_is_enough() -> None:
    assert blocker(theme(reporters=1), developer_severe=True) is None


def test_a_severe_report_of_a_developer_does_not_excuse_incoherence() -> None:
    assert blocker(theme(reporters=1, coherence=0.1), developer_severe=True) is not None


def test_an_undecided_verdict_is_filed_for_a_person_to_decide() -> None:
    assert blocker(theme(), decision=replace(DECISION, verdict=Verdict.UNDECIDED)) is None


@pytest.mark.parametrize(
    ("it", "given"),
    [
        (replace(theme(), status=ThemeStatus.DISMISSED), {"has_issue": True}),
        (replace(theme(), status=ThemeStatus.MERGED), {"decision": None}),
        (theme(coherence=0.1, reporters=1), {"has_issue": True, "decision": None}),
        (theme(coherence=0.1, reporters=1), {"decision": None, "route": None}),
        (theme(coherence=0.1, reporters=1), {"route": None}),
        (theme(coherence=0.1, reporters=1), {}),
    ],
)
def test_the_first_failing_condition_is_the_one_that_is_named(
    it: Theme, given: dict[str, Any]
) -> None:
    expected = ("set aside", "merged", "already", "not decided", "not routed", "not coherent")
    position = [
        it.status is ThemeStatus.DISMISSED,
        it.status is ThemeStatus.MERGED,
        "has_issue" in given,
        "decision" in given,
        "route" in given,
        True,
    ].index(True)
    assert str(blocker(it, **given)).startswith(expected[position])


def candidate(theme_id: int, priority: Priority, reporters: int) -> tuple[Theme, Decision]:
    return theme(theme_id, reporters=reporters), replace(DECISION, priority=priority)


def test_the_most_urgent_then_the_most_reported_then_the_oldest_are_filed_first() -> None:
    policy = replace(POLICY, max_new_issues_per_run=10)
    candidates = [
        candidate(4, Priority.P2, 50),
        candidate(3, Priority.P1, 5),
        candidate(2, Priority.P1, 9),
        candidate(1, Priority.P1, 5),
        candidate(5, Priority.P0, 1),
    ]
    chosen, waiting = within_budget(candidates, policy)
    assert [it.theme_id for it in chosen] == [5, 2, 1, 3, 4]
    assert waiting == {}


def test_what_exceeds_the_budget_waits_and_is_told_its_place() -> None:
    chosen, waiting = within_budget([candidate(i, Priority.P1, 3) for i in (3, 1, 2)], POLICY)
    assert [it.theme_id for it in chosen] == [1, 2]
    assert waiting == {3: "over this run's budget of 2 new issues: place 3 in line"}


def test_a_budget_of_nothing_files_nothing() -> None:
    policy = replace(POLICY, max_new_issues_per_run=0)
    chosen, waiting = within_budget([candidate(1, Priority.P0, 3)], policy)
    assert chosen == ()
    assert list(waiting) == [1]
