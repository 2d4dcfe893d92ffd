"""The version ledger and the digest: what is known about themes, versions and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flows.discretion import load_withheld
from flows.first_life import releases
from triage.database import Session
from triage.privacy import without_words
from triage.store.decisions import load_corrections, load_decisions, load_routes
from triage.store.exposure import total_requests
from triage.store.issues import load_issues
from triage.store.ledger import (
    count_reports_by_version,
    load_ledger_counts,
    load_verifications,
)
from triage.store.life import load_lives
from triage.store.themes import load_themes
from triage.types import Correction
from triage.verification import LedgerRow, Use, make_ledger
from triage.workspace import Workspace


def load_ledger(session: Session, workspace: Workspace) -> list[LedgerRow]:
    """The ledger of all open themes."""
    corrections = load_corrections(session)
    return make_ledger(
        [theme.theme_id for theme in load_themes(session)],
        releases(workspace),
        load_ledger_counts(session),
        Use(total_requests(session), count_reports_by_version(session)),
        {
            (theme_id, version): word.author
            for theme_id, said in corrections.items()
            for version, word in claims_of(said).items()
        },
        load_verifications(session),
    )


def ledger_table(rows: Sequence[LedgerRow]) -> list[dict[str, Any]]:
    """The ledger as rows for people; empty where there is nothing."""
    return [
        {
            "theme": f"T{row.theme_id}",
            "version": row.version or "not stated",
            "first seen": row.first_seen or "",
            "last seen": row.last_seen or "",
            "reports": row.reports,
            "people": row.reporters,
            "exposure": f"{row.exposure:,.0f} {'requests' if row.in_requests else 'reports'}",
            "claimed by": row.claimed_by or "",
            "standing": row.standing.value,
            "verdict": row.verdict.value if row.verdict else "",
            "next check": row.next_check or "",
        }
        for row in rows
    ]


def claims_of(words: Sequence[Correction]) -> Mapping[str, Correction]:
    """By version: the word that claimed it for a theme, unless the claim was taken back."""
    claims: dict[str, Correction] = {}
    for word in sorted(words, key=lambda word: word.created_at):
        if word.field != "claim":
            continue
        if word.value:
            claims[word.value] = word
        elif claims:
            claims.popitem()
    return claims


def digest_rows(workspace: Workspace, now: datetime) -> list[dict[str, Any]]:
    """What an owner should know and no issue says: by owner, the most reported first.

    Themes that nobody claimed for the next version within ``releases.unclaimed_days``, and issues
    that the machine leaves alone because people or programs hold something there.
    """
    limit = workspace.config.releases.unclaimed_days
    upcoming = workspace.config.next_version.name
    with workspace.database.session() as session:
        issues, routes = load_issues(session), load_routes(session)
        corrections, decisions = load_corrections(session), load_decisions(session)
        lives = load_lives(session, workspace.repository or "")
        themes, withheld = load_themes(session), load_withheld(session, workspace)
    rows = []
    for theme in sorted(themes, key=lambda t: (-t.profile.distinct_reporters, t.theme_id)):
        record, route = issues.get(theme.theme_id), routes.get(theme.theme_id)
        filed = record.filed if record is not None else None
        if record is None or filed is None:
            continue
        life = lives.get(filed.number)
        notes = []
        age_days = (now - record.intended_at).days
        claimed = upcoming in claims_of(corrections.get(theme.theme_id, []))
        is_open = life is None or (life.facts.is_open and life.gone is None)
        if is_open and not claimed and age_days >= limit:
            notes.append(f"nobody claimed it for {upcoming} in {age_days} days")
        if life is not None and life.gone is not None:
            notes.append(life.gone)
        elif life is not None:
            notes += [f"{name} is held by {who}" for name, who in sorted(life.held.items())]
        if notes:
            decision = decisions.get(theme.theme_id)
            rows.append(
                {
                    "owner": (route.owner or "") if route else "",
                    "theme": theme.name,
                    "people": theme.profile.distinct_reporters,
                    "verdict": decision.verdict.value if decision else "",
                    "title": without_words(theme, withheld[theme.theme_id]).text.title
                    if theme.theme_id in withheld
                    else theme.text.title,
                    "issue": filed.url,
                    "note": "; ".join(notes),
                }
            )
    return sorted(rows, key=lambda row: str(row["owner"]))
