"""An issue's draft as it would be filed for its theme now, for texts that are written anew."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from flows.discretion import load_earlier_issues, withheld_themes
from flows.ledger import load_release_notes
from flows.planning import draft_context
from triage.database import Session
from triage.filing import draft_issue
from triage.store.decisions import load_decision, load_routes
from triage.store.reports import load_theme_reports
from triage.store.themes import load_sensitivity
from triage.types import IssueDraft, Theme, ThemeStatus
from triage.workspace import Workspace


def draft_anew(session: Session, workspace: Workspace, theme: Theme) -> IssueDraft | None:
    """The draft of a theme, None where it has no reports or was merged or set aside."""
    theme_id = theme.theme_id
    decision, route = load_decision(session, theme_id), load_routes(session).get(theme_id)
    reports = load_theme_reports(session, [theme_id]).get(theme_id)
    if theme.status is not ThemeStatus.OPEN or decision is None or route is None or not reports:
        return None
    context = replace(
        draft_context(workspace),
        earlier_issues=load_earlier_issues(session, workspace),
        release_notes=load_release_notes(session, workspace),
        withheld=withheld_themes(workspace, [theme], load_sensitivity(session)),
    )
    return draft_issue(theme, decision, route, reports, context)


def title_hash(title: str, key: bytes) -> str:
    """A keyed hash of a title that was sent, by which it is known again without being kept."""
    return hmac.new(key, f"title {title}".encode(), hashlib.sha256).hexdigest()
