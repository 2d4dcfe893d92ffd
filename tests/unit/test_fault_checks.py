"""The fault campaign's check itself: it must see every kind of loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.benchmarks.faults.checking import State, find_troubles

ONE, TWO = frozenset({"a", "b"}), frozenset({"c", "d"})
SOUND = State(
    reports=("a", "b", "c", "d"),
    rejected=1,
    themes=frozenset({ONE, TWO}),
    decisions=frozenset({(ONE, "quick-fix", "coding"), (TWO, "fundamental", "reasoning")}),
    filed=frozenset({ONE}),
    waiting=frozenset(),
    unsettled=0,
    troubles=(),
)


def test_the_same_state_is_sound() -> None:
    assert find_troubles(SOUND, 5, SOUND) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reports": ("a", "b", "c")}, "1 of 5 records are neither"),
        ({"reports": ("a", "b", "c", "e")}, "2 reports lost or added"),
        ({"rejected": 0}, "1 of 5 records are neither"),
        ({"reports": ("a", "a", "b", "c", "d")}, "1 reports doubled"),
        ({"unsettled": 2}, "2 intended issues never settled"),
        ({"themes": frozenset({ONE | TWO})}, "1 of 1 themes are not those of the reference"),
        (
            {"decisions": frozenset({(ONE, "undecided", "coding"), *list(SOUND.decisions)[1:]})},
            "decided or routed otherwise",
        ),
        ({"filed": frozenset()}, "1 themes pass the gate and have no issue"),
        ({"troubles": ("2 issues for one theme",)}, "2 issues for one theme"),
    ],
)
def test_every_loss_is_seen(change: dict[str, object], said: str) -> None:
    found = find_troubles(replace(SOUND, **change), 5, SOUND)  # type: ignore[arg-type]
    assert any(said in trouble for trouble in found)


def test_a_theme_that_lost_its_coherence_while_github_failed_is_no_loss() -> None:
    waits = replace(SOUND, filed=frozenset(), waiting=frozenset({ONE}))
    assert find_troubles(waits, 5, SOUND) == []
