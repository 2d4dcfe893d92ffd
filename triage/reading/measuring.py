"""How good judgements are: agreement beyond chance, and honesty about being sure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10


def kappa(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Cohen's kappa (1960) of two binary judgements; 0 where one of them never varies."""
    said, truth = np.asarray(said, dtype=bool), np.asarray(truth, dtype=bool)
    if len(said) == 0:
        return 0.0
    agreed = float(np.mean(said == truth))
    by_chance = float(said.mean() * truth.mean() + (1 - said.mean()) * (1 - truth.mean()))
    return 0.0 if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)


def calibration_error(
    probability: NDArray[np.float64], truth: NDArray[np.bool_], bins: int = BINS
) -> float:
    """Expected calibration error (Naeini et al. 2015) of the confidence, 0.5 to 1, in equal bins.

    The confidence is the probability of the side that is said; it is compared with how often
    that side is right.
    """
    confidence = np.maximum(probability, 1 - probability)
    right = (probability > 0.5) == truth
    place = np.minimum(((confidence - 0.5) * 2 * bins).astype(int), bins - 1)
    error = 0.0
    for one in range(bins):
        own = place == one
        if own.any():
            error += own.mean() * abs(right[own].mean() - confidence[own].mean())
    return float(error)
