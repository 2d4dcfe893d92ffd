"""Rows of a matrix, each once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

FIRST = 4


def distinct_rows(rows: Floats) -> tuple[Floats, Labels, Labels]:
    """Each row once, in ascending order: (m, d); per row of (n, d) its place there; (m,) counts.

    What ``numpy.unique`` gives, which compares whole rows: 22,500 of 560 numbers took it 0.6 s.
    Here the first four decide, and the others only where those are equal.
    """
    if not rows.size:
        return np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    order = np.lexsort(rows[:, :FIRST].T[::-1])
    first = rows[order, :FIRST]
    is_new = np.r_[True, (first[1:] != first[:-1]).any(axis=1)]
    tied = np.flatnonzero(~is_new | np.r_[~is_new[1:], False])
    if len(tied):
        among_tied = np.unique(rows[order[tied]], axis=0, return_inverse=True)[1]
        by_all = np.argsort(among_tied, kind="stable")
        order[tied] = order[tied][by_all]
        is_new[tied] = np.diff(among_tied[by_all], prepend=-1) > 0
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.cumsum(is_new) - 1
    return rows[order[is_new]], place, np.bincount(place)
