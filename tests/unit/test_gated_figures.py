"""The benchmark's figures of the coherence gate count what they say."""

from __future__ import annotations

from tests.benchmarks.gated import gate_figures, let_through

TRUTH = {f"a{n}": "loop" for n in range(4)} | {f"b{n}": "cut" for n in range(3)} | {"x": "noise"}


def test_only_an_incoherent_theme_is_withheld() -> None:
    rows = [
        {"theme": "T1", "issue or blocker": "not coherent: 0.10, needs 0.50"},
        {"theme": "T2", "issue or blocker": "too few reporters: 1, needs 3"},
        {"theme": "T3", "issue or blocker": ""},
    ]
    assert let_through(rows) == {"T2", "T3"}


def test_pure_themes_count_among_those_let_through_and_all_their_reports_are_covered() -> None:
    found = dict.fromkeys(["a0", "a1", "a2", "x"], "T1") | {"a3": "T2", "b0": "T2", "b1": "T2"}
    assert gate_figures(TRUTH, found | {"b2": "", "stranger": "T1"}, {"T1"}) == {
        "gated_themes": 1,
        "gated_pure_share": 1.0,
        "gated_covered_share": 0.5,
        "withheld_pure_share": 0.0,
    }


def test_a_pair_of_reports_is_no_theme_to_judge() -> None:
    figures = gate_figures(TRUTH, {"a0": "T1", "b0": "T1"}, {"T1"})
    assert (figures["gated_themes"], figures["gated_covered_share"]) == (0, 0.25)


def test_noise_is_alike_to_nothing() -> None:
    truth = {f"n{n}": "noise" for n in range(4)}
    assert gate_figures(truth, dict.fromkeys(truth, "T1"), {"T1"})["gated_pure_share"] == 0.0
