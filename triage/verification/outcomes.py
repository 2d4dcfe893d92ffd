"""What is said about a release: verdicts with the figures that made them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from triage.verification.counts import ExposureKind
from triage.verification.judging import Reason, ReleaseVerdict


@dataclass(frozen=True, slots=True)
class RatioFigures:
    """The new rate by the old one, channels held apart, with its interval.

    ``people`` and ``exposure`` are (old, new) after launch weeks and unknown weeks are left out;
    ``channels`` are (name, old people, new people). ``inflation`` is by how much counts scatter
    more than chance alone; ``detectable_ratio`` is the highest ratio that would have been called
    improved with the power of the rules, None where not even a disappearance would have been.
    """

    kind: ExposureKind
    people: tuple[int, int]
    exposure: tuple[float, float]
    ratio: float
    low: float
    high: float
    inflation: float
    channels: tuple[tuple[str, int, int], ...]
    detectable_ratio: float | None


@dataclass(frozen=True, slots=True)
class ThemeOutcome:
    """The verdict on one theme; ``lines`` say it with figures for people.

    ``reason`` is set for *not enough evidence* only, and ``next_check`` then is the day from
    which the answer may differ (None: waiting does not help). ``corroboration`` are the same
    figures by share of reports, where requests decided. ``q_value`` belongs to the claim made, or
    to the nearer of *improved* and *worse*.
    """

    theme_id: int
    verdict: ReleaseVerdict
    reason: Reason | None
    figures: RatioFigures | None
    corroboration: RatioFigures | None
    q_value: float | None
    next_check: date | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trade:
    """A theme mended at the price of its opposite."""

    mended: int
    worsened: int
    line: str


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    """The verdicts on all themes for one version against the last one."""

    old_version: str
    new_version: str
    kind: ExposureKind
    themes: tuple[ThemeOutcome, ...]
    trades: tuple[Trade, ...]
    lines: tuple[str, ...]
