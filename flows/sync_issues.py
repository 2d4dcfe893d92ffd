"""Sync: listen to what people did on our issues, then bring the issues in line; humans win."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect import flow, get_run_logger
from prefect.concurrency.sync import concurrency

from flows.correcting import take_effect
from flows.desk import open_checked_desk
from flows.listening import listen
from flows.showing import Logged, ShowProgress, show_counts, silent
from flows.stages import run_stage
from flows.upkeep import plan_all, write_planned
from flows.writing import PAUSE_SECONDS, RESEND_AFTER, open_pen, write_intended
from triage.errors import TrackerError
from triage.workspace import Workspace, open_workspace


def sync(
    workspace: Workspace,
    *,
    dry_run: bool,
    now: datetime | None = None,
    pause_seconds: float = PAUSE_SECONDS,
    resend_after: timedelta = RESEND_AFTER,
    apply: Callable[[Workspace], None] = take_effect,
    progress: ShowProgress = silent,
) -> dict[str, int]:
    """Let people's words hold, then write what the issues lack; returns counts.

    The private repository of sensitive themes is followed too; where it cannot be reached, the
    other is all the same.

    Dry, it listens and plans, and writes nothing to GitHub. One process at a time writes issues.
    ``apply`` lets verdicts and routes follow the corrections. Raises ``SettingsError`` when no
    repository or login is set, ``TrackerError`` when GitHub cannot be read.
    """
    now = now or datetime.now(UTC)
    hand = Hand(now, pause_seconds, resend_after, dry_run=dry_run)
    with workspace.database.stage_lock("file"):
        counts = Counter(_sync_one(workspace, hand, apply, progress))
        if workspace.private_repository is not None:
            try:
                private = workspace.at(workspace.private_repository)
                counts.update(_sync_one(private, hand, apply, progress))
            except TrackerError:
                counts["private repository not reached"] = 1
    return dict(counts)


@dataclass(frozen=True, slots=True)
class Hand:
    """How a sync writes: as of when, how fast, and whether at all."""

    now: datetime
    pause_seconds: float
    resend_after: timedelta
    dry_run: bool


def _sync_one(
    workspace: Workspace, hand: Hand, apply: Callable[[Workspace], None], progress: ShowProgress
) -> dict[str, int]:
    desk, blocker = open_checked_desk(workspace)
    counts = dict(listen(workspace, desk, now=hand.now, progress=progress))
    if counts.get("corrections"):
        apply(workspace)
    planned = plan_all(workspace, desk.repository, now=hand.now)
    counts["to update"] = len(planned)
    if hand.dry_run or blocker is not None:
        return counts
    pen = open_pen(
        workspace,
        desk,
        now=hand.now,
        pause_seconds=hand.pause_seconds,
        resend_after=hand.resend_after,
    )
    write_intended(pen)
    write_planned(pen, planned, progress)
    return {**counts, **pen.counts}


@flow(
    name="sync_issues",
    flow_run_name="sync_issues",
    retries=1,
    retry_delay_seconds=120,
)
def sync_issues(dry_run: bool | None = None) -> dict[str, int]:
    """Follow our issues in both directions; without a repository there are none.

    Args:
        dry_run: True listens and plans only; False writes; without it ``policy.dry_run`` decides.
    """
    with open_workspace() as workspace, concurrency("github", occupy=1, strict=False):
        if workspace.repository is None:
            # The schedule comes without being asked for: that is no failure to raise an alarm for.
            get_run_logger().info("sync: no repository is set, so there are no issues to follow")
            return run_stage(workspace, "sync", dict)
        dry = workspace.config.policy.dry_run if dry_run is None else dry_run
        counts = run_stage(
            workspace, "sync", lambda: sync(workspace, dry_run=dry, progress=Logged())
        )
    show_counts("sync", counts)
    return counts
