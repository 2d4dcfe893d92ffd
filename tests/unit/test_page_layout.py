"""The map's places: the same for the same seed, near for alike texts, within the map."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from triage.page import lay_out, spread_copies
from triage.page import layout as layout_module


def two_groups(each: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around two directions, and their themes, 1 and 2."""
    chance = np.random.default_rng(3)
    raw = chance.normal(0, 0.15, (2 * each, 16))
    raw[:each, 0] += 1
    raw[each:, 1] += 1
    vectors = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    return vectors, np.repeat([1, 2], each)


@pytest.mark.parametrize("landmarks", [1500, 30])
def test_alike_texts_lie_together_and_a_seed_repeats_it(
    landmarks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_module, "MOST_LANDMARKS", landmarks)
    vectors, themes = two_groups(40)
    places = lay_out(vectors, themes)
    assert places.shape == (80, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    assert np.array_equal(places, lay_out(vectors, themes))
    first, second = places[:40], places[40:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    within = np.linalg.norm(first - first.mean(axis=0), axis=1).mean()
    assert apart > 2 * within


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_a_handful_of_texts_has_places_too(count: int) -> None:
    places = lay_out(two_groups(2)[0][:count], np.zeros(count, dtype=np.int64))
    assert places.shape == (count, 2)
    assert len({tuple(place) for place in places.tolist()}) == count


def test_copies_of_a_text_stand_around_it_and_none_leaves_the_map() -> None:
    places = np.array([[0.06, 0.06], [0.94, 0.5]], dtype=np.float32)
    texts = np.array([0] * 5000 + [1, 1])
    spread = spread_copies(places, texts)
    assert len({tuple(place) for place in spread.tolist()}) == 5002
    assert np.linalg.norm(spread - places[texts], axis=1).max() < 0.06
    assert spread.min() > 0
    assert np.array_equal(spread[[0, 5000]], places)
