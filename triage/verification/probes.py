"""A release candidate's probes beside the field: do both say the same?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtri

from triage.errors import TriageError
from triage.verification.counts import ProbeRuns
from triage.verification.judging import ReleaseVerdict
from triage.verification.rules import DEFAULT_RULES, VerificationRules

# Runs of one probe are alike: this correlation is believed until they show a higher one.
ASSUMED_LIKENESS = 0.2


class Agreement(StrEnum):
    """Probes against the verdict from the field."""

    AGREE = "probes and field agree"
    PROBES_STILL_FAIL = "the field says mended, the probes still fail"
    FIELD_STILL_FAILS = "the probes pass, the field still reports it: they miss something"
    UNSURE = "too little to compare"
    NOT_RUN = "no probe was run on this version"


@dataclass(frozen=True, slots=True)
class ProbeRate:
    """The share of failed runs and its interval (0 to 1)."""

    failures: int
    runs: int
    probes: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ProbeComparison:
    """Whether probes and field agree; ``line`` says it with figures."""

    agreement: Agreement
    old: ProbeRate | None
    new: ProbeRate | None
    line: str


def probe_rate(results: ProbeRuns, confidence: float = 0.95) -> ProbeRate | None:
    """The failure rate with Wilson's interval (1927), or None where nothing ran.

    Several runs of one probe are not as many witnesses: the number of runs is divided by the
    design effect (Kish 1965), measured between probes and at least what ``ASSUMED_LIKENESS`` says.

    Raises:
        TriageError: lists of different length, or more failures than runs.
    """
    failures, runs = np.array(results.failures, float), np.array(results.runs, float)
    if failures.shape != runs.shape or (failures < 0).any() or (failures > runs).any():
        problem = f"{results.failures} failures in {results.runs} runs cannot be"
        raise TriageError("reading probe results", problem, "Give failures and runs by probe")
    total = runs.sum()
    if total == 0:
        return None
    rate = failures.sum() / total
    effective = total / _design_effect(failures, runs, rate)
    low, high = _wilson(rate, effective, float(ndtri((1 + confidence) / 2)))
    probes = int((runs > 0).sum())
    return ProbeRate(int(failures.sum()), int(total), probes, float(rate), low, high)


def compare_probes(
    verdict: ReleaseVerdict,
    old: ProbeRuns | None,
    new: ProbeRuns | None,
    rules: VerificationRules = DEFAULT_RULES,
) -> ProbeComparison:
    """Hold the probes of both versions against the field's verdict on the theme.

    Probes still fail when their whole interval lies above ``probe_pass_rate``, unless the field
    says *improved* and they fail less than before. They pass when it lies at or below it, or
    below the old version's interval.
    """
    before = probe_rate(old, rules.confidence) if old else None
    after = probe_rate(new, rules.confidence) if new else None
    agreement = _agreement(verdict, before, after, rules)
    return ProbeComparison(agreement, before, after, _line(agreement, before, after))


def _agreement(
    verdict: ReleaseVerdict,
    old: ProbeRate | None,
    new: ProbeRate | None,
    rules: VerificationRules,
) -> Agreement:
    if new is None:
        return Agreement.NOT_RUN
    fails = new.low > rules.probe_pass_rate
    passes = new.high <= rules.probe_pass_rate or (old is not None and new.high < old.low)
    if verdict is ReleaseVerdict.FIXED:
        return _choose(fails, Agreement.PROBES_STILL_FAIL, passes)
    if verdict is ReleaseVerdict.IMPROVED:
        lower = old is not None and new.rate < old.rate
        return _choose(fails and not lower, Agreement.PROBES_STILL_FAIL, passes or lower)
    if verdict is ReleaseVerdict.NOT_ENOUGH_EVIDENCE:
        return Agreement.UNSURE
    return _choose(passes, Agreement.FIELD_STILL_FAILS, fails)


def _choose(disagrees: bool, how: Agreement, agrees: bool) -> Agreement:
    return how if disagrees else Agreement.AGREE if agrees else Agreement.UNSURE


def _design_effect(
    failures: np.ndarray[tuple[int], np.dtype[np.float64]],
    runs: np.ndarray[tuple[int], np.dtype[np.float64]],
    rate: float,
) -> float:
    total, probes = runs.sum(), int((runs > 0).sum())
    assumed = 1 + (total / probes - 1) * ASSUMED_LIKENESS
    by_chance = rate * (1 - rate) / total
    if probes < 2 or by_chance == 0:
        return float(assumed)
    measured = np.square(failures - rate * runs).sum() * probes / (probes - 1) / total**2
    return float(max(assumed, measured / by_chance))


def _wilson(rate: float, runs: float, z: float) -> tuple[float, float]:
    centre = (rate + z * z / (2 * runs)) / (1 + z * z / runs)
    half = z / (1 + z * z / runs) * math.sqrt(rate * (1 - rate) / runs + (z / (2 * runs)) ** 2)
    return max(0.0, centre - half), min(1.0, centre + half)


def _line(agreement: Agreement, old: ProbeRate | None, new: ProbeRate | None) -> str:
    def told(name: str, rate: ProbeRate) -> str:
        return (
            f"{name} {rate.failures} of {rate.runs} runs over {rate.probes} probes failed "
            f"({100 * rate.rate:.0f} %, {100 * rate.low:.0f} to {100 * rate.high:.0f} %)"
        )

    parts = [
        told(name, rate)
        for name, rate in (("on the old version", old), ("on the new one", new))
        if rate is not None
    ]
    return "; ".join([*parts, str(agreement)]).capitalize() + "."
