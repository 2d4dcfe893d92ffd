"""Metrics in Prometheus' format, counted when they are asked for; the only user of its client."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from triage.errors import TriageError
from triage.spending import spending_of
from triage.store.measures import Measures, load_measures
from triage.store.operation import (
    LLM,
    STAGES,
    StageHistory,
    StageStop,
    load_histories,
    load_stops,
)
from triage.workspace import Workspace


class MetricsError(TriageError):
    """Metrics cannot be served or written."""


def render_metrics(workspace: Workspace) -> str:
    """All metrics as text."""
    return generate_latest(_registry(workspace)).decode("utf-8")


def write_metrics(workspace: Workspace, path: Path) -> None:
    """Write them to a file for node_exporter's textfile collector: whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(render_metrics(workspace), "utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise MetricsError(
            f"Writing metrics to {path}", str(error), "Name a file that can be written."
        ) from error


@contextmanager
def serving_metrics(workspace: Workspace, host: str, port: int) -> Iterator[str]:
    """Serve them at the address that is given until the block ends."""
    try:
        server, thread = start_http_server(port, host, _registry(workspace))
    except OSError as error:
        raise MetricsError(
            f"Serving metrics at {host}:{port}", str(error), "Choose another port."
        ) from error
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def _registry(workspace: Workspace) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counted(workspace))
    return registry


class _Counted(Collector):
    """Counts anew at each scrape, so that nothing has to be kept in step."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing, so that registering does not ask the database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All metrics; where the database does not answer, only that it does not."""
        try:
            with self._workspace.database.session() as session:
                measures = load_measures(session)
                histories, stops = load_histories(session), load_stops(session)
        except TriageError:
            yield _gauge("database_up", "Whether the database answers", 0)
            return
        yield _gauge("database_up", "Whether the database answers", 1)
        yield from _of_contents(measures)
        yield from _of_stages(self._workspace, histories, stops)


def _of_contents(found: Measures) -> Iterator[GaugeMetricFamily]:
    size = found.database_bytes
    yield _gauge("database_bytes", "Size of the database", size)
    yield _gauge("rejected_records", "Records that were set aside at intake", found.rejected)
    yield _labelled("reports", "Reports by channel", "channel", found.reports)
    yield _labelled("themes", "Themes by status", "status", found.themes)
    yield _labelled("decisions", "Open themes by verdict", "verdict", found.decisions)
    yield _labelled("blocked_themes", "Open themes that are not filed", "blocker", found.blockers)
    yield _labelled("issues", "Issues by state", "state", found.issues)
    ages = found.seconds_since_read
    yield _labelled("source_read_age_seconds", "Time since a source was read", "source", ages)
    broken = found.broken_sources
    yield _labelled("source_broken", "Whether a source failed last time", "source", broken)


def _of_stages(
    workspace: Workspace,
    histories: Mapping[str, StageHistory],
    stops: Mapping[str, StageStop],
) -> Iterator[GaugeMetricFamily]:
    known = {stage: histories[stage] for stage in STAGES if stage in histories}
    succeeded = {s: h.succeeded_at.timestamp() for s, h in known.items() if h.succeeded_at}
    yield _labelled("stage_last_success_seconds", "Unix time", "stage", succeeded)
    took = {s: h.took_seconds for s, h in known.items() if h.took_seconds is not None}
    yield _labelled("stage_duration_seconds", "Of the last success", "stage", took)
    failures = {stage: history.failures_since for stage, history in known.items()}
    yield _labelled("stage_failures", "Failed runs since the last success", "stage", failures)
    stopped = {stage: int(stage in stops) for stage in (*STAGES, LLM)}
    yield _labelled("stage_stopped", "Whether somebody stopped it", "stage", stopped)
    spent = {stage: spending_of([history.counts]) for stage, history in known.items()}
    requests = {stage: each.requests for stage, each in spent.items()}
    yield _labelled("llm_requests", "Of the last success", "stage", requests)
    tokens = GaugeMetricFamily(
        "triage_llm_tokens", "Of the last success", labels=["stage", "direction"]
    )
    for stage, each in spent.items():
        tokens.add_metric([stage, "in"], each.tokens_in)
        tokens.add_metric([stage, "out"], each.tokens_out)
    yield tokens
    costs = {stage: each.cost(workspace.settings) for stage, each in spent.items()}
    priced = {stage: cost for stage, cost in costs.items() if cost is not None}
    yield _labelled("llm_cost", "Of the last success, in the prices' currency", "stage", priced)


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"triage_{name}", what, value=value)


def _labelled(name: str, what: str, label: str, values: Mapping[str, Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"triage_{name}", what, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
