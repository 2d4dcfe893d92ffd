"""How urgent a theme is: severity, breadth and growth, by people and never by volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from triage.decision.cues import severities
from triage.decision.growth import expected_reports, is_growing
from triage.types import Kind, Priority, Report, ThemeProfile

# Points at or above which a theme has this priority.
PRIORITY_POINTS = ((4, Priority.P0), (3, Priority.P1), (1, Priority.P2), (0, Priority.P3))
# Distinct reporters from which breadth gives one, and two points.
WIDE, VERY_WIDE = 8, 20


def is_severe(reports: Sequence[Report]) -> bool:
    """Whether a developer reports destroyed data, a security hole or harm to people.

    One such report is enough to be filed; a user's alone is not, since words like "deleted"
    come easily to a mind that is angry.
    """
    return any(
        report.kind is Kind.DEVELOPER and bool(severities(report.failure_text))
        for report in reports
    )


def prioritise(
    profile: ThemeProfile, reports: Sequence[Report], now: datetime
) -> tuple[Priority, str]:
    """P0 to P3, and why in one sentence; ``reports`` without duplicates."""
    severe, what = _severity_points(reports)
    people = profile.distinct_reporters
    broad = (people >= WIDE) + (people >= VERY_WIDE)
    # One report a person: somebody who posts every day makes a theme no bigger.
    firsts: dict[str, datetime] = {}
    for report in sorted(reports, key=lambda one: one.created_at):
        firsts.setdefault(report.reporter, report.created_at)
    recent, expected = expected_reports(list(firsts.values()), now)
    grows = is_growing(list(firsts.values()), now)
    points = severe + broad + grows
    priority = next(name for least, name in PRIORITY_POINTS if points >= least)
    reason = (
        f"{priority}: {what}; {people} {'person' if people == 1 else 'people'} affected; "
        f"{recent} new people in the last 14 days where {expected:.1f} were to be expected."
    )
    return priority, reason


def _severity_points(reports: Sequence[Report]) -> tuple[int, str]:
    """Three points when at least a third speak of severe harm, one when two or a developer do."""
    found = [severities(report.failure_text) for report in reports]
    kinds = Counter(kind for report in found for kind in report)
    count = sum(bool(report) for report in found)
    if not count:
        return 0, "no report speaks of severe harm"
    what = f"{count} of {len(reports)} reports speak of {kinds.most_common(1)[0][0]}"
    if count >= 2 and count * 3 >= len(reports):
        return 3, what
    return int(count >= 2 or is_severe(reports)), what
