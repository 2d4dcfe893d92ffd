"""Issues that were filed on the emulator, and looks at them, for tests of listening."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from flows.file_issues import file
from flows.sync_issues import sync
from tests.flows.seeding import seed_theme
from triage.store.decisions import load_corrections, load_decisions, save_decision
from triage.store.issues import load_issues
from triage.store.themes import Counted, load_theme, save_profiles
from triage.workspace import Workspace

CENTRE = np.ones(384, dtype=np.float32)

AT_ONCE = timedelta(0)


def look(github: Workspace, *, days: int = 0, dry_run: bool = False) -> dict[str, int]:
    """One pass; verdicts and routes stay as they were seeded."""
    return sync(
        github,
        dry_run=dry_run,
        now=datetime.now(UTC) + timedelta(days=days),
        pause_seconds=0,
        resend_after=AT_ONCE,
        apply=lambda _: None,
    )


def seed_filed(github: Workspace, *names: str, people: int = 4) -> list[tuple[int, int]]:
    """File one issue a theme and take a first look; returns themes and numbers."""
    themes = [seed_theme(github.database, name, people=people) for name in names]
    file(github, dry_run=False, resend_after=AT_ONCE)
    with github.database.session() as session:
        records = load_issues(session)
    numbers = [record.filed.number for record in records.values() if record.filed]
    assert len(numbers) == len(themes)
    look(github)
    return list(zip(themes, numbers, strict=True))


def words(github: Workspace, theme_id: int) -> dict[str, tuple[str, str]]:
    """The latest word on each field, with its author."""
    with github.database.session() as session:
        return {w.field: (w.value, w.author) for w in load_corrections(session).get(theme_id, [])}


def grow(github: Workspace, theme_id: int, people: int, **versions: int) -> None:
    """Let more people report a theme."""
    with github.database.session() as session:
        profile = load_theme(session, f"T{theme_id}").profile
        grown = replace(profile, distinct_reporters=people, reports=people)
        if versions:
            grown = replace(grown, versions={**profile.versions, **versions})
        save_profiles(session, [Counted(theme_id, grown, "counted by the test", CENTRE)])


def decide_anew(github: Workspace, theme_id: int, **changes: Any) -> None:
    """Let the policy decide otherwise."""
    with github.database.session() as session:
        decision = load_decisions(session)[theme_id]
        save_decision(session, theme_id, replace(decision, **changes))
