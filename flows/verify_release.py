"""Verify: what the new version did to each theme, with figures, and what follows on its issue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from prefect import flow
from prefect.concurrency.sync import concurrency

from flows.concluding import conclude
from flows.correcting import take_effect
from flows.desk import open_checked_desk
from flows.exposure import refresh_exposure
from flows.ledger import mended_in
from flows.planning import places
from flows.showing import show_counts, show_table
from flows.stages import STOPPED, run_work
from flows.telling import tell_reporters
from flows.writing import PAUSE_SECONDS, RESEND_AFTER, open_pen, write_intended
from triage.config.model import ModelVersion
from triage.database import Session
from triage.errors import ConfigError, TrackerError, UnknownTheme
from triage.store.decisions import load_routes
from triage.store.exposure import load_exposure
from triage.store.ledger import load_sightings, load_verification_history
from triage.store.themes import load_theme, load_theme_centres, load_themes
from triage.tracker import IssueDesk
from triage.verification import (
    DEFAULT_RULES,
    ProposedPair,
    ReleaseOutcome,
    ReleaseVerdict,
    ThemeCounts,
    ThemeTopic,
    VerificationRules,
    VersionTally,
    count_version,
    judge_release,
    propose_pairs,
    requests_by_week,
)
from triage.workspace import Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """What was said about a release: the outcome, each theme's lines, and counts.

    ``proposed`` are pairs of themes that may be opposites; nothing was concluded from them.
    """

    outcome: ReleaseOutcome | None
    lines: Mapping[int, tuple[str, ...]]
    counts: Mapping[str, int]
    proposed: tuple[ProposedPair, ...] = ()


def verify(
    workspace: Workspace,
    *,
    version: str | None = None,
    dry_run: bool,
    now: datetime | None = None,
    pause_seconds: float = PAUSE_SECONDS,
    resend_after: timedelta = RESEND_AFTER,
    apply: Callable[[Workspace], None] = take_effect,
) -> ReleaseSummary:
    """Judge a released version (the latest unless named) against the one before it.

    Verdicts are stored; unless dry they are told on the issues, also on those of the private
    repository: fixed ones are closed, the others carried over, and reporters are told where their
    source wants it. Running it twice says nothing twice. Raises ``ConfigError`` for a version that
    is not released.
    """
    now = now or datetime.now(UTC)
    new = _released(workspace, version, now.date())
    old = workspace.config.version_before(new.name) if new is not None else None
    if new is None or old is None:
        return ReleaseSummary(None, {}, {"judged": 0})
    refresh_exposure(workspace)
    with workspace.database.stage_lock("file"):
        desks, unreached = _open_desks(workspace) if not dry_run else ([], {})
        with workspace.database.session() as session:
            outcome = _judge(session, workspace, old, new, now.date())
            proposed = _proposed(session, workspace, outcome)
            lines, failed = conclude(session, workspace, new, outcome, now, tells=not dry_run)
        counts: dict[str, int] = {"judged": len(outcome.themes)}
        for verdict in ReleaseVerdict:
            counts[verdict.value] = sum(one.verdict is verdict for one in outcome.themes)
        if failed:
            apply(workspace)  # the policy decides anew in the light of it
        written: Counter[str] = Counter()
        for place, desk in desks:
            pen = open_pen(
                place, desk, now=now, pause_seconds=pause_seconds, resend_after=resend_after
            )
            write_intended(pen)
            written.update(pen.counts)
        counts |= written | unreached
        counts |= tell_reporters(
            workspace,
            dry_run=dry_run,
            now=now,
            pause_seconds=pause_seconds,
            resend_after=resend_after,
        )
    return ReleaseSummary(outcome, lines, counts, proposed)


def _open_desks(
    workspace: Workspace,
) -> tuple[list[tuple[Workspace, IssueDesk]], dict[str, int]]:
    """The desks that can be written at, and a count where the private repository has none.

    What is intended there is written by the next sync that reaches it.
    """
    if workspace.repository is None:
        return [], {}
    desks = []
    unreached: dict[str, int] = {}
    for is_private, place in places(workspace).items():
        try:
            desk, blocker = open_checked_desk(place)
        except TrackerError:
            if not is_private:
                raise
            blocker = "not reached"
        if blocker is None:
            desks.append((place, desk))
        elif is_private:
            unreached["private repository not reached"] = 1
    return desks, unreached


def _released(workspace: Workspace, name: str | None, today: date) -> ModelVersion | None:
    released = [v for v in workspace.config.versions if v.released and v.released <= today]
    if name is None:
        return released[-1] if released else None
    wanted = workspace.config.resolve_version(name) or name
    found = next((each for each in released if each.name == wanted), None)
    if found is None:
        raise ConfigError(
            f"Verifying {name}",
            "no released version is called so",
            "Released are: "
            + (", ".join(each.name for each in released) or "none")
            + ". Give the version its day under family.versions, `released: YYYY-MM-DD`.",
        )
    return found


def _judge(
    session: Session, workspace: Workspace, old: ModelVersion, new: ModelVersion, today: date
) -> ReleaseOutcome:
    config = workspace.config.releases
    rules = replace(
        DEFAULT_RULES,
        soak_days=config.soak_days,
        min_requests=float(config.min_requests),
        min_reports=config.min_reports,
    )
    last_day = today - timedelta(days=1)  # of today not all reports are in
    tallies = [_tally(session, each, last_day, rules) for each in (old, new)]
    themes = [
        ThemeCounts(
            theme.theme_id,
            tallies[0].themes.get(theme.theme_id, {}),
            tallies[1].themes.get(theme.theme_id, {}),
            mended_in(load_verification_history(session, theme.theme_id), workspace),
        )
        for theme in load_themes(session)
    ]
    versions = tallies[0].version, tallies[1].version
    return judge_release(*versions, themes, today, rules, _opposites(session, workspace))


def _tally(
    session: Session, version: ModelVersion, last_day: date, rules: VerificationRules
) -> VersionTally:
    launched = version.released
    exposure = load_exposure(session, version.name)
    requests = requests_by_week(exposure, launched, last_day)
    sightings = load_sightings(session, version.name)
    return count_version(version.name, sightings, launched, last_day, requests, rules)


def _opposites(session: Session, workspace: Workspace) -> list[tuple[int, int]]:
    pairs = []
    for first, second in workspace.config.releases.opposites:
        try:
            pair = load_theme(session, first).theme_id, load_theme(session, second).theme_id
        except UnknownTheme:
            continue  # named ahead of time, or in another installation
        pairs.append(pair)
    return pairs


def _proposed(
    session: Session, workspace: Workspace, outcome: ReleaseOutcome
) -> tuple[ProposedPair, ...]:
    """Pairs that may be opposites: alike, in one area of the map, moved in opposite directions."""
    above = {each.id: each.parent or each.id for each in workspace.config.capabilities}
    routes = load_routes(session)
    topics = {
        theme_id: ThemeTopic(above.get(routes[theme_id].capability or ""), centre)
        for theme_id, centre in load_theme_centres(session).items()
        if theme_id in routes
    }
    return propose_pairs(
        outcome.themes,
        topics,
        _opposites(session, workspace),
        least_similarity=workspace.config.policy.join_similarity,
    )


@flow(
    name="verify_release",
    flow_run_name="verify_release",
    retries=1,
    retry_delay_seconds=120,
)
def verify_release(version: str | None = None, dry_run: bool | None = None) -> dict[str, int]:
    """Judge a release theme by theme. ``dry_run`` outranks the configuration's setting.

    Args:
        version: A released version; without it the latest.
        dry_run: True judges only; False tells it on the issues; without it ``policy.dry_run``.
    """
    with open_workspace() as workspace, concurrency("github", occupy=1, strict=False):
        dry = workspace.config.policy.dry_run if dry_run is None else dry_run
        summary = run_work(
            workspace,
            "verify",
            lambda: (done := verify(workspace, version=version, dry_run=dry), done.counts),
        )
    if summary is None:
        return {STOPPED: 1}
    show_counts("verify", summary.counts)
    if summary.outcome is not None:
        rows = [
            {
                "theme": f"T{one.theme_id}",
                "verdict": one.verdict.value,
                "why": " ".join(one.lines[1:]),  # the first repeats the verdict
            }
            for one in summary.outcome.themes
        ]
        rows += [
            {"theme": f"T{each.mended}, T{each.worsened}", "verdict": "", "why": each.line}
            for each in summary.proposed
        ]
        show_table("release", rows, f"What {summary.outcome.new_version} did to each theme")
    return dict(summary.counts)
