"""The thresholds of a release's verdict, all in one place, none of them hidden in a formula."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Discovery(StrEnum):
    """How several themes at once are controlled for false discovery.

    ``BENJAMINI_HOCHBERG`` (1995) holds for independent and for positively dependent themes, as
    here, where they share exposure; ``BENJAMINI_YEKUTIELI`` (2001) for any dependence, at a cost.
    """

    BENJAMINI_HOCHBERG = "benjamini-hochberg"
    BENJAMINI_YEKUTIELI = "benjamini-yekutieli"


@dataclass(frozen=True, slots=True)
class VerificationRules:
    """What each verdict asks for; ratios are new rate by old rate.

    *fixed*: after ``soak_days``, the whole interval lies at or below ``fixed_ratio``.
    *improved* / *worse*: beyond ``drift_ratio`` / its inverse at false-discovery rate
    ``discovery_rate``; a change of a tenth is nobody's doing. *unchanged*: the whole interval
    lies between ``halved_ratio`` and its inverse. Everything else is *not enough evidence*. Where
    both requests and reports are known, requests decide, and the share of reports must support
    the claim with a one-sided p-value of ``corroboration`` (in 2,000 simulated releases 0.025,
    0.1 and 0.2 found 26, 29 and 29 % of the improved themes at 0.6, 0.7 and 1.1 % wrong claims).

    ``launch_weeks`` weeks after each launch are left out. ``min_requests`` or ``min_reports``
    (where requests are unknown) is the least exposure of either version. A release of which more
    than ``clock_share`` of the people wrote before the launch day has clocks that disagree.
    ``assumed_dispersion`` is the variance of the rates of single weeks (as the square of their
    coefficient of variation) that is believed until the data say better: unknown is not zero.
    A next check is between ``least_wait_days`` and ``longest_wait_days`` away. Probes that fail in
    more than ``probe_pass_rate`` of their runs, by the whole interval, still fail.
    """

    soak_days: int = 14
    launch_weeks: int = 1
    min_requests: float = 10_000.0
    min_reports: int = 30
    fixed_ratio: float = 0.2
    halved_ratio: float = 0.5
    drift_ratio: float = 0.9
    confidence: float = 0.95
    discovery_rate: float = 0.05
    discovery: Discovery = Discovery.BENJAMINI_HOCHBERG
    power: float = 0.8
    corroboration: float = 0.1
    assumed_dispersion: float = 0.1
    clock_share: float = 0.1
    clock_tolerance_days: int = 1
    themes_per_reporter: int = 10
    least_wait_days: int = 7
    longest_wait_days: int = 60
    probe_pass_rate: float = 0.2


DEFAULT_RULES = VerificationRules()
