"""How a theme moves: words and figures, never a picture alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from triage.decision.growth import SPAN, expected_reports, is_growing

WEEKS = 26
_HEIGHT = 24
_MIDDLE_OF_WEEK = timedelta(days=3, hours=12)


@dataclass(frozen=True, slots=True)
class Bar:
    """A week of the small chart: where its bar begins and how high it is, in 24 pixels."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Trend:
    """``word`` is new, growing, steady or quiet; ``figures`` say why; ``rank`` sorts."""

    word: str
    figures: str
    rank: int
    bars: tuple[Bar, ...]


def trend_of(arrivals: Mapping[date, int], last_seen: datetime, now: datetime) -> Trend:
    """The last fortnight against what the theme's own past lets expect.

    ``arrivals`` maps Mondays to how many people reported the theme for the first time in that week;
    the day is taken for the middle of the week, or now if that is earlier.
    """
    times = [
        min(datetime.combine(monday, time(), UTC) + _MIDDLE_OF_WEEK, now)
        for monday, people in sorted(arrivals.items())
        for _ in range(people)
    ]
    recent, expected = expected_reports(times, now)
    figures = f"{recent} new people in two weeks, {expected:.1f} expected"
    if not recent:
        return Trend("quiet", f"last report on {last_seen.date()}", 0, _bars(arrivals, now))
    if now - min(times) <= SPAN:
        word, rank = "new", 3
    elif is_growing(times, now):
        word, rank = "growing", 2
    else:
        word, rank = "steady", 1
    return Trend(word, figures, rank, _bars(arrivals, now))


def _bars(arrivals: Mapping[date, int], now: datetime) -> tuple[Bar, ...]:
    """The same 26 weeks for every theme, so that rows can be compared; a week of none is a line."""
    this_week = now.date() - timedelta(days=now.weekday())
    shown = [arrivals.get(this_week - timedelta(weeks=back), 0) for back in range(WEEKS)][::-1]
    most = max([*shown, 1])
    heights = [1 + round((_HEIGHT - 2) * people / most) for people in shown]
    return tuple(Bar(4 * x, _HEIGHT - height, height) for x, height in enumerate(heights))
