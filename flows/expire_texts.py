"""Expire: texts and vectors of old reports go, counts stay; off unless triage.yaml says how old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow

from flows.correcting import take_effect
from flows.showing import show_counts
from flows.stages import run_stage
from flows.theme_upkeep import anchors_of_rest
from triage.database import Session
from triage.store.actions import REWRITE, intend
from triage.store.audit import Action, expire_audit, record
from triage.store.expiring import expire_reports
from triage.store.issues import empty_sent_bodies, load_issues
from triage.store.reports import load_theme_reports
from triage.store.saving import hold_reports
from triage.store.themes import blank_theme, load_themes
from triage.themes import profile
from triage.types import ThemeStatus
from triage.workspace import Workspace, open_workspace


def expire(
    workspace: Workspace,
    *,
    now: datetime | None = None,
    apply: Callable[[Workspace], None] = take_effect,
) -> dict[str, int]:
    """Let texts older than ``privacy.keep_text_days`` go, and entries of the audit log.

    Issues that may quote them are marked, and written anew by the next sync. Returns counts; all
    0 where nothing is configured. ``apply`` lets descriptions follow what is left.
    """
    now = now or datetime.now(UTC)
    privacy = workspace.config.privacy
    counts: Counter[str] = Counter()
    if privacy.keep_text_days is not None:
        counts.update(_expire_texts(workspace, now - timedelta(days=privacy.keep_text_days), now))
    if privacy.keep_audit_days is not None:
        with workspace.database.session() as session:
            before = now - timedelta(days=privacy.keep_audit_days)
            counts["audit entries"] = expire_audit(session, before)
    if counts["reports"]:
        workspace.database.vacuum(["report", "embedding", "landmark", "distillation"])
        apply(workspace)
    names = ("reports", "themes", "issues marked", "files", "audit entries")
    return {name: counts[name] for name in names}


def _expire_texts(workspace: Workspace, before: datetime, now: datetime) -> dict[str, int]:
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        hold_reports(session)
        removed, theme_ids = expire_reports(session, before)
        marked = _let_go(workspace, session, theme_ids, now) if theme_ids else 0
        if removed:
            record(session, "retention", Action.EXPIRED, rows=removed)
    return {
        "reports": removed.get("report", 0),
        "themes": len(theme_ids),
        "issues marked": marked,
        "files": _delete_files(workspace, before),
    }


def _let_go(
    workspace: Workspace, session: Session, theme_ids: frozenset[int], now: datetime
) -> int:
    """Take words away from themes and their issues; what is left describes and anchors them."""
    members = load_theme_reports(session, theme_ids, with_loose=True)
    for theme in load_themes(session, None):
        if theme.theme_id in theme_ids:
            own = members[theme.theme_id]
            with_text = [report for report in own if report.failure_text]
            first = (with_text or own)[0].report_id
            blank_theme(session, theme.theme_id, profile(own), first, is_empty=False)
            if theme.status is ThemeStatus.OPEN and with_text:
                anchors_of_rest(workspace, session, theme.theme_id, with_text)
    marked = 0
    for theme_id, issue in load_issues(session).items():
        if theme_id in theme_ids and issue.filed is not None:
            place = issue.filed.repository, issue.filed.number
            intend(session, *place, f"expire {now.isoformat()}", REWRITE, {}, now=now)
            marked += 1
    empty_sent_bodies(session, theme_ids)
    return marked


def _delete_files(workspace: Workspace, before: datetime) -> int:
    """Files of the drop folder that were read: they hold the texts as they came."""
    files = workspace.config.sources.files
    deleted = 0
    if files is not None:
        for folder in ("done", "failed"):
            for path in sorted((workspace.settings.home / files.inbox / folder).glob("*")):
                deleted += _delete_if_old(path, before)
    return deleted


def _delete_if_old(path: Path, before: datetime) -> int:
    if not path.is_file() or path.stat().st_mtime >= before.timestamp():
        return 0
    path.unlink(missing_ok=True)
    return 1


@flow(
    name="expire_texts",
    flow_run_name="expire_texts",
    retries=2,
    retry_delay_seconds=30,
)
def expire_texts() -> dict[str, int]:
    """Let old texts go as ``privacy`` in triage.yaml says; without that, nothing."""
    with open_workspace() as workspace:
        counts = run_stage(workspace, "expire", lambda: expire(workspace))
    show_counts("expire", counts)
    return counts
