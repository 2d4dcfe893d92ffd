"""What `triage export assignments` writes: one row per report, joined in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

# A person's word on a theme holds for all of its reports. Else a report has its own verdict and
# capability, read with its neighbours' say: a theme's reports are not all alike.
ASSIGNMENTS = text(
    """
    SELECT report.external_id AS id,
           CASE WHEN theme_member.is_core OR NOT :core_only
                THEN 'T' || theme_member.theme_id END AS theme_id,
           CASE WHEN verdict.set_by <> 'policy' THEN verdict.verdict
                ELSE coalesce(opinion.verdict, verdict.verdict) END AS verdict,
           CASE WHEN route.confidence IS NULL AND route.capability IS NOT NULL
                THEN route.capability
                ELSE coalesce(opinion.capability, route.capability) END AS capability,
           route.owner, issue.url AS issue_url
    FROM report
    LEFT JOIN theme_member USING (report_id)
    LEFT JOIN opinion USING (report_id)
    LEFT JOIN LATERAL (SELECT verdict, set_by FROM decision WHERE theme_id = theme_member.theme_id
                       ORDER BY decision_id DESC LIMIT 1) verdict ON true
    LEFT JOIN LATERAL (SELECT capability, owner, confidence FROM route
                       WHERE theme_id = theme_member.theme_id
                       ORDER BY route_id DESC LIMIT 1) route ON true
    LEFT JOIN issue ON issue.theme_id = theme_member.theme_id
    ORDER BY report.report_id
    """
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One report's outcome; a field is empty where there is none."""

    id: str
    theme_id: str
    verdict: str
    capability: str
    owner: str
    issue_url: str


def load_assignments(session: Session, *, core_only: bool = False) -> list[Assignment]:
    """Every report in the order of its arrival; loose ones are in no theme if ``core_only``."""
    rows = session.execute(ASSIGNMENTS, {"core_only": core_only})
    return [Assignment(*(value or "" for value in row)) for row in rows]
