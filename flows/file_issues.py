"""File: open one issue per theme that passes the gate; exactly once, within the budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.concurrency.sync import concurrency
from rich.console import Console

from flows.first_life import first_life
from flows.planning import plan
from flows.showing import (
    Logged,
    ShowProgress,
    show_counts,
    show_page,
    show_themes,
    silent,
)
from flows.stages import STOPPED, run_work
from triage.database import Session
from triage.errors import SettingsError, TrackerError, TrackerRateLimited
from triage.filing import (
    marker_in,
    render_draft_file,
    render_page,
    with_fallback_assignee,
)
from triage.store.decisions import load_decision
from triage.store.issues import (
    IssueRecord,
    load_issues,
    save_attempt,
    save_filed,
    save_filing_error,
    save_intent,
    withdraw_intents,
)
from triage.store.life import IssueLife, load_past_issues, save_life
from triage.store.overview import theme_rows
from triage.store.themes import load_forwards, load_theme, save_blocker
from triage.tracker import ConsoleTracker, GitHubTracker, open_tracker
from triage.types import FiledIssue, IssueDraft, IssueState
from triage.workspace import Workspace, open_workspace

# GitHub's listing may lag behind a write: an issue whose creation was interrupted is looked for
# at once, but created again only after this long.
RESEND_AFTER = timedelta(seconds=60)
# An intent whose theme no longer passes the gate is looked for this long, then it is withdrawn.
WITHDRAW_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FilingSummary:
    """What one run drafted, how many issues it filed, how many themes wait with a blocker."""

    drafts: tuple[IssueDraft, ...]
    filed: int
    waiting: int

    def counts(self) -> dict[str, int]:
        """The counts by name, for showing."""
        return {"drafted": len(self.drafts), "filed": self.filed, "waiting": self.waiting}


def file(
    workspace: Workspace,
    *,
    dry_run: bool,
    resend_after: timedelta = RESEND_AFTER,
    progress: ShowProgress = silent,
    screen: Console | None = None,
) -> FilingSummary:
    """Draft what passes the gate, store every other theme's blocker, and file unless dry.

    Sensitive themes go to the private repository alone. One process at a time files. Raises
    ``SettingsError`` when no repository or login is set, ``TrackerError`` when the repository
    cannot be written at all; a private one that cannot be written holds back its own themes only.
    """
    with workspace.database.stage_lock("file"):
        if dry_run:
            drafts, private, waiting = plan(workspace, {})
            drafts = [*drafts, *private]
            console = ConsoleTracker(workspace.drafts_folder, render_draft_file)
            console.write(drafts)
            for draft in drafts:
                if screen is not None:
                    console.show(draft, screen)
                _block(workspace, draft.theme_id, "dry run: would be filed")
            return FilingSummary(tuple(drafts), 0, waiting)
        tracker = connect(workspace)
        recovered = _recover(workspace, tracker)
        aside, closed = _connect_private(workspace)
        if aside is not None:
            recovered += _recover(workspace, aside)
        drafts, private, waiting = plan(workspace, _unresolved(workspace, resend_after))
        searched = [each.repository for each in (tracker, aside) if each is not None]
        with workspace.database.session() as session:
            wanted = [draft.theme_id for draft in (*drafts, *private)]
            withdraw_intents(session, searched, but=wanted, after=WITHDRAW_AFTER)
        filed = _file_all(workspace, tracker, drafts, progress)
        if aside is not None:
            filed += _file_all(workspace, aside, private, progress)
        elif closed is not None:
            for draft in private:
                _block(workspace, draft.theme_id, closed)
            waiting += len(private)
        return FilingSummary((*drafts, *private), filed + recovered, waiting)


def _connect_private(workspace: Workspace) -> tuple[GitHubTracker | None, str | None]:
    """The tracker of the private repository, or why there is none; neither where none is set."""
    if workspace.private_repository is None:
        return None, None
    try:
        return connect(workspace.at(workspace.private_repository)), None
    except TrackerError as error:
        return None, str(error)


def _file_all(
    workspace: Workspace, tracker: GitHubTracker, drafts: list[IssueDraft], progress: ShowProgress
) -> int:
    filed = 0
    for position, draft in enumerate(drafts, start=1):
        with workspace.database.session() as session:
            save_intent(session, draft, tracker.repository)
        try:
            with workspace.database.session() as session:
                save_attempt(session, draft.theme_id)
            issue = tracker.create(draft)
        except TrackerRateLimited as error:
            for waiting in drafts[position - 1 :]:
                _block(workspace, waiting.theme_id, str(error))
            break
        except TrackerError as error:
            with workspace.database.session() as session:
                save_filing_error(session, draft.theme_id, str(error))
                save_blocker(session, draft.theme_id, str(error))
            continue
        with workspace.database.session() as session:
            save_filed(session, draft.theme_id, issue)
            save_blocker(session, draft.theme_id, None)
            save_life(session, _life_of(workspace, session, draft, issue))
        filed += 1
        progress("filing issues", position, len(drafts))
    return filed


def _life_of(
    workspace: Workspace, session: Session, draft: IssueDraft, issue: FiledIssue
) -> IssueLife:
    theme = load_theme(session, f"T{draft.theme_id}")
    decision = load_decision(session, draft.theme_id)
    assert decision is not None  # what was not decided is not drafted
    sent = issue.sent or draft
    return first_life(workspace, issue.repository, issue.number, sent, theme, decision.verdict)


def _recover(workspace: Workspace, tracker: GitHubTracker) -> int:
    """Record the issues that exist on GitHub for intents whose outcome is unknown."""
    with workspace.database.session() as session:
        intents = [r for r in load_issues(session).values() if r.state is IssueState.INTENDED]
    if not intents:
        return 0
    since = min(record.intended_at for record in intents)
    with workspace.database.session() as session:
        survivor_of = load_forwards(session)
        past = load_past_issues(session, tracker.repository)
    by_marker = tracker.find_filed(since=since, ignoring=past)
    # The marker names the theme as it was then; a theme may have been absorbed since.
    found = {survivor_of.get(theme_id, theme_id): issue for theme_id, issue in by_marker.items()}
    recovered = [record for record in intents if record.theme_id in found]
    with workspace.database.session() as session:
        for record in recovered:
            save_filed(session, record.theme_id, found[record.theme_id])
            save_blocker(session, record.theme_id, None)
    return len(recovered)


def _unresolved(workspace: Workspace, resend_after: timedelta) -> dict[int, str]:
    """Themes whose creation was attempted so recently that GitHub may not list it yet."""
    with workspace.database.session() as session:
        records = load_issues(session).values()
    now = datetime.now(UTC)
    return {
        record.theme_id: "its creation was interrupted; it is looked for again before a new try"
        for record in records
        if _may_be_in_flight(record, now, resend_after)
    }


def _may_be_in_flight(record: IssueRecord, now: datetime, resend_after: timedelta) -> bool:
    return (
        record.state is IssueState.INTENDED
        and record.attempted_at is not None
        and now - record.attempted_at < resend_after
    )


def connect(workspace: Workspace) -> GitHubTracker:
    """The tracker, checked to be writable; see ``file`` for what is raised."""
    tracker = open_own_tracker(workspace)
    if blocker := tracker.can_write():
        raise TrackerError(f"Filing issues in {workspace.repository}", blocker, "Nothing was sent.")
    return tracker


def open_own_tracker(workspace: Workspace) -> GitHubTracker:
    """The tracker, not asked yet; raises ``SettingsError`` when no repository or login is set."""
    if workspace.repository is None:
        raise SettingsError(
            "Filing issues",
            "no repository is set",
            "Set github.repository in triage.yaml or TRIAGE_GITHUB_REPOSITORY=owner/name.",
        )
    return open_tracker(
        workspace.settings,
        workspace.repository,
        theme_of=lambda body: marker_in(body, workspace.marker_key),
        with_fallback=with_fallback_assignee,
    )


def _block(workspace: Workspace, theme_id: int, blocker: str) -> None:
    with workspace.database.session() as session:
        save_blocker(session, theme_id, blocker)


@flow(
    name="file_issues",
    flow_run_name="file_issues",
    retries=1,
    retry_delay_seconds=120,
)
def file_issues(dry_run: bool | None = None) -> dict[str, int]:
    """File what passes the gate. ``dry_run`` outranks the configuration's setting.

    Args:
        dry_run: True drafts only; False files; without it ``policy.dry_run`` decides.
    """
    with open_workspace() as workspace, concurrency("github", occupy=1, strict=False):
        dry = workspace.config.policy.dry_run if dry_run is None else dry_run
        summary = run_work(
            workspace,
            "file",
            lambda: (done := file(workspace, dry_run=dry, progress=Logged()), done.counts()),
        )
        with workspace.database.session() as session:
            rows = theme_rows(session)
    show_themes(rows)  # once more: verdicts, owners and blockers are known by now
    if summary is None:
        return {STOPPED: 1}
    show_counts("file", summary.counts())
    for draft in summary.drafts:
        said = f"The draft of T{draft.theme_id}'s issue: {', '.join(draft.labels)}"
        show_page(f"draft-t{draft.theme_id}", render_page(draft), said)
    return summary.counts()
