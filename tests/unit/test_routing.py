"""Rules win, then the likeliest capability by a margin, then the parent, then the triage owner."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from triage.reading import Trust
from triage.routing import (
    Absence,
    Availability,
    Capability,
    Rule,
    capability_scores,
    capability_texts,
    follow,
    likeness,
    map_version,
    route,
    successors,
)
from triage.types import Kind, Report, Route, Theme, ThemeProfile, ThemeStatus, ThemeText

NOW = datetime(2026, 11, 2, tzinfo=UTC)
TOOLS = Capability("tool-use", "Tool use", owners=("ada", "bo"))
SERVING = Capability("serving", "Serving", owners=("cy",))
ORPHAN = Capability("multimodal", "Multimodal")
CAPABILITIES = (TOOLS, SERVING, ORPHAN)
AXES = np.eye(3, dtype=np.float32)
THEME = Theme(
    7,
    ThemeStatus.OPEN,
    ThemeText("A title", "A summary [r-1]", (), 1, (1,)),
    ThemeProfile(1, 0, 1, 0, 1.0, NOW, NOW, {}, {}, {}, {}, {}, {}),
)


def report(number: int = 1, **changes: object) -> Report:
    values: dict[str, object] = {
        "report_id": number,
        "external_id": f"r-{number}",
        "origin": "files",
        "channel": "api",
        "kind": Kind.USER,
        "created_at": NOW,
        "title": "",
        "body": "text",
        "failure_text": "text",
        "fingerprint": str(number),
        "reporter": f"p{number}",
        "environment": "Loomcode 1.4 on Windows",
        "model_version": "corvane-4.2",
        "model_written": "Corvane 4.2",
        "url": "https://forum.example/t/12",
        "error_signatures": ("TypeError: expected array",),
    }
    return Report(**(values | changes))  # type: ignore[arg-type]


def routed(
    reports: list[Report],
    rules: list[Rule],
    odds: tuple[float, ...],
    capabilities: tuple[Capability, ...] = CAPABILITIES,
    **more: Any,
) -> Route:
    usual: dict[str, Any] = {
        "trust": Trust(),
        "learnt_ids": (),
        "triage_owner": "triage",
        "availability": Availability(NOW.date()),
    }
    return route(
        THEME,
        reports,
        np.tile(np.log(np.array([odds]) + 1e-9), (len(reports), 1)),
        rules=rules,
        capabilities=capabilities,
        **(usual | more),
    )


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule("serving", environment="loomcode*"), True),
        (Rule("serving", environment="*windows*"), True),
        (Rule("serving", environment="windows"), False),
        (Rule("serving", model="corvane-4.*"), True),
        (Rule("serving", model="Corvane 4.2"), True),
        (Rule("serving", channel="api"), True),
        (Rule("serving", channel="user"), False),
        (Rule("serving", url="/t/*"), True),
        (Rule("serving", url="*forum.example*"), False),
        (Rule("serving", error="TypeError*"), True),
        (Rule("serving", error="ValueError*"), False),
        (Rule("serving", environment="Loomcode*", channel="user"), False),
        (Rule("serving", environment="Loomcode*", channel="api"), True),
        (Rule("serving"), True),
    ],
)
def test_a_rule_matches_by_all_of_its_globs(rule: Rule, matches: bool) -> None:
    assert rule.matches(report()) is matches


def test_a_glob_on_what_is_unknown_does_not_match() -> None:
    blank = report(environment=None, url=None, error_signatures=())
    assert not any(
        Rule("serving", **{name: "*"}).matches(blank) for name in ("environment", "url", "error")
    )


def test_a_broken_address_matches_no_rule() -> None:
    assert not Rule("serving", url="*").matches(report(url="http://[broken/docs/"))


def test_the_last_matching_rule_wins_over_earlier_ones_and_over_likeness() -> None:
    rules = [Rule("tool-use"), Rule("serving", channel="api"), Rule("tool-use", channel="user")]
    decided = routed([report()], rules, (1, 0, 0))
    assert (decided.capability, decided.owner) == ("serving", "cy")
    assert decided.confidence is None
    assert "channel: api" in decided.reason


@pytest.mark.parametrize(("matching", "expected"), [(1, "tool-use"), (2, "serving")])
def test_a_rule_needs_half_of_the_reports(matching: int, expected: str) -> None:
    reports = [report(n, channel="api" if n < matching else "user") for n in range(4)]
    assert routed(reports, [Rule("serving", channel="api")], (1, 0, 0)).capability == expected


def test_duplicates_do_not_help_a_rule() -> None:
    reports = [report(1, channel="user"), *[report(n, duplicate_of=1) for n in range(2, 6)]]
    assert routed(reports, [Rule("serving", channel="api")], (1, 0, 0)).capability == "tool-use"


def test_a_rule_for_a_capability_that_is_gone_is_passed_over() -> None:
    assert routed([report()], [Rule("abolished")], (1, 0, 0)).capability == "tool-use"


def test_the_nearest_capability_takes_it_and_its_first_owner_is_asked() -> None:
    decided = routed([report()], [], (1, 0.1, 0))
    assert (decided.capability, decided.owner, decided.is_fallback) == ("tool-use", "ada", False)
    assert decided.confidence is not None
    assert decided.confidence > 0.8


def test_between_two_capabilities_triage_gets_it_with_the_guess() -> None:
    decided = routed([report()], [], (1, 1, 0))
    assert (decided.capability, decided.owner, decided.is_fallback) == (None, "triage", True)
    assert "tool-use is the guess" in decided.reason
    assert decided.confidence is not None
    assert decided.confidence <= 0.5


def test_a_capability_without_owner_is_kept_and_goes_to_triage() -> None:
    decided = routed([report()], [], (0, 0, 1))
    assert (decided.capability, decided.owner, decided.is_fallback) == (
        "multimodal",
        "triage",
        True,
    )
    assert "no owner" in decided.reason


def test_an_empty_map_sends_everything_to_triage() -> None:
    decided = route(
        THEME, [report()], np.zeros((1, 0)), rules=[], capabilities=(), trust=Trust(),
        learnt_ids=(), triage_owner=None, availability=Availability(NOW.date()),
    )  # fmt: skip
    assert decided.capability is None
    assert decided.owner is None
    assert decided.is_fallback


def test_a_lone_capability_takes_everything() -> None:
    assert routed([report()], [], (1,), (TOOLS,)).capability == "tool-use"


AWAY = Absence("ada", date(2026, 11, 1), date(2026, 11, 9))


def test_while_the_owner_is_away_the_backup_is_asked_and_told_why() -> None:
    found = routed([report()], [], (1, 0, 0), availability=Availability(NOW.date(), [AWAY]))
    assert found.owner == "bo"
    assert not found.is_fallback
    assert "ada is away until 2026-11-09" in found.reason
    back = Availability(date(2026, 11, 10), [AWAY])
    assert routed([report()], [], (1, 0, 0), availability=back).owner == "ada"


def test_when_all_owners_are_away_triage_gets_it() -> None:
    both = [AWAY, Absence("Bo", AWAY.since, AWAY.until)]
    found = routed([report()], [], (1, 0, 0), availability=Availability(NOW.date(), both))
    assert (found.capability, found.owner, found.is_fallback) == ("tool-use", "triage", True)


def test_who_was_taken_off_a_theme_is_never_asked_again() -> None:
    without = Availability(NOW.date(), removed=["ADA", "bo", "Triage"])
    found = routed([report()], [], (1, 0, 0), availability=without)
    assert found.owner is None
    assert found.is_fallback
    assert "ada was taken off it" in found.reason


def test_between_two_parts_of_a_whole_the_whole_takes_it() -> None:
    parts = (
        Capability("agents", "Agents", owners=("dee",)),
        Capability("planning", "Planning", parent="agents", owners=("eve",)),
        Capability("memory", "Memory", parent="agents", owners=("flo",)),
    )
    found = routed([report()], [], (0.02, 0.5, 0.48), parts)
    assert (found.capability, found.owner) == ("agents", "dee")
    assert "parts of agents" in found.reason


RENAMED = Capability("tools", "Tools", formerly=("tool-use",))
SPLIT = (
    Capability("tool-choice", "Choice", formerly=("tool-use",)),
    Capability("tool-arguments", "Arguments", formerly=("tool-use",)),
)
MERGED = Capability("platform", "Platform", formerly=("serving", "documentation"))


def test_an_old_id_is_followed_through_rename_split_and_merge() -> None:
    assert successors("tool-use", CAPABILITIES) == ("tool-use",)
    assert follow("tool-use", (RENAMED, SERVING), {}) == "tools"
    assert follow("documentation", (MERGED,), {}) == "platform"
    assert follow("tool-use", SPLIT, {"tool-choice": 0.2, "tool-arguments": 0.7}) == (
        "tool-arguments"
    )
    assert follow("abolished", CAPABILITIES, {}) is None


def test_a_rule_follows_a_renamed_capability() -> None:
    found = routed([report()], [Rule("tool-use", channel="api")], (0, 1), (RENAMED, SERVING))
    assert found.capability == "tools"


def test_what_was_learnt_goes_on_under_the_new_ids() -> None:
    learnt, ids = np.log(np.array([[0.7, 0.2, 0.1]])), ("tool-use", "serving", "documentation")
    like = np.array([[0.1, 0.6, 0.1]])
    renamed = capability_scores(like[:, :2], learnt, ids, (RENAMED, SERVING))
    assert renamed[0].argmax() == 0
    merged = np.exp(capability_scores(like[:, :1], learnt, ids, (MERGED,)))
    assert merged[0, 0] == pytest.approx(0.3)
    split = np.exp(capability_scores(like, learnt, ids, (*SPLIT, SERVING)))
    assert split[0, :2].sum() == pytest.approx(0.7)
    assert split[0, 1] > split[0, 0]


def test_a_map_of_ids_that_nobody_learnt_is_judged_by_its_words() -> None:
    strange = (Capability("a", "A"), Capability("b", "B"))
    scores = capability_scores(np.array([[0.1, 0.4]]), np.zeros((1, 1)), ("tool-use",), strange)
    assert scores[0].argmax() == 1


def test_another_map_has_another_version() -> None:
    assert map_version(CAPABILITIES) == map_version(CAPABILITIES[::-1])
    assert map_version(CAPABILITIES) != map_version((*CAPABILITIES[1:], RENAMED))


def test_what_all_capabilities_share_tells_none_apart() -> None:
    shared = np.array([[0, 0, 3]], dtype=np.float32)
    near, far = likeness(AXES[:1], {"a": AXES[:1] + shared, "b": AXES[1:2] + shared})[0]
    assert near > 0.5 > far


def test_a_capability_is_embedded_as_what_it_is_and_each_example() -> None:
    capability = Capability("x", "Coding", "Writing code.", ("It does not compile",))
    assert capability_texts(capability) == ("Coding. Writing code.", "It does not compile")
