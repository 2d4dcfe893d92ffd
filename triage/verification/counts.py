"""What a verdict is made from: distinct people and exposure by version, channel and week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from triage.errors import TriageError

ALL_CHANNELS = "*"
Weekly = Mapping[str, tuple[int, ...]]
WeeklyRequests = Mapping[str, tuple[float | None, ...]]


class ExposureKind(StrEnum):
    """What a rate is divided by: requests, or all reports about the version."""

    REQUESTS = "requests"
    REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class VersionCounts:
    """How much one version was used and talked about, by channel and week since its launch.

    Week 0 begins on ``launched`` (with an unknown launch: on the day of the first report).
    ``reporters`` are distinct (person, theme) pairs about this version, a person without a theme
    counting once; whoever is counted for a theme is counted here in the same channel and week.
    ``requests`` by channel, or under ``ALL_CHANNELS`` where they are known in sum only; ``None``
    for a week means unknown, never zero. ``before_launch`` people are dated too early and counted
    nowhere else. ``last_day`` is the last day whose reports are in.
    """

    version: str
    launched: date | None
    last_day: date
    reporters: Weekly
    requests: WeeklyRequests | None = None
    before_launch: int = 0

    @property
    def days_observed(self) -> int:
        """Days from the launch to the last day, both included; 0 where the launch is unknown."""
        if self.launched is None:
            return 0
        return max(0, (self.last_day - self.launched).days + 1)

    @property
    def people(self) -> int:
        """All that were counted for this version."""
        return sum(sum(weeks) for weeks in self.reporters.values())


@dataclass(frozen=True, slots=True)
class ThemeCounts:
    """One theme: distinct reporters (never posts) by channel and week, on both versions.

    ``fixed_in`` is the version for which an earlier verdict said *fixed*, if any.
    """

    theme_id: int
    old: Weekly
    new: Weekly
    fixed_in: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeRuns:
    """Results of a theme's probes on one version: per probe how many of its runs failed."""

    failures: tuple[int, ...]
    runs: tuple[int, ...]


def check_counts(old: VersionCounts, new: VersionCounts, themes: tuple[ThemeCounts, ...]) -> None:
    """Refuse figures that cannot be: negative ones, or more people in a theme than altogether.

    Raises:
        TriageError: names the version, theme, channel and week.
    """
    for version in (old, new):
        for channel, weeks in (version.requests or {}).items():
            if any(value is not None and value < 0 for value in weeks):
                raise _impossible(version.version, f"requests of {channel} are negative")
    for theme in themes:
        for version, weekly in ((old, theme.old), (new, theme.new)):
            for channel, weeks in weekly.items():
                all_weeks = version.reporters.get(channel, ())
                for week, count in enumerate(weeks):
                    known = all_weeks[week] if week < len(all_weeks) else 0
                    if not 0 <= count <= known:
                        where = f"T{theme.theme_id}, {channel}, week {week}"
                        problem = f"{count} reporters of {known} altogether ({where})"
                        raise _impossible(version.version, problem)


def _impossible(version: str, problem: str) -> TriageError:
    remedy = "Count people anew with count_version"
    return TriageError(f"verifying with the figures of {version}", problem, remedy)
