"""Which loose members leave their theme after a full clustering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.themes import NO_THEME, Stray, find_strays
from triage.themes.comparing import NOISE

# Theme 1 is at home in cluster 0, theme 2 in cluster 1; enough reports that two may go.
COUNT = 200
HOMES = {1: 0, 2: 1}


def setting() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Two themes of a hundred, each whole in its cluster and alike within."""
    themes = np.repeat([1, 2], COUNT // 2).astype(np.int64)
    vectors = np.zeros((COUNT, 2), dtype=np.float32)
    vectors[np.arange(COUNT), themes - 1] = 1
    return themes - 1, themes, vectors


def test_who_is_at_home_stays() -> None:
    labels, themes, vectors = setting()
    assert find_strays(labels, themes, vectors, HOMES, stays=()) == []


def test_noise_is_let_go_and_who_is_at_home_elsewhere_goes_there_first() -> None:
    labels, themes, vectors = setting()
    labels[3], labels[7] = NOISE, 1
    found = find_strays(labels, themes, vectors, HOMES, stays=())
    assert found == [Stray(7, 2), Stray(3, NO_THEME)]


def test_the_core_and_whom_a_person_put_there_stay() -> None:
    labels, themes, vectors = setting()
    labels[3], labels[7] = NOISE, 1
    assert find_strays(labels, themes, vectors, HOMES, stays={3, 7}) == []


def test_no_more_than_one_in_a_hundred_goes_the_least_alike_first() -> None:
    labels, themes, vectors = setting()
    labels[:5] = NOISE
    vectors[2] = vectors[4] = (0.6, 0.8)
    found = find_strays(labels, themes, vectors, HOMES, stays=())
    assert found == [Stray(2, NO_THEME), Stray(4, NO_THEME)]


def test_nobody_goes_where_two_themes_are_at_home_or_none_is() -> None:
    labels, themes, vectors = setting()
    labels[7], labels[8] = 1, 2
    assert find_strays(labels, themes, vectors, {1: 0, 2: 1, 3: 1}, stays=()) == []


def test_nobody_leaves_a_theme_that_has_no_home() -> None:
    labels, themes, vectors = setting()
    labels[:5] = NOISE
    assert find_strays(labels, themes, vectors, {2: 1}, stays=()) == []
