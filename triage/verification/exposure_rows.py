"""One written count of requests, from a file or a query, as exposure; what is wrong is named."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from triage.errors import IntakeError
from triage.verification.counts import ALL_CHANNELS
from triage.verification.exposure import Exposure

COLUMNS = ("version", "day", "requests")


def exposure_of(
    row: Mapping[str, Any],
    place: str,
    resolve_version: Callable[[str], str | None],
    remedy: str,
) -> Exposure:
    """The count that a row holds. Without a channel it is for all channels together.

    Raises ``IntakeError`` with the place and the field that is wrong.
    """

    def wrong(field: str, problem: str) -> IntakeError:
        return IntakeError(f"Reading {place}, {field}", problem, remedy)

    written = str(row.get("version") or "").strip()
    version = resolve_version(written) if written else None
    if version is None:
        raise wrong("version", f"no version is called {written!r}; triage.yaml names them")
    day = _day(row.get("day"))
    if day is None:
        raise wrong("day", f"{row.get('day')!r} is no day")
    try:
        requests = float(str(row.get("requests", "")).replace("_", ""))
    except ValueError as error:
        raise wrong("requests", f"{row.get('requests')!r} is no number") from error
    if not math.isfinite(requests) or requests < 0:
        raise wrong("requests", f"{requests} cannot be a count")
    return Exposure(version, day, str(row.get("channel") or "").strip() or ALL_CHANNELS, requests)


def sum_exposures(rows: Iterable[Exposure]) -> list[Exposure]:
    """One count for each version, day and channel: several names of one version add up."""
    sums: dict[tuple[str, date, str], float] = defaultdict(float)
    for row in rows:
        sums[row.version, row.day, row.channel] += row.requests
    return [Exposure(*key, requests) for key, requests in sums.items()]


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value or "").strip())
    except ValueError:
        return None
