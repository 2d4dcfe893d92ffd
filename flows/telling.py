"""Tell the reporters of what a release mended: one comment on their own issue, where wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flows.desk import desk_of, load_filed
from flows.ledger import mended_in
from flows.writing import PAUSE_SECONDS, RESEND_AFTER, Pen, attempt, done
from triage.database import Session
from triage.errors import TrackerError, TrackerGone, TrackerLocked, TrackerRateLimited
from triage.filing import has_note_marker, mended_note, told_note
from triage.store.actions import (
    TELL,
    IssueAction,
    intend,
    load_intended_issues,
    load_open_actions,
    note_error,
    withdraw,
)
from triage.store.ledger import load_verification_history
from triage.store.renaming import repository_today
from triage.store.reports import load_theme_reports
from triage.tracker import IssueDesk
from triage.types import Report, ThemeStatus
from triage.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Telling:
    """A reporter's issue, and the version that mended what it reports."""

    repository: str
    number: int
    theme_id: int
    version: str


@dataclass(slots=True)
class _Run:
    """What one run of telling shares; ``is_limited`` ends it."""

    workspace: Workspace
    mended: Mapping[tuple[str, int], Telling]
    now: datetime
    pause_seconds: float
    resend_after: timedelta
    counts: Counter[str] = field(default_factory=Counter)
    is_limited: bool = False


def tell_reporters(
    workspace: Workspace,
    *,
    dry_run: bool,
    now: datetime,
    pause_seconds: float = PAUSE_SECONDS,
    resend_after: timedelta = RESEND_AFTER,
) -> dict[str, int]:
    """Write "mended in version V, please try" on the issues of sources that want it, each once.

    At most ``releases.max_told_per_run`` issues a run. What is locked or gone is left alone for
    ever; what fails, or lies in an archive, is tried again by a later run, after all others.
    Returns counts; dry, how many are to be told. The caller holds the stage lock.
    """
    repositories = [
        source.repository for source in workspace.config.sources.github if source.tell_reporters
    ]
    if not repositories:
        return {}
    with workspace.database.session() as session:
        mended = _load_mended(session, workspace, repositories)
        waiting = _standing_intents(session, repositories, mended)
        begun = load_intended_issues(session, TELL)
        fresh = [each for key, each in sorted(mended.items()) if key not in begun]
        if dry_run:
            return {"to tell": len(waiting) + len(fresh)}
        room = max(0, workspace.config.releases.max_told_per_run - len(waiting))
        for each in fresh[:room]:
            body = mended_note(each.version, each.number, workspace.marker_key)
            payload = {"body": body, "version": each.version, "theme_id": each.theme_id}
            intend(session, each.repository, each.number, TELL, TELL, payload, now=now)
    run = _Run(workspace, mended, now, pause_seconds, resend_after)
    run.counts["to tell"] = len(fresh) - len(fresh[:room])  # waits for its turn
    budget = workspace.config.releases.max_told_per_run
    for repository in repositories:
        if budget > 0 and not run.is_limited:
            budget -= _tell_in(run, repository, budget)
    return dict(run.counts)


def _load_mended(
    session: Session, workspace: Workspace, repositories: list[str]
) -> dict[tuple[str, int], Telling]:
    """Every reporter's issue in these repositories whose theme is verified as mended, by place.

    The theme's own issue must be closed: one that a person holds open is in dispute. It must be
    where all may read it: of what is followed in private nothing is said outside. Who wrote
    about the mended version or a later one is not told that it is mended there.
    """
    names = [version.name for version in workspace.config.versions]
    own = repository_today(session, workspace.repository or "")
    origins = {f"github:{repository}": repository for repository in repositories}
    closed = [
        each.theme
        for each in load_filed(session, workspace, own).values()
        if each.theme.status is ThemeStatus.OPEN
        and not each.life.facts.is_open
        and each.life.gone is None
    ]
    versions = {
        theme.theme_id: version
        for theme in closed
        if (version := mended_in(load_verification_history(session, theme.theme_id), workspace))
        in names
    }
    found = {}
    for theme_id, reports in load_theme_reports(session, list(versions)).items():
        version = versions[theme_id]
        since = names[names.index(version) :]
        for report in reports:
            repository, number = origins.get(report.origin), _number_of(report)
            if repository and number and report.model_version not in since:
                found[repository, number] = Telling(repository, number, theme_id, version)
    return found


