"""All figures about the themes of a release at once, by requests or by share of reports.

Everything is arrays, so that the simulation study runs the very code that judges a release: axes
(..., T, S, W) are themes, channels and weeks; ``...`` is nothing for one release.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from triage.verification.counts import ExposureKind
from triage.verification.dispersion import variance_inflation
from triage.verification.power import detectable_ratio, expected_people, growth_needed
from triage.verification.ratio import (
    Floats,
    Strata,
    chance_of_fewer,
    chance_of_more,
    estimate_ratio,
    make_strata,
    ratio_interval,
    ratio_of_the_rest,
)
from triage.verification.rules import VerificationRules

# Other reports below which a share of them says nothing.
LEAST_CONTROL = 10


@dataclass(frozen=True, slots=True)
class Panel:
    """Counts ``old``, ``new`` (..., T, S, W) and by version what they are held against.

    ``*_requests`` and ``*_reporters`` (..., S, W) are exposures of either kind, 0 where unknown or
    left out; reporters are all people of a version, those of the themes among them. Requests known
    in sum only stand in full under each channel, and ``requests_by_channel`` is False.
    """

    old: Floats
    new: Floats
    old_requests: Floats
    new_requests: Floats
    old_reporters: Floats
    new_reporters: Floats
    requests_by_channel: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Per theme (..., T) the ratio new : old, its interval, the tests and what could be seen.

    ``*_chance`` are one-sided p-values against the bound that the verdict names; ``rest_low`` and
    ``rest_high`` are the extremes of the ratio with any one channel left out; ``usable`` is False
    where there was nothing to compare with.
    """

    strata: Strata
    ratio: Floats
    low: Floats
    high: Floats
    fixed_chance: Floats
    better_chance: Floats
    worse_chance: Floats
    rest_low: Floats
    rest_high: Floats
    expected: Floats
    detectable: Floats
    growth: Floats
    usable: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def compare(panel: Panel, kind: ExposureKind, rules: VerificationRules) -> Evidence:
    """Compare the two versions theme by theme, held against one kind of exposure."""
    counts = (panel.old, panel.new)
    reports = reports_without_the_loudest(panel, rules)
    controlled = np.all(
        [
            (whole - np.where(whole > 0, count, 0.0)).sum((-1, -2)) >= LEAST_CONTROL
            for whole, count in zip(reports, counts, strict=True)
        ],
        axis=0,
    )
    if kind is ExposureKind.REQUESTS:
        requests = (panel.old_requests, panel.new_requests)
        exposures = [
            np.where(
                controlled[..., None, None],
                _spread(used, by, by_channel=panel.requests_by_channel),
                used[..., None, :, :],
            )
            for used, by in zip(requests, reports, strict=True)
        ]
    else:
        exposures = list(reports)
    kept = [np.where(exposures[i] > 0, counts[i], 0.0) for i in (0, 1)]
    plain = make_strata(*(array.sum(-1) for array in (*kept, *exposures)))
    inflation = variance_inflation(
        (kept[0], kept[1]), (exposures[0], exposures[1]), plain, rules.assumed_dispersion
    )
    strata = Strata(plain.old, plain.new, plain.log_odds, inflation)
    usable = ((exposures[0].sum(-1) > 0) & (exposures[1].sum(-1) > 0)).any(-1)
    if kind is ExposureKind.REPORTS:
        usable &= controlled
    return _evidence(strata, usable, rules)


def _spread(requests: Floats, reports: Floats, *, by_channel: bool) -> Floats:
    """Requests (..., S, W) spread over channels and weeks as all reports (..., T, S, W) are.

    Which channel people write in, and when, moves with attention and not with use; spread so,
    launch noise and a shifted channel fall out, and the requests set the level. In the simulation
    study the fixed themes seen rose from 54 to 65 %, the improved from 13 to 25 %.
    """
    axes = -1 if by_channel else (-1, -2)
    talked = np.where(requests[..., None, :, :] > 0, reports, 0.0)
    whole = talked.sum(axes, keepdims=True)
    used = requests.sum(axes, keepdims=True)[..., None, :, :]
    spread: Floats = talked * used / np.maximum(whole, 1e-9)
    return spread


def reports_without_the_loudest(panel: Panel, rules: VerificationRules) -> tuple[Floats, Floats]:
    """All reports about each version (..., T, S, W) as seen from each theme.

    The one other theme that gained most and the one that lost most are left out, or one flood
    would make all other shares fall; but not where that leaves fewer than ``min_reports``.
    """
    wholes = (panel.old_reporters, panel.new_reporters)
    counts = (panel.old, panel.new)
    kept = [
        np.where(whole[..., None, :, :] > 0, n, 0.0)
        for n, whole in zip(counts, wholes, strict=True)
    ]
    sums = [n.sum((-1, -2)) for n in kept]
    parts = [
        n / np.maximum(whole.sum((-1, -2)), 1.0)[..., None]
        for n, whole in zip(sums, wholes, strict=True)
    ]
    gain = parts[1] - parts[0]
    themes = np.arange(gain.shape[-1])
    result = [np.repeat(whole[..., None, :, :], len(themes), -3) for whole in wholes]
    for loudest in (gain.argmax(-1), gain.argmin(-1)):
        pick = loudest[..., None, None, None]
        without = [
            whole - np.take_along_axis(n, pick, -3) for whole, n in zip(result, kept, strict=True)
        ]
        enough = (themes != loudest[..., None]) & np.all(
            [w.sum((-1, -2)) - n >= rules.min_reports for w, n in zip(without, sums, strict=True)],
            axis=0,
        )
        chosen = enough[..., None, None]
        result = [np.where(chosen, w, r) for w, r in zip(without, result, strict=True)]
    return result[0], result[1]


def _evidence(
    strata: Strata,
    usable: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    rules: VerificationRules,
) -> Evidence:
    low, high = ratio_interval(strata, rules.confidence)
    rest = ratio_of_the_rest(strata)
    return Evidence(
        strata=strata,
        ratio=estimate_ratio(strata),
        low=low,
        high=high,
        fixed_chance=chance_of_fewer(strata, rules.fixed_ratio),
        better_chance=chance_of_fewer(strata, rules.drift_ratio),
        worse_chance=chance_of_more(strata, 1 / rules.drift_ratio),
        rest_low=np.where(np.isnan(rest), np.inf, rest).min(-1),
        rest_high=np.where(np.isnan(rest), 0.0, rest).max(-1),
        expected=expected_people(strata),
        detectable=detectable_ratio(strata, rules),
        growth=growth_needed(strata, rules.halved_ratio, rules),
        usable=usable,
    )
