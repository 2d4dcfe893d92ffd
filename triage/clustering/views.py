"""Several views of the same reports, and how much each may weigh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.clustering.centring import scale_to_unit_length, unit_length

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """One way of looking at reports: ``rows`` (n, d), of which likeness is the inner product.

    It weighs between ``least`` and ``most``. Which weight is right differs from one collection of
    reports to the next, so clustering looks with several.
    """

    rows: Floats
    least: float
    most: float

    def take(self, chosen: NDArray[np.int64]) -> View:
        """The view of some of the reports."""
        return View(self.rows[chosen], self.least, self.most)


def shares_view(log_chances: NDArray[np.float64], *, unit: bool = False) -> Floats:
    """A view of chances (n, k), given as logarithms: likeness is how far they overlap.

    The inner product of square roots is the Bhattacharyya coefficient (1943); their mean is taken
    away, as from the text vectors. ``unit`` scales the rows to length 1: of many classes each has
    little, and what differs from the mean is what counts.
    """
    chances = np.exp(log_chances - log_chances.max(axis=1, keepdims=True))
    roots = np.sqrt(chances / chances.sum(axis=1, keepdims=True))
    shifted = np.asarray(roots - roots.mean(axis=0), dtype=np.float32)
    return unit_length(shifted) if unit else shifted


def combined(views: Sequence[View], weights: Sequence[float] | None = None) -> Floats:
    """One unit vector a report from all views: (n, sum of d), float32.

    Each view at its weight, by default at the middle of its range.
    """
    if weights is None:
        weights = [(view.least + view.most) / 2 for view in views]
    rows = np.empty((len(views[0].rows), sum(view.rows.shape[1] for view in views)), np.float32)
    start = 0
    for view, weight in zip(views, weights, strict=True):
        end = start + view.rows.shape[1]
        np.multiply(view.rows, np.float32(np.sqrt(weight)), out=rows[:, start:end])
        start = end
    scale_to_unit_length(rows)
    return rows
