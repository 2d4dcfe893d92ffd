"""Who carries how much: open themes and filed issues by owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlmodel import Session

from triage.store.decisions import load_routes
from triage.store.issues import load_issues
from triage.store.themes import load_themes


def load_rows(
    session: Session,
    owners: Mapping[str, Iterable[str]],
    away: Mapping[str, str],
) -> list[dict[str, Any]]:
    """One row per owner, the busiest first.

    ``owners`` maps each configured login to its capabilities, ``away`` a login to until when it
    takes nothing new. Whoever holds a theme without being configured is listed too.
    """
    routes, issues = load_routes(session), load_issues(session)
    themes: dict[str, int] = dict.fromkeys(owners, 0)
    filed: dict[str, int] = {}
    for theme in load_themes(session):
        route = routes.get(theme.theme_id)
        if route is None or route.owner is None:
            continue
        themes[route.owner] = themes.get(route.owner, 0) + 1
        record = issues.get(theme.theme_id)
        filed[route.owner] = filed.get(route.owner, 0) + bool(record and record.filed)
    return [
        {
            "owner": login,
            "open themes": count,
            "filed issues": filed.get(login, 0),
            "capabilities": ", ".join(owners.get(login, ())),
            "away until": away.get(login, ""),
        }
        for login, count in sorted(themes.items(), key=lambda item: (-item[1], item[0]))
    ]
