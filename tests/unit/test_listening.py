"""What people say on an issue: only whole lines of theirs command, and chains have an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.listening import (
    ChainEnd,
    Change,
    ChangeKind,
    IssueFacts,
    Label,
    LabelNames,
    SeenEvent,
    Word,
    attribute,
    duplicate_target,
    find_changes,
    follow_chain,
    label_renames,
    parse_commands,
    words_of,
)

NAMES = LabelNames("capability: ", "priority: ", ["coding", "tool-use"])
FACTS = IssueFacts("open", None, (Label(1, "fundamental"),), ("mira",), "M1", False, "digest")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("/triage verdict fundamental because it is the model", ["verdict"]),
        ("text\n/triage help\n/triage claim M2.3", ["help", "claim"]),
        ("/TRIAGE Verdict Quick-Fix", ["verdict"]),
        ("/triage", ["help"]),
        ("> /triage not-planned", []),
        ("```\n/triage not-planned\n```", []),
        ("~~~\n/triage not-planned", []),
        ("````\n```\n/triage not-planned\n````\n/triage mute", ["mute"]),
        ("    /triage not-planned", []),
        ("please /triage not-planned", []),
        ("/triaged not-planned", []),
        ("/triage split a b c\n" * 9, ["split"] * 5),
    ],
)
def test_commands_are_whole_lines_outside_of_quotes_and_code(body: str, names: list[str]) -> None:
    assert [command.name for command in parse_commands(body)] == names


@pytest.mark.parametrize(
    "line",
    [
        "/triage verdict",
        "/triage verdict maybe",
        "/triage priority P9",
        "/triage merge 12",
        "/triage merge #0",
        "/triage merge #1 #2",
        "/triage owner $(id)",
        "/triage explode",
        "/triage not-planned now",
    ],
)
def test_a_command_that_cannot_be_read_says_what_is_wrong(line: str) -> None:
    (command,) = parse_commands(line)
    assert command.problem


def test_a_reason_is_kept_apart_from_the_arguments() -> None:
    (command,) = parse_commands("/triage owner @okan because: Mira is   away")
    assert (command.arguments, command.reason) == (("okan",), "Mira is away")


@given(st.text(max_size=400))
def test_no_text_breaks_the_parser_or_passes_without_a_line_of_its_own(text: str) -> None:
    commands = parse_commands(text)
    assert len(commands) <= 5
    assert not commands or "/triage" in text.casefold()
    duplicate_target(text, "fennwick/issues")


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ("Duplicate of #12", 12),
        ("This is a duplicate of #7, I think", 7),
        ("duplicate of fennwick/issues#3", 3),
        ("duplicate of other/place#3", None),
        ("not a duplicate of #12", None),
        ("> Duplicate of #12", None),
        ("Duplicate of #0", None),
    ],
)
def test_duplicates_are_named_as_github_reads_them(body: str, target: int | None) -> None:
    assert duplicate_target(body, "fennwick/issues") == target


@given(
    st.dictionaries(st.integers(1, 8), st.integers(1, 8)),
    st.integers(1, 8),
    st.sets(st.integers(1, 8)),
    st.sets(st.integers(1, 8)),
)
def test_a_chain_ends_open_ours_and_elsewhere_or_not_at_all(
    edges: dict[int, int], start: int, ours: set[int], is_open: set[int]
) -> None:
    end = follow_chain(start, edges, ours=ours, is_open=is_open)
    if not isinstance(end, ChainEnd):
        assert end != start
        assert end in ours & is_open
        assert end not in edges


def test_every_field_that_differs_is_a_change_with_its_author() -> None:
    after = IssueFacts(
        "closed", "completed", (Label(2, "quick-fix"),), ("okan",), "M2", True, "other"
    )
    kinds = {change.kind for change in find_changes(FACTS, after)}
    assert kinds == set(ChangeKind) - {
        ChangeKind.REOPENED, ChangeKind.DEMILESTONED, ChangeKind.UNLOCKED
    }  # fmt: skip
    at = datetime(2026, 10, 1, tzinfo=UTC)
    events = [
        SeenEvent(1, 1, "labeled", "okan", False, at, "quick-fix"),
        SeenEvent(2, 1, "labeled", "juno", False, at, "quick-fix"),
        SeenEvent(3, 1, "labeled", "waldo", True, at, "other"),
    ]
    (found,) = attribute([Change(ChangeKind.LABELED, "quick-fix")], events)
    assert (found.actor, found.is_bot) == ("juno", False)


def test_a_renamed_label_is_no_change() -> None:
    after = IssueFacts("open", None, (Label(1, "deep"),), ("Mira",), "M1", False, "digest")
    assert find_changes(FACTS, after) == ()
    assert label_renames(FACTS, after) == {"fundamental": "deep"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(ChangeKind.LABELED, "quick-fix"), (Word("verdict", "quick-fix"),)),
        (Change(ChangeKind.LABELED, "capability: coding"), (Word("capability", "coding"),)),
        (Change(ChangeKind.LABELED, "capability: cooking"), ()),
        (Change(ChangeKind.LABELED, "priority: P1"), (Word("priority", "P1"),)),
        (Change(ChangeKind.LABELED, "good first issue"), ()),
        (Change(ChangeKind.UNLABELED, "quick-fix"), ()),
        (Change(ChangeKind.MILESTONED, "M2"), (Word("claim", "corvane-4.4"),)),
        (Change(ChangeKind.MILESTONED, "Backlog"), ()),
        (Change(ChangeKind.CLOSED, "not_planned"), (Word("state", "closed: not_planned"),)),
        (Change(ChangeKind.SECTION), ()),
    ],
)
def test_a_change_says_what_it_says(change: Change, words: tuple[Word, ...]) -> None:
    assert words_of(change, NAMES, versions={"M2": "corvane-4.4"}) == words


def test_an_issue_that_was_closed_and_reopened_between_two_looks_was_reopened() -> None:
    after = replace(FACTS, state_reason="reopened")
    assert find_changes(FACTS, after) == (Change(ChangeKind.REOPENED, "reopened"),)
    assert find_changes(after, after) == ()
