"""The few reports that stand for a theme, and how near a report must be to join it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.themes.joining import voiced_similarity

Floats = NDArray[np.float32]

# With 32 of 90 utterances of each of 75 intents as anchors as many others join rightly as with all
# 90, and fewer wrongly.
MOST_ANCHORS = 32
# How near the nearer three quarters of a theme's anchors are to each other is asked of whoever
# joins; eight anchors count as much as the least similarity of all themes.
CALIBRATING_QUANTILE = 0.25
CALIBRATING_NEEDS = 8


def choose_anchors(
    vectors: Floats, people: Sequence[str], *, most: int = MOST_ANCHORS
) -> list[int]:
    """Rows of at most ``most`` reports that cover a theme (n, d): all where there are no more.

    The first is the one nearest to all others, each next the one farthest from those chosen
    (Gonzalez 1985), out of the half nearest the centre, so that a stray never stands for the
    theme. Everybody who reported comes once before anybody comes twice: a flood from one person
    is one voice.
    """
    if len(vectors) <= most:
        return list(range(len(vectors)))
    # rounded, so that float noise from another order of summation cannot swap two reports
    centrality = np.round(vectors @ vectors.mean(axis=0), 5)
    core = np.argsort(-centrality, kind="stable")[: max(most, len(vectors) // 2)]
    is_first = _first_of_each([people[int(row)] for row in core])
    is_open = np.ones(len(core), dtype=bool)
    nearest = np.full(len(core), -np.inf)
    place = 0
    chosen = []
    for _ in range(most):
        chosen.append(int(core[place]))
        is_open[place] = False
        nearest = np.maximum(nearest, vectors[core] @ vectors[core[place]])
        pool = is_open & is_first if (is_open & is_first).any() else is_open
        place = int(np.where(pool, np.round(nearest, 5), np.inf).argmin())
    return sorted(chosen)


def join_thresholds(anchors: Mapping[int, Floats], usual: float) -> dict[int, float]:
    """How near a report must be to each theme: as near as most of its anchors, ``usual`` at least.

    A tight theme asks for more: of the utterances that joined one of 75 known intents out of 150,
    0.37 were right at 0.30 for all, 0.72 so, and 0.87 instead of 0.93 of the known still joined. A
    loose one does not ask for less: on the labelled reports 0.62 of the joins were right with the
    usual threshold as the least, 0.53 without. Few anchors say little and are shrunk towards it.
    """
    return {theme_id: _threshold(vectors, usual) for theme_id, vectors in anchors.items()}


def _threshold(vectors: Floats, usual: float) -> float:
    count = len(vectors)
    own = float(
        np.quantile(voiced_similarity(vectors, vectors, leave_out=True), CALIBRATING_QUANTILE)
    )
    calibrated = (count * own + CALIBRATING_NEEDS * usual) / (count + CALIBRATING_NEEDS)
    return max(usual, calibrated)


def _first_of_each(people: Sequence[str]) -> NDArray[np.bool_]:
    first: dict[str, int] = {}
    for row, person in enumerate(people):
        first.setdefault(person, row)
    return np.isin(np.arange(len(people)), list(first.values()))
