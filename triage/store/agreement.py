"""What the machine said first of each theme, and how often people changed it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from triage.corrections import Agreement, Judged, agreement
from triage.store.decisions import load_corrections

# The machine's last word before any person's: that is what people agreed with, or not.
JUDGED = text(
    """
    SELECT theme.theme_id, verdict.verdict, route.capability,
           coalesce(verdict.decided_at, theme.created_at) AS decided_at
    FROM theme
    LEFT JOIN LATERAL (SELECT verdict, decided_at FROM decision
                       WHERE theme_id = theme.theme_id AND set_by = 'policy'
                       ORDER BY decision_id DESC LIMIT 1) verdict ON true
    LEFT JOIN LATERAL (SELECT capability FROM route
                       WHERE theme_id = theme.theme_id AND set_by = 'policy'
                       ORDER BY route_id DESC LIMIT 1) route ON true
    ORDER BY theme.theme_id
    """
)


def load_agreement(session: Session) -> list[Agreement]:
    """Agreement by month, capability and subject; the latest month first."""
    judged = [
        Judged(row.theme_id, row.verdict, row.capability, row.decided_at)
        for row in session.execute(JUDGED)
    ]
    return agreement(judged, load_corrections(session))


def agreement_rows(session: Session) -> list[dict[str, Any]]:
    """The same as rows for showing."""
    rows = []
    for one in load_agreement(session):
        low, high = one.interval
        rows.append(
            {
                "month": one.month,
                "capability": one.capability,
                "about": one.about,
                "themes": one.themes,
                "changed by people": one.changed,
                "confirmed": one.confirmed,
                "share changed": f"{one.share:.0%} ({low:.0%} to {high:.0%})",
            }
        )
    return rows
