"""How many reports a theme should get, by its own past, and whether it gets more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

SPAN = timedelta(days=14)
LEAST_RECENT = 3
# Half a report a fortnight is expected of anything: what is new has no past of its own.
PRIOR_REPORTS = 0.5
SURPRISE = 0.1
MOST_SPANS = 6


def expected_reports(times: Sequence[datetime], now: datetime) -> tuple[int, float]:
    """Reports of the last fortnight, and how many its earlier fortnights let expect.

    The past counts from the first report on, at most six fortnights back.
    """
    spans = _spans(times, now)
    recent = sum(timedelta(0) <= now - time < SPAN for time in times)
    earlier = sum(SPAN <= now - time < (spans + 1) * SPAN for time in times)
    return recent, (earlier + PRIOR_REPORTS) / (spans + 1)


def is_growing(times: Sequence[datetime], now: datetime) -> bool:
    """Whether so many recent reports would be a surprise, by Poisson counts of unknown rate.

    The rate is Gamma distributed after what was seen before, so the count is negative binomial:
    after few earlier reports many new ones are a small surprise.
    """
    # takes over a second to import, and every command knows of this module
    from scipy.stats import nbinom

    recent, expected = expected_reports(times, now)
    if recent < LEAST_RECENT:
        return False
    spans = _spans(times, now)
    shape, success = expected * (spans + 1), (spans + 1) / (spans + 2)
    return bool(nbinom.sf(recent - 1, shape, success) < SURPRISE)


def _spans(times: Sequence[datetime], now: datetime) -> int:
    """Whole and begun fortnights between the first report and the present one, six at most."""
    past = now - SPAN - min(times, default=now)
    return min(MOST_SPANS, max(0, -(-past // SPAN)))
