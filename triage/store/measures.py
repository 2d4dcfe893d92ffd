"""Counts over the whole database, for metrics: no text of a report, few different labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

MOST_LABELS = 20  # of one kind; the rarest are counted together
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Measures:
    """How much there is of what, by label."""

    reports: dict[str, int]
    rejected: int
    themes: dict[str, int]
    decisions: dict[str, int]
    blockers: dict[str, int]
    issues: dict[str, int]
    seconds_since_read: dict[str, float]
    broken_sources: dict[str, int]
    database_bytes: int


def load_measures(session: Session) -> Measures:
    """Count everything."""

    def counted(statement: str) -> dict[str, int]:
        return _bounded(session.execute(text(statement)).all())

    ages = session.execute(text(_SOURCES)).all()
    return Measures(
        reports=counted("SELECT channel, count(*) FROM report GROUP BY channel"),
        rejected=session.execute(text("SELECT count(*) FROM rejected")).scalar_one(),
        themes=counted("SELECT status, count(*) FROM theme GROUP BY status"),
        decisions=counted(_DECISIONS),
        blockers=counted(_BLOCKERS),
        issues=counted("SELECT state, count(*) FROM issue GROUP BY state"),
        seconds_since_read={row.origin: row.age for row in ages if row.age is not None},
        broken_sources={row.origin: int(row.is_broken) for row in ages},
        database_bytes=session.execute(
            text("SELECT pg_database_size(current_database())")
        ).scalar_one(),
    )


def _bounded(rows: Sequence[Any]) -> dict[str, int]:
    """Counts by label; of many labels the most frequent, the rest as ``other``."""
    ordered = sorted(((str(name), int(n)) for name, n in rows), key=lambda row: (-row[1], row[0]))
    kept = dict(ordered[:MOST_LABELS])
    if rest := ordered[MOST_LABELS:]:
        kept[OTHER] = kept.get(OTHER, 0) + sum(count for _, count in rest)
    return kept


_DECISIONS = """
    SELECT verdict, count(*) FROM (
        SELECT DISTINCT ON (theme_id) theme_id, verdict FROM decision
        ORDER BY theme_id, decision_id DESC
    ) AS last JOIN theme USING (theme_id) WHERE theme.status = 'open' GROUP BY verdict
"""
# A blocker is a reason, a colon and particulars, which may be anything.
_BLOCKERS = """
    SELECT left(split_part(blocker, ':', 1), 60), count(*) FROM theme
    WHERE status = 'open' AND blocker IS NOT NULL GROUP BY 1
"""
# Sources are configured by hand, so there are few of them.
_SOURCES = """
    SELECT origin, extract(epoch FROM now() - read_at)::float AS age,
           last_error IS NOT NULL AS is_broken
    FROM source_cursor ORDER BY origin LIMIT 200
"""
