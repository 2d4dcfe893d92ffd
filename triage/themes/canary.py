"""Whether themes would survive another way of making vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.clustering import nearest_neighbours

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

NEIGHBOURS = 5
# Reports of a theme that sing; more of a large one say no more and take time.
VOICES_OF_A_THEME = 32


def choose_canary(themes: Labels) -> Labels:
    """Rows that make up the canary: the first 32 of each theme of at least three, (m,)."""
    chosen = []
    for theme in np.unique(themes):
        rows = np.flatnonzero(themes == theme)
        if len(rows) >= 3:
            chosen.append(rows[:VOICES_OF_A_THEME])
    return np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.int64)


def fellowship(vectors: Floats, themes: Labels) -> float:
    """How far themes hold together in a space, 0 to 1: none where nothing can be said (NaN).

    ``vectors`` (n, d) are unit vectors, ``themes`` (n,) their themes. Mean share of each report's
    five nearest that are of its theme; a theme of three has two to offer.
    """
    if len(vectors) < 2 or len(np.unique(themes)) < 2:
        return float("nan")
    nearest = nearest_neighbours(vectors, NEIGHBOURS)
    count = nearest.shape[1]
    same = ((themes[nearest] == themes[:, np.newaxis]) & (nearest >= 0)).sum(axis=1)
    sizes = np.bincount(np.unique(themes, return_inverse=True)[1])
    offered = np.minimum(count, sizes[np.unique(themes, return_inverse=True)[1]] - 1)
    return float(np.mean(same / np.maximum(offered, 1)))
