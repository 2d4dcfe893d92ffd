"""What can be counted about a theme; people count, posts do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from triage.types import Kind, Member, Report, ThemeProfile

Each = TypeVar("Each", Report, Member)


def profile(reports: Sequence[Each]) -> ThemeProfile:
    """Count a theme's reports: the core alone, or all where nothing is core.

    ``reports`` counts those that repeat no other, ``duplicates`` the rest. People are the
    union of reporters and supporters over all posts: five posts of one person are one, and
    somebody else's duplicate is a further person. Raises ``ValueError`` without reports.
    """
    if not reports:
        raise ValueError("a theme without reports cannot be counted")
    counted = core_of(reports)
    originals = [report for report in counted if report.duplicate_of is None] or counted
    seen = [report.created_at for report in counted]
    return ThemeProfile(
        reports=len(originals),
        duplicates=len(counted) - len(originals),
        loose=len(reports) - len(counted),
        distinct_reporters=len(people_behind(counted)),
        developer_reports=sum(report.kind is Kind.DEVELOPER for report in originals),
        coherence=sum(report.is_core for report in reports) / len(reports),
        first_seen=min(seen),
        last_seen=max(seen),
        versions=_counts(report.model_version or report.model_written for report in originals),
        channels=_counts(report.channel for report in originals),
        environments=_counts(report.environment for report in originals),
        languages=_counts(report.language for report in originals),
        weeks=_weeks(report.created_at for report in originals),
        error_signatures=_counts(
            signature for report in originals for signature in sorted(set(report.error_signatures))
        ),
    )


def core_of(reports: Sequence[Each]) -> list[Each]:
    """Those that count for the theme: its core, or all where nothing is core."""
    return [report for report in reports if report.is_core] or list(reports)


def people_behind(reports: Iterable[Report | Member]) -> frozenset[str]:
    """Keys of everybody who reported or confirmed one of the reports."""
    return frozenset(
        person for report in reports for person in (report.reporter, *report.supporters)
    )


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    counted = Counter(value for value in values if value)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _weeks(times: Iterable[datetime]) -> Mapping[date, int]:
    counted = Counter(time.date() - timedelta(days=time.weekday()) for time in times)
    first, last = min(counted), max(counted)
    mondays = (first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1))
    return {monday: counted[monday] for monday in mondays}
