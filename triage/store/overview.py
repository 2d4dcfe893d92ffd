"""The table of open themes that people look at, in the terminal and in Prefect."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from triage.store.decisions import load_decisions, load_routes
from triage.store.issues import load_issues
from triage.store.themes import load_blockers, load_themes


def theme_rows(session: Session) -> list[dict[str, Any]]:
    """One row per open theme, most distinct reporters first."""
    decisions, routes = load_decisions(session), load_routes(session)
    issues, blockers = load_issues(session), load_blockers(session)
    rows = []
    themes = load_themes(session)
    for theme in sorted(themes, key=lambda t: (-t.profile.distinct_reporters, t.theme_id)):
        decision, route = decisions.get(theme.theme_id), routes.get(theme.theme_id)
        record = issues.get(theme.theme_id)
        issue = record.filed.url if record and record.filed else None
        rows.append(
            {
                "theme": theme.name,
                "people": theme.profile.distinct_reporters,
                "reports": theme.profile.reports,
                "verdict": decision.verdict.value if decision else "",
                "priority": decision.priority.value if decision else "",
                "capability": (route.capability or "") if route else "",
                "title": theme.text.title,
                "owner": (route.owner or "") if route else "",
                "issue or blocker": issue or blockers.get(theme.theme_id, ""),
            }
        )
    return rows
