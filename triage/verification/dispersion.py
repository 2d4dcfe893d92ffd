"""How much more counts scatter than chance alone: measured by week, by cell and by channel.

People copy each other, weeks differ, channels have moods: counts are gamma-Poisson with variance
``mean + dispersion * mean ** 2``. Dispersion is estimated by the method of moments (Breslow 1984)
from the scatter around constant rates, pooled over all themes of the release, and each theme's
own then drawn towards the pool as far as its counts are too few to know better.

Arrays are float64 (..., T, S, W): themes, channels, weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from triage.verification.ratio import Floats, Strata, estimate_ratio

_LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class _Excess:
    """Sums (..., T): scatter beyond chance, what one unit of dispersion adds, and its noise."""

    scatter: Floats
    per_unit: Floats
    noise: Floats

    def __add__(self, other: _Excess) -> _Excess:
        return _Excess(
            self.scatter + other.scatter,
            self.per_unit + other.per_unit,
            self.noise + other.noise,
        )

    def pooled(self) -> _Excess:
        """The same sums over all themes (..., 1)."""
        return _Excess(
            self.scatter.sum(-1, keepdims=True),
            self.per_unit.sum(-1, keepdims=True),
            self.noise.sum(-1, keepdims=True),
        )

    def drawn_to(self, prior: Floats, spread: Floats) -> Floats:
        """The dispersion, between ``prior`` (standard deviation ``spread``) and the moments."""
        known = np.square(self.per_unit * spread)
        trust = known / np.maximum(known + self.noise, 1e-300)
        own = self.scatter / np.maximum(self.per_unit, 1e-300)
        return np.maximum(prior + trust * (own - prior), 0.0)


def variance_inflation(
    counts: tuple[Floats, Floats],
    exposures: tuple[Floats, Floats],
    strata: Strata,
    assumed: float,
) -> Floats:
    """By how much (..., T) the variance of the new version's count exceeds the binomial's; >= 1.

    ``counts`` and ``exposures`` of (old, new), each (..., T, S, W); exposure 0 is unknown.
    Cells are a channel's week; weeks are taken over all channels, since a shock may reach them
    together; channels show what stays different for a whole version. What cells already
    explain of the channels' scatter is not counted twice.
    """
    shares = [_week_shares(exposure) for exposure in exposures]
    fits = [
        np.where(share > 0, count, 0.0).sum(-1, keepdims=True) * share
        for count, share in zip(counts, shares, strict=True)
    ]
    misses = [
        np.where(share > 0, count - fit, 0.0)
        for count, share, fit in zip(counts, shares, fits, strict=True)
    ]
    cell = _dispersion(_both(misses, fits, by_week=False), assumed)
    week = _dispersion(_both(misses, fits, by_week=True), assumed)
    channel = _dispersion(_channel_excess(strata), 0.0)

    total = strata.totals
    even = expit(strata.log_odds)
    variance = total * even * (1 - even)
    squared = np.square(variance)
    in_cells = cell * sum((squared * np.square(share).sum(-1)).sum(-1) for share in shares)
    in_weeks = week * sum(
        np.square((variance[..., None] * share).sum(-2)).sum(-1) for share in shares
    )
    in_channels = channel * squared.sum(-1)
    excess = np.maximum(in_cells, in_weeks) + np.maximum(in_channels - in_cells, 0.0)
    inflation: Floats = 1.0 + excess / np.maximum(variance.sum(-1), 1e-9)
    return inflation


def _dispersion(excess: _Excess, assumed: float) -> Floats:
    everybody = np.full((*excess.scatter.shape[:-1], 1), assumed)
    pool = excess.pooled().drawn_to(everybody, np.maximum(everybody, 0.1))
    return excess.drawn_to(pool, pool + _LEAST_SPREAD)


def _both(misses: list[Floats], fits: list[Floats], *, by_week: bool) -> _Excess:
    old, new = (
        _excess(miss.sum(-2), fit.sum(-2)) if by_week else _over_channels(_excess(miss, fit))
        for miss, fit in zip(misses, fits, strict=True)
    )
    return old + new


def _over_channels(excess: _Excess) -> _Excess:
    return _Excess(excess.scatter.sum(-1), excess.per_unit.sum(-1), excess.noise.sum(-1))


def _channel_excess(strata: Strata) -> _Excess:
    """The scatter of the channels' own ratios around the common one."""
    ratio = np.clip(np.nan_to_num(estimate_ratio(strata), nan=1.0), 1e-12, 1e12)
    share = expit(np.log(ratio)[..., None] + strata.log_odds)
    total = strata.totals
    return _excess(strata.new - total * share, total * share * (1 - share))


def _excess(miss: Floats, variance: Floats) -> _Excess:
    """Moments over the last axis, of which the sum was fitted; weights 1 / (variance + 1)."""
    whole = np.maximum(variance.sum(-1, keepdims=True), 1e-300)
    leverage = variance / whole
    weight = 1.0 / (variance + 1.0)
    by_chance = variance * (1 - leverage)
    squared = np.square(variance)
    unit = (1 - 2 * leverage) * squared + np.square(leverage) * squared.sum(-1, keepdims=True)
    noise = 2.0 * np.square(weight * (by_chance + 0.1 * unit))
    return _Excess(
        (weight * (np.square(miss) - by_chance)).sum(-1),
        (weight * unit).sum(-1),
        noise.sum(-1),
    )


def _week_shares(exposure: Floats) -> Floats:
    """Each week's part of its channel's exposure; 0 where unknown."""
    whole = exposure.sum(-1, keepdims=True)
    return exposure / np.where(whole > 0, whole, 1.0)