def _number_of(report: Report) -> int | None:
    number = report.external_id.rpartition("#")[2]
    return int(number) if number.isdecimal() else None


def _standing_intents(
    session: Session, repositories: list[str], mended: Mapping[tuple[str, int], Telling]
) -> list[IssueAction]:
    """Intents of earlier runs that still hold; one never sent whose theme came back is dropped."""
    standing = []
    for repository in repositories:
        for action in load_open_actions(session, repository, (TELL,)):
            if action.attempted_at is None and not _holds(action, mended):
                withdraw(session, action.action_id)
            else:
                standing.append(action)
    return standing


def _holds(action: IssueAction, mended: Mapping[tuple[str, int], Telling]) -> bool:
    found = mended.get((action.repository, action.number))
    return found is not None and found.version == action.payload["version"]


def _tell_in(run: _Run, repository: str, budget: int) -> int:
    """Tell in one repository; returns how much of the budget that took."""
    workspace, counts = run.workspace, run.counts
    with workspace.database.session() as session:
        actions = load_open_actions(session, repository, (TELL,))
    # What failed before comes last, so that it holds up nobody else.
    actions.sort(
        key=lambda action: (action.attempted_at is not None, action.attempted_at or run.now)
    )
    actions = actions[:budget]
    if not actions:
        return 0
    try:
        desk = _desk_today(workspace, repository)
        if desk.is_archived():
            counts["tellings waiting"] += len(actions)
            return 0
    except TrackerError as error:
        run.is_limited = isinstance(error, TrackerRateLimited)
        counts["tellings waiting" if run.is_limited else "tellings failed"] += len(actions)
        return 0
    pen = Pen(workspace, desk, run.now, run.pause_seconds, run.resend_after)
    for place, action in enumerate(actions):
        try:
            outcome = _tell(pen, action, holds=_holds(action, run.mended))
        except TrackerRateLimited:
            run.is_limited = True
            counts["tellings waiting"] += len(actions) - place
            break
        except (TrackerGone, TrackerLocked) as error:
            outcome = error.problem
        except TrackerError as error:
            counts["tellings failed"] += 1
            with workspace.database.session() as session:
                note_error(session, action.action_id, str(error))
            continue
        if outcome is None:
            counts["tellings waiting"] += 1
            continue
        counts["told" if outcome == "written" else "not told"] += 1
        done(pen, action, outcome)
    return len(actions)


def _desk_today(workspace: Workspace, repository: str) -> IssueDesk:
    """The desk of a repository under its present name."""
    desk = desk_of(workspace, repository)
    present = desk.present_name()
    return desk if present == repository else desk_of(workspace, present)


def _tell(pen: Pen, action: IssueAction, *, holds: bool) -> str | None:
    """Write the comment unless it is there; None: its fate is unknown, and it is too early."""
    if pen.desk.fetch_issue(action.number).facts.locked:
        return "the issue is locked"
    # Always looked for, also before the first try: another database may have told it already.
    for comment in pen.desk.fetch_comments_on(action.number):
        if has_note_marker(comment.body, told_note(action.number), pen.workspace.marker_key):
            return "found"
    if action.attempted_at is not None and pen.now - action.attempted_at < pen.resend_after:
        return None
    if not holds:
        return "it is mended no more"
    attempt(pen, action)
    pen.desk.comment(action.number, str(action.payload["body"]))
    return "written"
