"""Reports on versions, spread over days, channels and people, for tests of a release."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from flows.sync_issues import sync
from flows.verify_release import ReleaseSummary, verify
from tests.integration.github.emulator import FILER
from tests.integration.github.fixtures import EmulatedRepository
from triage.config.model import ModelFamily, ModelVersion
from triage.store.decisions import save_decision, save_route
from triage.store.exposure import save_exposure
from triage.store.members import add_members
from triage.store.reports import load_theme_reports
from triage.store.saving import save_reports
from triage.store.themes import Counted, create_themes, save_profiles
from triage.themes import profile as count_profile
from triage.types import (
    CleanReport,
    Decision,
    Kind,
    Priority,
    Route,
    ThemeDraft,
    ThemeProfile,
    ThemeText,
    Verdict,
)
from triage.verification import Exposure
from triage.workspace import Workspace

CENTRE = np.ones(384, dtype=np.float32)

TODAY = datetime.now(UTC).date()
A_RELEASED, B_RELEASED = TODAY - timedelta(days=170), TODAY - timedelta(days=60)
OLD, NEW, NEXT, LATER = "corvane-4.1", "corvane-4.2", "corvane-4.3", "corvane-4.4"
AT_ONCE = timedelta(0)
CHANNELS = ("user", "api", "forum")


def with_versions(workspace: Workspace, *released: tuple[str, date], upcoming: str) -> Workspace:
    """The workspace whose configuration knows these versions."""
    versions = [ModelVersion(name=name, released=day) for name, day in released]
    family = workspace.config.family
    config = workspace.config.model_copy(
        update={
            "family": ModelFamily(
                title=family.title,
                lab=family.lab,
                versions=(*versions, ModelVersion(name=upcoming, next=True)),
            )
        }
    )
    return replace(workspace, config=config)


def report_on(
    workspace: Workspace,
    version: str,
    counts: dict[str, int],
    themes: dict[str, int],
    *,
    start: date,
    end: date,
) -> None:
    """Store so many reports of each name about a version, evenly over days and channels.

    A name with a theme joins it; any other stays without one.
    """
    days = max(1, (end - start).days)
    with workspace.database.session() as session:
        for name, count in counts.items():
            reports = [
                CleanReport(
                    origin="files",
                    external_id=f"{name}-{version}-{n}",
                    channel=CHANNELS[n % len(CHANNELS)],
                    kind=Kind.USER,
                    created_at=datetime.combine(
                        start + timedelta(days=n * days // max(1, count)), time(12), UTC
                    ),
                    title=f"{name} fails",
                    body=f"The {name} fails again, case {n} on {version}.",
                    failure_text=f"The {name} fails again, case {n} on {version}.",
                    fingerprint=f"{name}-{version}-{n}",
                    model_version=version,
                    author_hash=f"person-{name}-{version}-{n}",
                )
                for n in range(count)
            ]
            ids = save_reports(session, reports).added
            if name in themes:
                add_members(session, {themes[name]: dict.fromkeys(ids)}, joined_by="similarity")


def seed_themes(workspace: Workspace, names: list[str], *, owner: str = "mira") -> dict[str, int]:
    """Decided and routed themes without reports, by name; ``count_anew`` gives them counts."""
    themes = {}
    now = datetime.now(UTC)
    profile = ThemeProfile(1, 0, 1, 0, 0.9, now, now, {}, {}, {}, {}, {}, {})
    with workspace.database.session() as session:
        for name in names:
            text = ThemeText(f"{name} fails", f"The {name} fails.", (name,), 1, (1,))
            theme_id = create_themes(session, [ThemeDraft(text, profile, [f"{name}-founder"])])[0]
            decision = Decision(Verdict.QUICK_FIX, 0.8, Priority.P2, ("A test.",), (), "test")
            save_decision(session, theme_id, decision)
            save_route(session, theme_id, Route("tool-use", owner, "nearest"))
            themes[name] = theme_id
    return themes


def count_anew(workspace: Workspace) -> None:
    """Refresh the counts of all themes."""
    with workspace.database.session() as session:
        counted = [
            Counted(theme_id, count_profile(members), "counted by the test", CENTRE)
            for theme_id, members in load_theme_reports(session).items()
        ]
        save_profiles(session, counted)


def serve(workspace: Workspace, version: str, start: date, end: date = TODAY) -> None:
    """Let a version serve twenty thousand requests a day and channel from start to end."""
    days = (end - start).days
    requests_a_day = 20_000
    rows = [
        Exposure(version, start + timedelta(days=day), channel, requests_a_day)
        for day in range(days)
        for channel in CHANNELS
    ]
    with workspace.database.session() as session:
        save_exposure(session, rows)


def follow(workspace: Workspace) -> dict[str, int]:
    """One pass of sync; verdicts and routes stay as they were seeded."""
    return sync(
        workspace, dry_run=False, pause_seconds=0, resend_after=AT_ONCE, apply=lambda _: None
    )


def judge(workspace: Workspace, *, days: int = 0) -> ReleaseSummary:
    """Judge the latest release, so many days from now, and tell it on the issues."""
    return verify(
        workspace,
        dry_run=False,
        now=datetime.now(UTC) + timedelta(days=days),
        pause_seconds=0,
        resend_after=AT_ONCE,
        apply=lambda _: None,
    )


def says(repository: EmulatedRepository, number: int, text: str) -> int:
    """How many comments of the machine on an issue say this."""
    return sum(
        text in comment["body"]
        for comment in repository.comments(number)
        if comment["user"]["login"] == FILER
    )
