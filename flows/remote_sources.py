"""Every configured source that is read by a cursor, each with what opens it, and how they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from triage.cleaning import redact_excerpt
from triage.config.model import GitHubSource, LangfuseSource
from triage.errors import SourceError
from triage.filing import has_note_marker, marker_in, told_note
from triage.sources.eval_folder import LogFormat, fetch_failures
from triage.sources.github import fetch_reports
from triage.sources.huggingface import Hub, HubRepository, fetch_discussions
from triage.sources.inspect_logs import InspectLogs
from triage.sources.langfuse import LowScores, fetch_low_scores
from triage.sources.langfuse_api import Langfuse
from triage.sources.lm_eval_logs import LmEvalLogs
from triage.sources.pages import ReportPage
from triage.store.intake import SourceState, load_source_states
from triage.tracker import open_reader
from triage.workspace import Workspace

STALE_AFTER = timedelta(days=1)
Fetch = Callable[[str | None], Iterator[ReportPage]]


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A source by its name in the database; ``fetch`` reads on from a cursor."""

    origin: str
    fetch: Fetch


def remote_sources(workspace: Workspace) -> list[RemoteSource]:
    """All that the configuration names; nothing is opened yet."""
    sources = workspace.config.sources
    found = [RemoteSource(one.origin, _github(workspace, one)) for one in sources.github]
    for one in sources.huggingface:
        repository = HubRepository(one.repository, one.type.value, one.kind)
        found.append(RemoteSource(repository.origin, _huggingface(workspace, repository)))
    if sources.langfuse is not None:
        source = sources.langfuse
        found.append(RemoteSource(source.origin, _langfuse(workspace, source)))
    for logs in sources.inspect:
        inspect_logs = InspectLogs(logs.scorer, logs.pass_from)
        found.append(_folder(workspace, logs.origin, logs.folder, inspect_logs))
    for samples in sources.lm_eval:
        lm_eval_logs = LmEvalLogs(samples.metric, samples.pass_from)
        found.append(_folder(workspace, samples.origin, samples.folder, lm_eval_logs))
    return found


def _github(workspace: Workspace, source: GitHubSource) -> Fetch:
    return lambda cursor: fetch_reports(
        open_reader(workspace.settings),
        source.repository,
        cursor,
        own_marker=lambda body: marker_in(body, workspace.marker_key) is not None,
        labels=source.labels,
        kind=source.kind,
        redact=redact_excerpt,
        own_comment=lambda number, body: has_note_marker(
            body, told_note(number), workspace.marker_key
        ),
    )


def _huggingface(workspace: Workspace, repository: HubRepository) -> Fetch:
    token = workspace.settings.hf_token
    secret = token.get_secret_value() if token is not None else None
    return lambda cursor: fetch_discussions(
        Hub(workspace.settings.hf_endpoint, secret), repository, cursor, redact=redact_excerpt
    )


def _langfuse(workspace: Workspace, source: LangfuseSource) -> Fetch:
    def fetch(cursor: str | None) -> Iterator[ReportPage]:
        public, secret = (
            workspace.settings.langfuse_public_key,
            workspace.settings.langfuse_secret_key,
        )
        if public is None or secret is None:
            raise SourceError(
                f"Reading scores of {source.host}",
                "its keys are not set",
                "Set TRIAGE_LANGFUSE_PUBLIC_KEY and TRIAGE_LANGFUSE_SECRET_KEY.",
            )
        langfuse = Langfuse(source.host, public.get_secret_value(), secret.get_secret_value())
        low = LowScores(source.scores, source.at_most, source.categories, source.kind)
        return fetch_low_scores(langfuse, low, cursor, origin=source.origin, redact=redact_excerpt)

    return fetch


def _folder(workspace: Workspace, origin: str, folder: str, logs: LogFormat) -> RemoteSource:
    path = workspace.settings.home / folder
    return RemoteSource(
        origin,
        lambda cursor: fetch_failures(
            path, logs, cursor, origin=origin, now=datetime.now(UTC), redact=redact_excerpt
        ),
    )


def source_rows(workspace: Workspace, now: datetime) -> list[dict[str, Any]]:
    """How each configured source is: read, stale since when, or never read, with its trouble."""
    with workspace.database.session() as session:
        states = load_source_states(session)
    return describe_sources([one.origin for one in remote_sources(workspace)], states, now)


def describe_sources(
    origins: Sequence[str], states: Sequence[SourceState], now: datetime
) -> list[dict[str, Any]]:
    """One row for each configured source; the states of others are left out."""
    by_origin = {state.origin: state for state in states}
    rows = []
    for origin in origins:
        state = by_origin.get(origin)
        read_at = state.read_at if state is not None else None
        trouble = state.last_error if state is not None else None
        if trouble or (read_at is not None and now - read_at > STALE_AFTER):
            told = "stale"
        else:
            told = "read" if read_at is not None else "never read"
        rows.append(
            {
                "source": origin,
                "state": told,
                "last read": f"{read_at:%Y-%m-%d %H:%M}" if read_at is not None else "",
                "trouble": trouble or "",
            }
        )
    return rows
