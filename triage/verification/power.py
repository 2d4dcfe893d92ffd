"""What could have been seen: the smallest effect, and how long to wait for a smaller one.

Square roots of Poisson counts have an almost constant variance of 1/4, so the test of two rates
has a closed-form power (Huffman 1984). Against the exact binomial power it errs by a few hundredths
of the ratio (see the tests).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from triage.verification.ratio import Floats, Strata
from triage.verification.rules import VerificationRules


def expected_people(strata: Strata) -> Floats:
    """How many people (...) would have reported the new version, had nothing changed."""
    expected: Floats = (strata.old * np.exp(strata.log_odds)).sum(-1)
    return expected


def detectable_ratio(strata: Strata, rules: VerificationRules) -> Floats:
    """The highest ratio (...) that would have been called improved with ``rules.power``.

    nan where even the theme's complete disappearance could not have been told from chance.
    """
    expected = expected_people(strata) / strata.inflation
    seen = strata.old.sum(-1) / strata.inflation
    spread = np.sqrt(1 + rules.drift_ratio * expected / np.maximum(seen, 1e-9))
    reach = np.sqrt(rules.drift_ratio) - _needed(rules) * spread / (
        2 * np.sqrt(np.maximum(expected, 1e-9))
    )
    return np.where(reach > 0, np.square(reach), np.nan)


def growth_needed(strata: Strata, ratio: float, rules: VerificationRules) -> Floats:
    """By which factor (...) the new version's exposure must grow for ``ratio`` to be detectable.

    Infinite where the old version has too few reports for any exposure of the new one.
    """
    expected = expected_people(strata) / strata.inflation
    seen = strata.old.sum(-1) / strata.inflation
    gap = np.sqrt(rules.drift_ratio) - np.sqrt(ratio)
    alone = (_needed(rules) / (2 * gap)) ** 2
    left = 1 - rules.drift_ratio * alone / np.maximum(seen, 1e-9)
    needed = alone / np.where(left > 0, left, 1.0)
    reachable = (left > 0) & (expected > 0)
    return np.where(reachable, needed / np.maximum(expected, 1e-9), np.inf)


def _needed(rules: VerificationRules) -> float:
    return float(ndtri((1 + rules.confidence) / 2) + ndtri(rules.power))
