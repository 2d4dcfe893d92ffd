"""People's words: the latest holds, contradictions show, and what is learnt must be better."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from triage.corrections import (
    Example,
    Judged,
    Learnt,
    agreement,
    compare,
    conflicts,
    holding,
    learn,
    removed_owners,
    with_persons_words,
)
from triage.types import Correction, Decision, Priority, Verdict

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
NOW = datetime(2026, 11, 2, tzinfo=UTC)
DECISION = Decision(Verdict.UNDECIDED, 0.6, Priority.P3, ("It leans.",), (), "test")


def word(field: str, value: str, author: str = "ada", days: int = 0) -> Correction:
    return Correction(7, field, value, author, f"{author} knows", NOW + timedelta(days=days))


def test_the_latest_word_holds_and_the_contradiction_is_shown() -> None:
    words = [word("verdict", "quick-fix"), word("verdict", "fundamental", "bo", days=1)]
    assert holding(words)["verdict"].author == "bo"
    (clash,) = conflicts(words)
    assert (clash.held.author, clash.overruled.author) == ("bo", "ada")
    decided = with_persons_words(DECISION, words)
    assert (decided.verdict, decided.set_by, decided.confidence) == (Verdict.FUNDAMENTAL, "bo", 1)
    assert "bo knows" in decided.reasons[0]
    assert "ada had said quick-fix" in decided.reasons[1]


def test_a_change_of_mind_is_no_contradiction() -> None:
    words = [word("verdict", "quick-fix"), word("verdict", "fundamental", days=1)]
    assert conflicts(words) == []
    assert conflicts([word("owner", "x"), word("owner", "x", "bo", days=1)]) == []


def test_the_same_words_again_change_nothing() -> None:
    words = [word("verdict", "quick-fix"), word("verdict", "fundamental", "bo", days=1)]
    once = with_persons_words(DECISION, words)
    assert with_persons_words(once, words) == once


def test_a_word_on_the_priority_leaves_the_verdict_to_the_machine() -> None:
    decided = with_persons_words(DECISION, [word("priority", "P0")])
    assert (decided.priority, decided.set_by) == (Priority.P0, "policy")
    assert "set the priority" in decided.reasons[0]


def test_who_was_taken_off_stays_off_until_named_again() -> None:
    words = [word("not-owner", "Mira"), word("not-owner", "zed", days=1)]
    assert removed_owners(words) == {"mira", "zed"}
    assert removed_owners([*words, word("owner", "mira", days=2)]) == {"zed"}


def unit(*rows: list[float]) -> Floats:
    matrix = np.array(rows, dtype=np.float32)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))


def taught(themes: int, seed: int = 0) -> tuple[list[Example], Floats, Doubles, Doubles]:
    """Two groups of themes, each near its own axis, that the reader has all wrong."""
    chance = np.random.default_rng(seed)
    examples, rows = [], []
    for theme in range(themes):
        deep = theme % 2 == 0
        for copy in range(3):
            noise = chance.normal(scale=0.2, size=4)
            rows.append(list(np.array([deep, not deep, 0, 0], dtype=float) + noise))
            examples.append(Example(theme, f"{theme}-{copy}", deep, "a" if deep else "b"))
    log_odds = np.array([-1.0 if each.is_fundamental else 1.0 for each in examples])
    scores = np.array([[0.0, 1.0] if each.is_fundamental else [1.0, 0.0] for each in examples])
    return examples, unit(*rows), log_odds, scores


def test_what_is_learnt_reaches_what_is_near_and_hardly_what_is_far() -> None:
    examples, vectors, log_odds, scores = taught(6)
    found = learn(examples, vectors, log_odds, scores, ids=("a", "b"), based_on="reader")
    near, far = unit([1, 0, 0, 0], [0, 0, 0, 1])
    verdict, capability = found.shifts(np.stack([near, far]), vectors, ("a", "b"))
    assert verdict[0] > 1.5
    assert abs(verdict[1]) < 0.3
    assert capability[0, 0] > capability[0, 1] + 1


def test_learning_again_gives_the_same() -> None:
    material = taught(6)
    first, second = (learn(*material, ids=("a", "b"), based_on="r") for _ in range(2))
    assert first == second


def test_nothing_corrected_teaches_nothing() -> None:
    empty = np.zeros((0, 4), dtype=np.float32)
    found = learn([], empty, np.zeros(0), np.zeros((0, 2)), ids=("a", "b"), based_on="r")
    assert found == Learnt("r")
    verdict, capability = found.shifts(unit([1, 0, 0, 0]), empty, ("a", "b"))
    assert not verdict.any()
    assert capability.shape == (1, 2)


def test_a_text_that_is_gone_takes_its_weight_along() -> None:
    found = learn(*taught(6), ids=("a", "b"), based_on="r")
    left = found.without({"0-0", "5-2"})
    assert len(left.fingerprints) == len(left.verdict_weights) == len(left.capability_weights) == 16
    assert "0-0" not in left.fingerprints


def test_what_helps_on_themes_not_learnt_from_comes_into_use() -> None:
    compared = compare(*taught(20), ids=("a", "b"))
    assert compared.errors_before == 1
    assert compared.errors_after < 0.1
    assert compared.blocker is None


def test_words_without_a_pattern_do_not_come_into_use() -> None:
    examples, vectors, log_odds, scores = taught(20)
    chance = np.random.default_rng(1)
    luck = {theme: bool(chance.integers(2)) for theme in range(20)}
    random = [
        replace(e, is_fundamental=luck[e.theme_id], capability="a" if luck[e.theme_id] else "b")
        for e in examples
    ]
    assert compare(random, vectors, log_odds * 0, scores * 0, ids=("a", "b")).blocker is not None


def test_a_handful_of_corrections_is_not_enough() -> None:
    assert "only 6 of at least 10" in str(compare(*taught(6), ids=("a", "b")).blocker)


JUDGED = [
    Judged(1, "quick-fix", "coding", NOW),
    Judged(2, "fundamental", "coding", NOW),
    Judged(3, "undecided", None, NOW - timedelta(days=40)),
]


@pytest.mark.parametrize(
    ("words", "changed", "confirmed"),
    [
        ([], 0, 0),
        ([word("verdict", "fundamental")], 1, 0),
        ([word("verdict", "quick-fix")], 0, 1),
        ([word("capability", "serving")], 0, 0),
    ],
)
def test_agreement_counts_changes_and_confirmations(
    words: list[Correction], changed: int, confirmed: int
) -> None:
    cells = {(one.month, one.capability, one.about): one for one in agreement(JUDGED, {1: words})}
    cell = cells["2026-11", "all", "verdict"]
    assert (cell.themes, cell.changed, cell.confirmed) == (2, changed, confirmed)
    assert cells["2026-11", "coding", "verdict"].themes == 2
    assert cells["2026-09", "none", "verdict"].themes == 1


def test_a_split_or_dismissal_is_a_change_of_the_theme() -> None:
    told = agreement(JUDGED, {1: [word("split", '["r"]')], 2: [word("not-a-problem", "yes")]})
    cell = next(one for one in told if (one.capability, one.about) == ("coding", "theme"))
    assert cell.changed == 2
    low, high = cell.interval
    assert low < 1 <= high
