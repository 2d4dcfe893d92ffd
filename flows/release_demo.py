"""A release to look at: invented reports on an invented version, judged by the very code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from flows.verify_release import ReleaseSummary, verify
from triage.config.model import ModelFamily, ModelVersion
from triage.database import Session
from triage.store.duplicates import save_duplicate_links
from triage.store.exposure import save_exposure
from triage.store.members import add_members
from triage.store.reports import load_reports, load_theme_reports
from triage.store.saving import save_reports
from triage.store.themes import load_themes
from triage.types import CleanReport, Report
from triage.verification import Exposure
from triage.workspace import Workspace

ORIGIN = "demo-release"
WEEKS_AFTER = 8
REQUESTS_A_DAY = 40_000.0
OLD_REPORTS = 120  # further people who report each theme on the old version, over eight weeks
# What the invented version does to the themes, most reported first: new rate by old rate.
TRUTHS = (0.0, 1.0, 0.45, 2.2, 0.02)
THEMES = 8
BACKGROUND, OTHERS_EACH = 30, 20  # reports of other things, the same on both versions


@dataclass(frozen=True, slots=True)
class DemoRelease:
    """The invented release: its day, the day it is judged, and what is true of each theme."""

    workspace: Workspace
    old: str
    new: str
    today: date
    truths: dict[int, float]


def stage_release(workspace: Workspace) -> DemoRelease:
    """Release the next version, and let people write about it; everything is invented.

    Each of the most reported themes gets further reports on the latest version, and as many on
    the new one as its truth says; reports of other things stay as they were.
    Doing it twice changes nothing.
    """
    config = workspace.config
    old, new = [v for v in config.versions if v.released][-1], config.next_version
    assert old.released is not None  # a released version has its day, as the loader checks
    released = old.released + timedelta(weeks=WEEKS_AFTER)
    today = released + timedelta(weeks=WEEKS_AFTER)
    with workspace.database.session() as session:
        members = load_theme_reports(session)
        own = {t: sum(r.origin != ORIGIN for r in each) for t, each in members.items()}
        themes = sorted(load_themes(session), key=lambda t: (-own[t.theme_id], t.theme_id))[:THEMES]
        truths = {t.theme_id: TRUTHS[at % len(TRUTHS)] for at, t in enumerate(themes)}
        others = [r for r in load_reports(session) if r.theme_id is None and not r.duplicate_of]
        for version, start, is_new in ((old.name, old.released, False), (new.name, released, True)):
            for theme in themes:
                count = round(OLD_REPORTS * (truths[theme.theme_id] if is_new else 1))
                model = _root(members[theme.theme_id])
                _write(session, theme.name, model, version, start, count, theme.theme_id)
            for model in others[:BACKGROUND]:
                _write(session, f"other-{model.report_id}", model, version, start, OTHERS_EACH)
            save_exposure(session, _exposure(version, start))
    versions = (
        *(v for v in config.family.versions if not v.next),
        new.model_copy(update={"next": False, "released": released}),
        ModelVersion(name=f"{new.name}-next", next=True),
    )
    family = ModelFamily(title=config.family.title, lab=config.family.lab, versions=versions)
    after = replace(workspace, config=config.model_copy(update={"family": family}))
    return DemoRelease(after, old.name, new.name, today, truths)


def judge_demo(release: DemoRelease) -> ReleaseSummary:
    """The verdicts on the invented release, on its day; nothing is written to GitHub."""
    now = datetime.combine(release.today, time(12), UTC)
    return verify(release.workspace, version=release.new, dry_run=True, now=now)


def _write(
    session: Session,
    name: str,
    model: Report,
    version: str,
    start: date,
    count: int,
    theme_id: int | None = None,
) -> None:
    """Store further people's reports as repetitions of a known one, which found no theme."""
    saved = save_reports(session, list(_echoes(name, model, version, start, count))).added
    save_duplicate_links(session, dict.fromkeys(saved, model.report_id))
    if theme_id is not None:
        add_members(session, {theme_id: dict.fromkeys(saved)}, joined_by="duplicate")


def _root(members: Sequence[Report]) -> Report:
    """The oldest report of a theme that repeats no other."""
    return next((report for report in members if report.duplicate_of is None), members[0])


def _echoes(
    name: str, model: Report, version: str, start: date, count: int
) -> Iterator[CleanReport]:
    """Reports of further people in the words of a known one, spread over the weeks."""
    days = WEEKS_AFTER * 7
    for number in range(count):
        at = start + timedelta(days=number * days // max(count, 1))
        yield CleanReport(
            origin=ORIGIN,
            external_id=f"{name}-{version}-{number}",
            channel=("user", "api", "forum")[number % 3],
            kind=model.kind,
            created_at=datetime.combine(at, time(12), UTC),
            title=model.title,
            body=model.body,
            failure_text=model.failure_text,
            fingerprint=model.fingerprint,
            model_version=version,
            language=model.language,
            author_hash=f"invented-{name}-{version}-{number}",
        )


def _exposure(version: str, start: date) -> list[Exposure]:
    return [
        Exposure(version, start + timedelta(days=day), channel, REQUESTS_A_DAY)
        for day in range(WEEKS_AFTER * 7)
        for channel in ("user", "api", "forum")
    ]
