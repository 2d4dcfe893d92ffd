"""The canary hears whether themes hold together."""

import math

import numpy as np
import pytest

from tests.unit.test_clustering import blobs
from triage.themes import choose_canary, fellowship


def test_themes_that_hold_together_sing_and_mixed_ones_do_not() -> None:
    vectors, themes = blobs(5, 10, 0), np.repeat(np.arange(1, 6), 10)
    assert fellowship(vectors, themes) == pytest.approx(1.0)
    mixed = np.random.default_rng(0).permutation(themes)
    assert fellowship(vectors, mixed) < 0.4


def test_a_theme_of_three_has_two_to_offer() -> None:
    assert fellowship(blobs(4, 3, 0), np.repeat(np.arange(4), 3)) == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_one_theme_or_none_says_nothing(count: int) -> None:
    vectors = blobs(1, max(count, 1), 0)[:count]
    assert math.isnan(fellowship(vectors, np.ones(count, dtype=np.int64)))


def test_small_themes_are_left_out_and_large_ones_cut() -> None:
    themes = np.array([7] * 2 + [8] * 3 + [9] * 100)
    assert choose_canary(themes).tolist() == [*range(2, 5), *range(5, 37)]
    assert len(choose_canary(np.array([], dtype=np.int64))) == 0
