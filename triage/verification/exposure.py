"""Requests by day as requests by week since the launch; what is not known stays unknown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from triage.verification.counting import DAYS_PER_WEEK
from triage.verification.counts import WeeklyRequests


@dataclass(frozen=True, slots=True)
class Exposure:
    """Requests that a version served on a day in a channel; ``*``: in all channels together."""

    version: str
    day: date
    channel: str
    requests: float


def requests_by_week(
    exposures: Iterable[Exposure], launched: date | None, last_day: date
) -> WeeklyRequests | None:
    """Weekly requests by channel from the launch to the last day, None where none are known.

    A week with a missing day is unknown (``None``), never less or zero.
    """
    if launched is None or launched > last_day:
        return None
    by_channel: dict[str, dict[date, float]] = defaultdict(dict)
    for one in exposures:
        if launched <= one.day <= last_day:
            by_channel[one.channel][one.day] = one.requests
    if not by_channel:
        return None
    weeks = (last_day - launched).days // DAYS_PER_WEEK + 1
    return {
        channel: tuple(_week(days, launched, week, last_day) for week in range(weeks))
        for channel, days in sorted(by_channel.items())
    }


def _week(days: dict[date, float], launched: date, week: int, last_day: date) -> float | None:
    start = launched + timedelta(days=week * DAYS_PER_WEEK)
    wanted = [start + timedelta(days=day) for day in range(DAYS_PER_WEEK)]
    found = [days.get(day) for day in wanted if day <= last_day]
    return None if None in found else sum(value for value in found if value is not None)
