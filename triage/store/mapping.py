"""What the report page draws and counts: a few columns of every report, no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

# Of a theme its core counts, and where it has none, all that is in it.
DOTS = text(
    """
    SELECT report.fingerprint, report.language, theme_member.theme_id,
           theme_member.is_core OR NOT bool_or(theme_member.is_core)
               OVER (PARTITION BY theme_member.theme_id) AS counts,
           report.model_version, report.channel
    FROM report LEFT JOIN theme_member USING (report_id)
    ORDER BY report.report_id
    """
)

# A person counts in the week of the first report that they are behind.
ARRIVALS = text(
    """
    SELECT theme_id, date_trunc('week', first AT TIME ZONE 'UTC')::date AS week, count(*)
    FROM (
        SELECT theme_member.theme_id, person.who, min(report.created_at) AS first
        FROM report
        JOIN theme_member USING (report_id)
        JOIN LATERAL (
            SELECT person_hash AS who FROM report_supporter WHERE report_id = report.report_id
            UNION
            SELECT coalesce(report.author_hash,
                            'anonymous:' || coalesce(report.duplicate_of, report.report_id))
        ) person ON true
        JOIN (SELECT theme_id, bool_or(is_core) AS has_core FROM theme_member GROUP BY 1) theme
            USING (theme_id)
        WHERE theme_member.is_core OR NOT theme.has_core
        GROUP BY 1, 2
    ) arrived
    GROUP BY 1, 2
    ORDER BY 1, 2
    """
)


@dataclass(frozen=True, slots=True)
class Dot:
    """A report without its words; ``counts`` is None where it is in no theme."""

    fingerprint: str
    language: str | None
    theme_id: int | None
    counts: bool | None
    version: str | None
    source: str


def load_dots(session: Session) -> Sequence[Dot]:
    """Every report in the order of its arrival."""
    return [Dot(*row) for row in session.execute(DOTS)]


def load_arrivals_by_week(session: Session) -> dict[int, dict[date, int]]:
    """By theme and Monday: people who reported it for the first time; in sum its reporters."""
    found: dict[int, dict[date, int]] = {}
    for theme_id, week, people in session.execute(ARRIVALS):
        found.setdefault(theme_id, {})[week] = people
    return found
