"""From what a reader says to probabilities that are right as often as they claim."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage.clustering import nearest_neighbours, unit_length
from triage.reading.features import Floats
from triage.reading.measuring import calibration_error, kappa
from triage.reading.pulling import NEIGHBOURS, pulled
from triage.reading.reader import Calibration, Doubles, Trust, log_softmax

Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]
SUREST = 0.75


def calibrate(
    routed: Doubles,
    log_odds: Doubles,
    *,
    is_model: Flags,
    capabilities: Labels,
    modes: Sequence[str],
    folds: Labels,
    vectors: Floats,
) -> tuple[Calibration, dict[str, float]]:
    """Fit slopes and offsets on held-back readings: capabilities (n, k) and log-odds (n,).

    Neighbours are looked up among the reports of the same fold, as new reports find theirs among
    each other. Returns the calibration and what it measures of itself.
    """
    log_odds, scores = log_odds[:, None].copy(), routed.copy()
    for fold in np.unique(folds):
        own = np.flatnonzero(folds == fold)
        unit = unit_length(vectors[own])
        near = nearest_neighbours(unit, NEIGHBOURS)
        log_odds[own] = pulled(log_odds[own], unit, near)
        scores[own] = pulled(scores[own], unit, near)
    slope, offset = _slope_and_offset(log_odds[:, 0], is_model)
    of_modes, first = mean_by_mode(np.hstack([log_odds, scores]), modes)
    theme_slope, theme_offset = _slope_and_offset(of_modes[:, 0], is_model[first])
    report_trust = fit_trust(scores, capabilities)
    theme_trust = fit_trust(of_modes[:, 1:], capabilities[first])
    probability = 1 / (1 + np.exp(-(slope * log_odds[:, 0] + offset)))
    surest = np.argsort(-np.abs(probability - 0.5))[: int(SUREST * len(probability))]
    figures = {
        "kappa": kappa(probability > 0.5, is_model),
        f"kappa of the surest {SUREST:.0%}": kappa(probability[surest] > 0.5, is_model[surest]),
        "calibration error": calibration_error(probability, is_model),
        "modes right": float(np.mean((of_modes[:, 0] > 0) == is_model[first])),
        "capability right": float(np.mean(scores.argmax(axis=1) == capabilities)),
        "capability of modes right": float(
            np.mean(of_modes[:, 1:].argmax(axis=1) == capabilities[first])
        ),
    }
    calibration = Calibration(slope, offset, theme_slope, theme_offset, report_trust, theme_trust)
    return calibration, {name: round(value, 3) for name, value in figures.items()}


def fit_trust(scores: Doubles, truth: Labels) -> Trust:
    """How far the highest of some scores (n, k) is to be believed, by which class it is.

    Temperature first (Guo et al. 2017), then an offset for each class, drawn towards zero.
    """
    from scipy.optimize import minimize_scalar
    from sklearn.linear_model import LogisticRegression

    def loss(slope: float) -> float:
        return float(-log_softmax(slope * scores)[np.arange(len(truth)), truth].mean())

    slope = float(minimize_scalar(loss, bounds=(0.02, 5.0), method="bounded").x)
    chances = np.exp(log_softmax(slope * scores))
    best = chances.argmax(axis=1)
    highest = np.clip(chances.max(axis=1), 1e-6, 1 - 1e-6)
    known = np.log(highest / (1 - highest))[:, None]
    if (best == truth).all() or not (best == truth).any():
        return Trust(slope)  # always right or never: nothing to tell the classes apart by
    features = np.hstack([known, np.eye(scores.shape[1])[best]])
    fitted = LogisticRegression(C=0.5, max_iter=500).fit(features, best == truth)
    weights = fitted.coef_[0]
    return Trust(
        slope, float(weights[0]), tuple(float(w + fitted.intercept_[0]) for w in weights[1:])
    )


def mean_by_mode(values: Doubles, modes: Sequence[str]) -> tuple[Doubles, Labels]:
    """Means of rows by mode, and the first row of each mode."""
    place: dict[str, list[int]] = {}
    for row, mode in enumerate(modes):
        place.setdefault(mode, []).append(row)
    rows = list(place.values())
    return np.stack([values[own].mean(axis=0) for own in rows]), np.array([own[0] for own in rows])


def _slope_and_offset(log_odds: Doubles, truth: Flags) -> tuple[float, float]:
    """Platt's scaling (1999)."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=100.0).fit(log_odds[:, None], truth)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
