"""Collect: read the sources, clean and redact, store what is new, link duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from prefect import flow
from prefect.concurrency.sync import concurrency

from flows.remembering import without_forgotten
from flows.showing import Logged, ShowProgress, show_counts, silent
from triage.cleaning import clean_report, link_duplicates, redact
from triage.config.model import GitHubSource
from triage.errors import IntakeError, SourceError, TrackerError
from triage.filing import marker_in
from triage.sources.files import read_file
from triage.sources.github import fetch_reports
from triage.sources.inbox import mark_done, mark_failed, pending_files
from triage.store.duplicates import load_duplicate_candidates, save_duplicate_links
from triage.store.intake import load_cursor, save_cursor, save_rejections, save_source_error
from triage.store.reports import restamp_versions, save_reports
from triage.tracker import open_reader
from triage.types import CleanReport, CollectSummary, RawReport, Rejection
from triage.workspace import Workspace, open_workspace

BATCH = 500


def collect(workspace: Workspace, *, progress: ShowProgress = silent) -> CollectSummary:
    """Read the drop folder and every configured repository; one that fails stops no other."""
    summary = CollectSummary()
    for path in _dropped_files(workspace):
        try:
            summary += ingest(workspace, path, progress=progress)
        except IntakeError as error:
            mark_failed(path, str(error))
            summary += CollectSummary(failed_sources=(str(error),))
        else:
            mark_done(path)
    for source in workspace.config.sources.github:
        summary += _collect_repository(workspace, source)
    with workspace.database.session() as session:  # an alias may have been added since
        restamp_versions(session, workspace.config.resolve_version)
    return summary


def _dropped_files(workspace: Workspace) -> list[Path]:
    files = workspace.config.sources.files
    if files is None:
        return []
    return pending_files(workspace.settings.home / files.inbox, now=datetime.now(UTC))


def ingest(
    workspace: Workspace,
    path: Path,
    *,
    origin: str = "files",
    progress: ShowProgress = silent,
) -> CollectSummary:
    """Read one file; what was stored before a failure stays, and reading it again is harmless."""
    received_at = datetime.now(UTC)
    items = read_file(path, received_at=received_at, redact=redact, origin=origin)
    summary = CollectSummary()
    read = 0
    while batch := list(islice(items, BATCH)):
        summary += _save(workspace, batch, received_at)
        read += len(batch)
        progress(f"reading {path.name}", read, 0)
    return summary


def _collect_repository(workspace: Workspace, source: GitHubSource) -> CollectSummary:
    origin = source.origin
    summary = CollectSummary()
    try:
        with workspace.database.session() as session:
            cursor = load_cursor(session, origin)
        pages = fetch_reports(
            open_reader(workspace.settings),
            source.repository,
            cursor,
            own_marker=lambda body: marker_in(body, workspace.marker_key) is not None,
            labels=source.labels,
            kind=source.kind,
            redact=redact,
        )
        for page in pages:
            summary += _save(
                workspace,
                [*page.reports, *page.rejections],
                datetime.now(UTC),
                cursor=(origin, page.cursor),
            )
    except (SourceError, TrackerError) as error:
        with workspace.database.session() as session:
            save_source_error(session, origin, str(error))
        summary += CollectSummary(failed_sources=(str(error),))
    return summary


def _save(
    workspace: Workspace,
    items: Sequence[RawReport | Rejection],
    received_at: datetime,
    cursor: tuple[str, str] | None = None,
) -> CollectSummary:
    """Clean a batch and store all of it, its rejections and the cursor in one transaction."""
    cleaned = list(_clean(workspace, items, received_at))
    reports = [item for item in cleaned if isinstance(item, CleanReport)]
    rejections = [item for item in cleaned if isinstance(item, Rejection)]
    with workspace.database.session() as session:
        reports, forgotten = without_forgotten(session, reports, workspace.hash_key)
        saved = save_reports(session, reports)
        links = link_duplicates(load_duplicate_candidates(session, saved.to_link), saved.to_link)
        save_duplicate_links(session, links)
        save_rejections(session, rejections)
        if cursor is not None:
            save_cursor(session, *cursor)
    return CollectSummary(
        added=len(saved.added),
        revised=len(saved.revised),
        unchanged=saved.unchanged,
        rejected=len(rejections),
        duplicates=len(links),
        forgotten=forgotten,
    )


def _clean(
    workspace: Workspace, items: Iterable[RawReport | Rejection], received_at: datetime
) -> Iterator[CleanReport | Rejection]:
    for item in items:
        if isinstance(item, Rejection):
            yield item
        else:
            yield clean_report(
                item,
                hash_key=workspace.hash_key,
                received_at=received_at,
                resolve_version=workspace.config.resolve_version,
            )


@flow(
    name="collect_reports",
    flow_run_name="collect_reports",
    retries=2,
    retry_delay_seconds=30,
)
def collect_reports() -> dict[str, int]:
    """Read the drop folder and every configured repository, and store what is new."""
    with open_workspace() as workspace, concurrency("github", occupy=1, strict=False):
        summary = collect(workspace, progress=Logged())
    show_counts("collect", summary.counts())
    return summary.counts()
