"""The tables that people look at, in the terminal and in Prefect: open themes, proposals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from triage.store.decisions import load_decisions, load_routes
from triage.store.issues import load_issues
from triage.store.proposals import load_proposals
from triage.store.themes import load_blockers, load_theme_centres, load_themes
from triage.themes import group_themes
from triage.types import Change, ProposalKind, ProposalState, Route, Theme


def theme_rows(session: Session) -> list[dict[str, Any]]:
    """One row per open theme, most distinct reporters first, related ones below each other.

    ``group`` names the first theme of those that are related, and is empty where none is.
    """
    decisions, routes = load_decisions(session), load_routes(session)
    issues, blockers = load_issues(session), load_blockers(session)
    rows = []
    for group in _grouped(session, load_themes(session), routes):
        for theme in group:
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
                    "group": group[0].name if len(group) > 1 else "",
                    "title": theme.text.title,
                    "owner": (route.owner or "") if route else "",
                    "issue or blocker": issue or blockers.get(theme.theme_id, ""),
                }
            )
    return rows


def _grouped(
    session: Session, themes: Sequence[Theme], routes: Mapping[int, Route]
) -> list[list[Theme]]:
    """Related themes together; groups and the themes in them by their number of people."""
    groups = group_themes(
        load_theme_centres(session),
        {theme_id: route.capability for theme_id, route in routes.items()},
    )
    by_group: dict[int, list[Theme]] = {}
    for theme in sorted(themes, key=lambda t: (-t.profile.distinct_reporters, t.theme_id)):
        by_group.setdefault(groups.get(theme.theme_id, theme.theme_id), []).append(theme)
    return list(by_group.values())


def proposal_rows(session: Session, *, every: bool = False) -> list[dict[str, Any]]:
    """One row per open proposal, or per proposal ever made."""
    return [
        {
            "number": proposal.proposal_id,
            "proposal": proposal_words(proposal.change),
            "why": proposal.change.reason,
            "figures": dict(proposal.change.figures),
            "waits because": proposal.change.hindrance or "",
            "advice": proposal.advice or "",
            "state": proposal.state.value,
            "answered by": proposal.decided_by or "",
            "because": proposal.because or "",
        }
        for proposal in load_proposals(session, None if every else ProposalState.OPEN)
    ]


def proposal_words(change: Change) -> str:
    """A change in a few words."""
    if change.kind is ProposalKind.MERGE:
        return f"merge T{change.other_id} into T{change.theme_id}"
    where = f"T{change.other_id}" if change.other_id else "a theme of their own"
    return f"let {len(change.report_ids)} reports of T{change.theme_id} go to {where}"
