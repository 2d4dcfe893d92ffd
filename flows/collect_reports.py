"""Collect: read the sources, clean and redact, store what is new, link duplicates."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

from prefect import flow
from prefect.concurrency.sync import concurrency

from flows.remembering import without_forgotten
from flows.remote_sources import RemoteSource, remote_sources, source_rows
from flows.showing import Logged, ShowProgress, show_counts, show_table, silent
from flows.stages import run_stage
from triage.cleaner import clean_batch, clean_batches
from triage.cleaning import (
    clean_report,
    hash_author,
    link_duplicates,
    redact_excerpt,
    with_features,
)
from triage.database import Session
from triage.errors import IntakeError, SourceError, TrackerError
from triage.listening import what_answer_says
from triage.sources.files import read_file
from triage.sources.inbox import mark_done, mark_failed, pending_files
from triage.store.answers import save_answers
from triage.store.duplicates import load_duplicate_candidates, save_duplicate_links
from triage.store.intake import (
    load_cursor,
    save_cursor,
    save_rejections,
    save_source_error,
    save_source_read,
)
from triage.store.posted import forget_keys, take_posted
from triage.store.saving import hold_reports, restamp_versions, save_reports
from triage.types import (
    CleanReport,
    CollectSummary,
    RawAnswer,
    RawReport,
    Rejection,
    ReporterAnswer,
)
from triage.workspace import Workspace, open_workspace

# What is stored in one transaction, and what a kill costs: a second (100,000 reports took 112 s).
# Every batch looks through the duplicates' bands of all reports, so small ones cost more.
BATCH = 1000
BATCH_CHARACTERS = 5_000_000
# Processes that clean a long file: each holds 120 MB.
PROCESSES = min(4, os.cpu_count() or 1)
KEYS_HOLD = timedelta(days=1)  # idempotency keys of the HTTP intake; senders are told so


def collect(workspace: Workspace, *, progress: ShowProgress = silent) -> CollectSummary:
    """Take what was posted, read the drop folder and every source; none that fails stops others."""
    summary = take_in_posted(workspace)
    for path in _dropped_files(workspace):
        try:
            summary += ingest(workspace, path, progress=progress)
        except IntakeError as error:
            mark_failed(path, str(error))
            summary += CollectSummary(failed_sources=(str(error),))
        else:
            mark_done(path)
    for source in remote_sources(workspace):
        summary += _collect_source(workspace, source)
    with workspace.database.session() as session:  # an alias may have been added since
        restamp_versions(session, workspace.config.resolve_version)
    return summary


def take_in_posted(workspace: Workspace) -> CollectSummary:
    """Store what the HTTP intake left; a batch and its removal are one transaction."""
    summary = CollectSummary()
    while True:
        with workspace.database.session() as session:
            hold_reports(session)
            reports = [with_features(one) for one in take_posted(session, BATCH)]
            if not reports:
                forget_keys(session, datetime.now(UTC) - KEYS_HOLD)
                return summary
            summary += _store(session, reports, [], workspace.hash_key)


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
    items = read_file(path, received_at=received_at, redact=redact_excerpt, origin=origin)
    clean = _cleaning(workspace, received_at)
    summary = CollectSummary()
    read = 0
    with closing(clean_batches(_batches(items), clean, processes=PROCESSES)) as cleaned_batches:
        for cleaned in cleaned_batches:
            summary += _keep(workspace, cleaned)
            read += len(cleaned)
            progress(f"reading {path.name}", read, 0)
    return summary


def _batches(items: Iterable[RawReport | Rejection]) -> Iterator[list[RawReport | Rejection]]:
    """What is read in batches, fewer of long reports: it bounds memory.

    What came before an ``IntakeError`` is given before it is raised.
    """
    batch: list[RawReport | Rejection] = []
    characters = 0
    try:
        for item in items:
            batch.append(item)
            if isinstance(item, RawReport):
                characters += sum(
                    len(text or "") for text in (item.body, item.prompt, item.response)
                )
            if len(batch) == BATCH or characters >= BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
    except IntakeError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _collect_source(workspace: Workspace, source: RemoteSource) -> CollectSummary:
    """Read one source on from its cursor; its failure is noted, and what came before it stays."""
    summary = CollectSummary()
    try:
        with workspace.database.session() as session:
            cursor = load_cursor(session, source.origin)
        for page in source.fetch(cursor):
            summary += _save(
                workspace,
                [*page.reports, *page.rejections],
                datetime.now(UTC),
                cursor=(source.origin, page.cursor),
                answers=_readable(page.answers, workspace.hash_key),
            )
        with workspace.database.session() as session:
            save_source_read(session, source.origin)
    except (SourceError, TrackerError) as error:
        with workspace.database.session() as session:
            save_source_error(session, source.origin, str(error))
        summary += CollectSummary(failed_sources=(str(error),))
    return summary


def _save(
    workspace: Workspace,
    items: Sequence[RawReport | Rejection],
    received_at: datetime,
    cursor: tuple[str, str] | None = None,
    answers: Mapping[str, Sequence[ReporterAnswer]] = MappingProxyType({}),
) -> CollectSummary:
    """Clean a batch and keep it."""
    cleaned = clean_batch(items, _cleaning(workspace, received_at))
    return _keep(workspace, cleaned, cursor, answers)


def _keep(
    workspace: Workspace,
    cleaned: Sequence[CleanReport | Rejection],
    cursor: tuple[str, str] | None = None,
    answers: Mapping[str, Sequence[ReporterAnswer]] = MappingProxyType({}),
) -> CollectSummary:
    """Store all of a batch, its rejections and the cursor in one transaction.

    ``answers`` of reporters who were told of a mend go with their reports and are none.
    """
    reports = [item for item in cleaned if isinstance(item, CleanReport)]
    rejections = [item for item in cleaned if isinstance(item, Rejection)]
    with workspace.database.session() as session:
        summary = _store(session, reports, rejections, workspace.hash_key)
        if cursor is not None:
            save_answers(session, cursor[0], answers)
            save_cursor(session, *cursor)
    return summary


def _store(
    session: Session,
    reports: Sequence[CleanReport],
    rejections: Sequence[Rejection],
    hash_key: bytes,
) -> CollectSummary:
    reports, forgotten = without_forgotten(session, reports, hash_key)
    saved = save_reports(session, reports)
    links = link_duplicates(load_duplicate_candidates(session, saved.to_link), saved.to_link)
    save_duplicate_links(session, links)
    save_rejections(session, rejections)
    return CollectSummary(
        added=len(saved.added),
        revised=len(saved.revised),
        unchanged=saved.unchanged,
        rejected=len(rejections),
        duplicates=len(links),
        forgotten=forgotten,
    )


def _readable(
    answers: Mapping[str, Sequence[RawAnswer]], hash_key: bytes
) -> dict[str, list[ReporterAnswer]]:
    """The answers without their text and names."""
    return {
        external_id: [
            ReporterAnswer(
                one.comment_id,
                hash_author(one.author, hash_key) if one.author else None,
                what_answer_says(one.body),
                one.said_at,
            )
            for one in said
        ]
        for external_id, said in answers.items()
    }


def _cleaning(
    workspace: Workspace, received_at: datetime
) -> Callable[[RawReport], CleanReport | Rejection]:
    """How this installation cleans a report; another process can be given it."""
    return partial(
        clean_report,
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
    """Take what was posted, read the drop folder and every source, and store what is new."""
    with open_workspace() as workspace, concurrency("github", occupy=1, strict=False):
        counts = run_stage(
            workspace, "collect", lambda: collect(workspace, progress=Logged()).counts()
        )
        sources = source_rows(workspace, datetime.now(UTC))
    if sources:
        show_table("sources", sources, "When each source was last read, and what is wrong with it")
    show_counts("collect", counts)
    return counts
