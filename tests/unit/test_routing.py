"""Rules win, then the nearest capability by a margin, then the triage owner."""

from datetime import UTC, datetime

import numpy as np
import pytest

from triage.routing import Capability, Route, Rule, capability_texts, rank_capabilities, route
from triage.types import Kind, Report, Theme, ThemeProfile, ThemeStatus, ThemeText

NOW = datetime(2026, 11, 2, tzinfo=UTC)
TOOLS = Capability("tool-use", "Tool use", owners=("ada", "bo"))
SERVING = Capability("serving", "Serving", owners=("cy",))
ORPHAN = Capability("multimodal", "Multimodal")
CAPABILITIES = (TOOLS, SERVING, ORPHAN)
AXES = np.eye(3, dtype=np.float32)
TEXTS = {"tool-use": AXES[:1], "serving": AXES[1:2], "multimodal": AXES[2:]}
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


def routed(reports: list[Report], rules: list[Rule], direction: tuple[float, ...]) -> Route:
    vector = np.array([direction], dtype=np.float32)
    return route(
        THEME,
        reports,
        np.repeat(vector / np.linalg.norm(vector), len(reports), axis=0),
        rules=rules,
        capabilities=CAPABILITIES,
        capability_vectors=TEXTS,
        triage_owner="triage",
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
    assert "serving is the guess" in decided.reason
    assert decided.confidence is not None
    assert decided.confidence < 0.5


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
        THEME, [report()], AXES[:1], rules=[], capabilities=(), capability_vectors={},
        triage_owner=None,
    )  # fmt: skip
    assert decided.capability is None
    assert decided.owner is None
    assert decided.is_fallback


def test_a_lone_capability_is_ranked() -> None:
    assert rank_capabilities(AXES[:1], {"tool-use": AXES[:1]}) == [("tool-use", 1.0)]


def test_what_all_capabilities_share_tells_none_apart() -> None:
    shared = np.array([[0, 0, 3]], dtype=np.float32)
    texts = {"tool-use": AXES[:1] + shared, "serving": AXES[1:2] + shared}
    (first, near), (_, far) = rank_capabilities(AXES[:1], texts)
    assert first == "tool-use"
    assert near > 0.5 > far


def test_a_capability_is_embedded_as_what_it_is_and_each_example() -> None:
    capability = Capability("x", "Coding", "Writing code.", ("It does not compile",))
    assert capability_texts(capability) == ("Coding. Writing code.", "It does not compile")
