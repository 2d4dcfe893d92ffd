"""How one rate compares with another: the exact conditional test, stratified by channel.

Given a channel's total, the new version's count is binomial with the share
``ratio * odds / (1 + ratio * odds)``, where ``odds`` is new exposure by old exposure (Przyborowski
and Wilenski 1940). The sum over channels is sufficient for a common ratio. Its tails are bounded
by the single binomial of the same mean (Hoeffding 1956): exact where channels have equal odds,
on the safe side elsewhere. That binomial gives test and interval (Clopper and Pearson 1934), and
takes over-dispersion as a smaller effective number (Korn and Graubard 1998).

Arrays are float64; ``S`` is the number of channels, ``...`` any leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, expit

Floats = NDArray[np.float64]

_LOG_LIMIT = 30.0
_HALVINGS = 44  # 60 / 2^44 is 3e-12: more than any figure shown


@dataclass(frozen=True, slots=True)
class Strata:
    """Counts (..., S) and log exposure odds (..., S); a channel without both exposures is void.

    ``inflation`` (...) is by how much the variance of the sum exceeds that of one binomial.
    """

    old: Floats
    new: Floats
    log_odds: Floats
    inflation: Floats

    @property
    def totals(self) -> Floats:
        """Both versions' people by channel."""
        return self.old + self.new


def make_strata(old: Floats, new: Floats, old_exposure: Floats, new_exposure: Floats) -> Strata:
    """Strata (..., S) without over-dispersion; exposure 0 means that none is known."""
    usable = (old_exposure > 0) & (new_exposure > 0)
    odds = np.where(usable, new_exposure, 1.0) / np.where(usable, old_exposure, 1.0)
    kept_old, kept_new = np.where(usable, old, 0.0), np.where(usable, new, 0.0)
    log_odds = np.broadcast_to(np.log(odds), kept_old.shape)
    return Strata(kept_old, kept_new, log_odds, np.ones(kept_old.shape[:-1]))


def share_at(strata: Strata, log_ratio: Floats) -> Floats:
    """The expected share (...) of the new version in all counts at a common log ratio (...)."""
    totals = strata.totals
    shares = expit(log_ratio[..., None] + strata.log_odds)
    mean: Floats = (totals * shares).sum(-1) / np.maximum(totals.sum(-1), 1e-300)
    return mean


def ratio_at(strata: Strata, share: Floats) -> Floats:
    """The common ratio (...) at which the new version has this share; inverse of ``share_at``."""
    low = np.full(share.shape, -_LOG_LIMIT)
    high = np.full(share.shape, _LOG_LIMIT)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = share_at(strata, middle) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    ratio = np.exp((low + high) / 2)
    ratio = np.where(share <= 0, 0.0, np.where(share >= 1, np.inf, ratio))
    return np.where(strata.totals.sum(-1) > 0, ratio, np.nan)


def estimate_ratio(strata: Strata) -> Floats:
    """The conditional maximum-likelihood ratio (...); nan where nothing was counted."""
    total = strata.totals.sum(-1)
    return ratio_at(strata, strata.new.sum(-1) / np.maximum(total, 1e-300))


def ratio_interval(strata: Strata, confidence: float) -> tuple[Floats, Floats]:
    """Clopper-Pearson bounds (...) on the ratio; 0 and infinity where nothing was counted."""
    hits, misses = _effective(strata)
    tail = (1 - confidence) / 2
    lower = np.where(hits > 0, betaincinv(np.maximum(hits, 1e-9), misses + 1, tail), 0.0)
    upper = np.where(misses > 0, betaincinv(hits + 1, np.maximum(misses, 1e-9), 1 - tail), 1.0)
    low, high = ratio_at(strata, lower), ratio_at(strata, upper)
    return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)


def chance_of_fewer(strata: Strata, null_ratio: float) -> Floats:
    """P (...) of a count at most as high as seen, were ``null_ratio`` true: small means lower."""
    hits, misses = _effective(strata)
    share = share_at(strata, np.full(hits.shape, np.log(null_ratio)))
    return np.where(misses > 0, betainc(np.maximum(misses, 1e-9), hits + 1, 1 - share), 1.0)


def chance_of_more(strata: Strata, null_ratio: float) -> Floats:
    """P (...) of a count at least as high as seen, were ``null_ratio`` true: small means higher."""
    hits, misses = _effective(strata)
    share = share_at(strata, np.full(hits.shape, np.log(null_ratio)))
    return np.where(hits > 0, betainc(np.maximum(hits, 1e-9), misses + 1, share), 1.0)


def ratio_of_the_rest(strata: Strata, least: int = 3) -> Floats:
    """The ratio (..., S) with each channel left out (Mantel and Haenszel 1959, person-time).

    nan where the other channels have fewer than ``least`` counts and so say nothing.
    """
    share = expit(strata.log_odds)
    above, below = strata.new * (1 - share), strata.old * share
    rest_above = above.sum(-1, keepdims=True) - above
    rest_below = below.sum(-1, keepdims=True) - below
    rest = strata.totals.sum(-1, keepdims=True) - strata.totals
    ratio = np.where(rest_below > 1e-9, rest_above / np.maximum(rest_below, 1e-9), np.inf)
    return np.where(rest >= least, ratio, np.nan)


def _effective(strata: Strata) -> tuple[Floats, Floats]:
    return strata.new.sum(-1) / strata.inflation, strata.old.sum(-1) / strata.inflation
