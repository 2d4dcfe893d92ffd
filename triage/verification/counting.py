"""From single sightings to weekly counts of distinct people, so that volume decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from triage.verification.counts import VersionCounts, Weekly, WeeklyRequests
from triage.verification.rules import DEFAULT_RULES, VerificationRules

DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class Sighting:
    """One person's report about one version; ``theme_id`` is None where it is in no theme.

    ``day`` is when the report was written; it counts for the version that it names, however
    late it arrives.
    """

    reporter: str
    theme_id: int | None
    channel: str
    day: date


@dataclass(frozen=True, slots=True)
class VersionTally:
    """The counts of one version, and of each theme on it."""

    version: VersionCounts
    themes: Mapping[int, Weekly]


def count_version(
    version: str,
    sightings: Iterable[Sighting],
    launched: date | None,
    last_day: date,
    requests: WeeklyRequests | None = None,
    rules: VerificationRules = DEFAULT_RULES,
) -> VersionTally:
    """Count each person once per theme, by the earliest sighting, and at most for
    ``rules.themes_per_reporter`` themes; sightings in no theme count once per person who has no
    theme at all.

    Sightings after ``last_day`` wait for the next check. One dated before the launch by up to
    ``rules.clock_tolerance_days`` is put into week 0 (time zones); an earlier one is counted as
    ``before_launch`` only: a preview, or a clock that disagrees.
    """
    seen = sorted(
        (one for one in sightings if one.day <= last_day),
        key=lambda one: (one.day, one.reporter, one.theme_id is None, one.theme_id or 0),
    )
    start = launched or (seen[0].day if seen else last_day)
    earliest = start - timedelta(days=rules.clock_tolerance_days)
    early = {one.reporter for one in seen if one.day < earliest}
    firsts = _first_sightings([one for one in seen if one.day >= earliest], rules)
    weeks = max(0, (last_day - start).days) // DAYS_PER_WEEK + 1
    themes = {
        theme_id: _weekly([one for one in firsts if one.theme_id == theme_id], start, weeks)
        for theme_id in sorted({one.theme_id for one in firsts if one.theme_id is not None})
    }
    counted = VersionCounts(
        version, launched, last_day, _weekly(firsts, start, weeks), requests, len(early)
    )
    return VersionTally(counted, themes)


def _first_sightings(seen: list[Sighting], rules: VerificationRules) -> list[Sighting]:
    """The earliest sighting of each person and theme, up to the cap; ``seen`` is in order."""
    themes_of: dict[str, dict[int, Sighting]] = defaultdict(dict)
    strays: dict[str, Sighting] = {}
    for one in seen:
        if one.theme_id is None:
            strays.setdefault(one.reporter, one)
        elif len(themes_of[one.reporter]) < rules.themes_per_reporter:
            themes_of[one.reporter].setdefault(one.theme_id, one)
    themed = [one for themes in themes_of.values() for one in themes.values()]
    return themed + [one for who, one in strays.items() if who not in themes_of]


def _weekly(sightings: list[Sighting], start: date, weeks: int) -> Weekly:
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * weeks)
    for one in sightings:
        counts[one.channel][max(0, (one.day - start).days) // DAYS_PER_WEEK] += 1
    return {channel: tuple(row) for channel, row in sorted(counts.items())}
