"""Themes as the earlier stages leave them, for tests of the filing stage."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from triage.database import Database
from triage.store.decisions import save_decision, save_route
from triage.store.members import add_members
from triage.store.reports import load_reports
from triage.store.saving import save_reports
from triage.store.themes import create_themes
from triage.types import (
    CleanReport,
    Decision,
    EvidenceItem,
    Kind,
    Priority,
    Route,
    ThemeDraft,
    ThemeProfile,
    ThemeText,
    Verdict,
)

NOW = datetime(2026, 10, 20, tzinfo=UTC)


def seed_theme(database: Database, name: str, *, people: int = 4, owner: str = "mira") -> int:
    """Store a decided and routed theme with one report a person; returns its id."""
    reports = [
        CleanReport(
            origin="files",
            external_id=f"{name}-{person}",
            channel="user",
            kind=Kind.USER,
            created_at=NOW,
            title=f"{name} fails",
            body=f"{name} fails for person {person}, @maintainer please see #12",
            failure_text=f"{name} fails for person {person}",
            fingerprint=f"{name}-{person}",
            model_version="corvane-4.2",
            author_hash=f"person-{person}",
        )
        for person in range(people)
    ]
    with database.session() as session:
        ids = save_reports(session, reports).added
        draft = ThemeDraft(
            ThemeText(f"{name} fails", f"{name} fails. [{name}-0]", (name,), ids[0], ids[:3]),
            ThemeProfile(
                reports=people,
                duplicates=0,
                distinct_reporters=people,
                developer_reports=0,
                coherence=0.9,
                first_seen=NOW,
                last_seen=NOW,
                versions={"corvane-4.2": people},
                channels={"user": people},
                environments={},
                languages={"en": people},
                weeks={NOW.date(): people},
                error_signatures={},
            ),
            [report.fingerprint for report in reports],
        )
        theme_id = create_themes(session, [draft])[0]
        add_members(session, {theme_id: dict.fromkeys(ids)}, joined_by="cluster")
        save_decision(
            session,
            theme_id,
            Decision(
                verdict=Verdict.FUNDAMENTAL,
                confidence=0.8,
                priority=Priority.P2,
                reasons=("It is the model.",),
                evidence=(EvidenceItem("layer", "the model", 1.2),),
                policy_version="test",
            ),
        )
        save_route(session, theme_id, Route("tool-use", owner, "nearest"))
        assert len(load_reports(session, ids)) == people
    return theme_id


def unlike(number: int) -> str:
    """Words that no other number gives, so that no report repeats another one nearly."""
    digits = hashlib.sha256(str(number).encode()).hexdigest()
    return " ".join(digits[at : at + 5] for at in range(0, 60, 5))
