"""What stands against any verdict on a release now, and when to look again."""

from __future__ import annotations

import math
from datetime import date, timedelta

from triage.verification.counting import DAYS_PER_WEEK
from triage.verification.counts import ExposureKind, VersionCounts
from triage.verification.judging import Reason
from triage.verification.rules import VerificationRules


def release_blocker(
    old: VersionCounts,
    new: VersionCounts,
    kind: ExposureKind,
    exposure: tuple[float, float],
    today: date,
    rules: VerificationRules,
) -> Reason | None:
    """Why no theme can be judged on this release yet, or None; the first that holds:

    1. the launch day of the new version is unknown or yet to come;
    2. the dates contradict each other: figures from the future, an old version launched after the
       new one, or too many reports from before the launch;
    3. the release is younger than ``soak_days``;
    4. nobody wrote about one of the versions: a silent channel is no mended model;
    5. nothing is left to hold counts against once launch weeks are left out;
    6. one of the versions was used less than the rules ask for.
    """
    if new.launched is None or new.launched > today:
        return Reason.NOT_RELEASED
    early = new.before_launch > rules.clock_share * (new.before_launch + new.people)
    swapped = old.launched is not None and old.launched > new.launched
    if early or swapped or max(old.last_day, new.last_day) > today:
        return Reason.CLOCKS_DISAGREE
    if new.days_observed < rules.soak_days:
        return Reason.SOAKING
    if not old.people or not new.people:
        return Reason.NO_REPORTS
    if min(exposure) <= 0:
        return Reason.NO_EXPOSURE
    least = rules.min_requests if kind is ExposureKind.REQUESTS else rules.min_reports
    return Reason.LOW_EXPOSURE if min(exposure) < least else None


def next_check(
    reason: Reason,
    new: VersionCounts,
    growth: float,
    exposure: tuple[float, float],
    kind: ExposureKind,
    today: date,
    rules: VerificationRules,
) -> date | None:
    """The day from which the answer may differ, at the rate at which exposure has grown so far.

    ``growth`` is the factor by which the new version's exposure must grow for a halving to be
    detectable; where it was, twice the exposure is waited for. None where no wait helps.
    """
    if reason in (Reason.SOAKING, Reason.NOT_RELEASED) and new.launched is not None:
        soaked = new.launched + timedelta(days=rules.soak_days)
        return max(soaked, today + timedelta(days=1))
    least = rules.min_requests if kind is ExposureKind.REQUESTS else rules.min_reports
    if reason is Reason.LOW_EXPOSURE:
        if exposure[1] >= least:
            return None  # the old version is short of it, and gets no more
        growth = least / exposure[1]
    elif reason is Reason.TOO_FEW:
        return None
    elif not math.isfinite(growth) or growth <= 1:
        growth = 2.0
    days = new.days_observed - rules.launch_weeks * DAYS_PER_WEEK
    wait = math.ceil(max(days, 1) * min(growth - 1, 1000.0))
    return today + timedelta(days=max(rules.least_wait_days, min(wait, rules.longest_wait_days)))
