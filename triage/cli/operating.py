"""Commands for whoever runs it: doctor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import typer

from triage.cli.terminal import AsJson, show_rows
from triage.config.loader import load_config
from triage.database import open_database
from triage.embedding import Embedder
from triage.errors import ReaderError, TriageError
from triage.settings import Settings, load_settings
from triage.store.posted import load_waiting
from triage.workspace import open_workspace

MIN_FREE_BYTES = 1_000_000_000
STALE_POSTED = timedelta(days=1)  # posted reports are collected every hour


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(doctor)


def doctor(as_json: bool = AsJson) -> None:
    """Check what the product needs; every trouble comes with its remedy. Exit code 1 on trouble."""
    settings = load_settings()
    checks: dict[str, Callable[[Settings], str]] = {
        "configuration": _configuration,
        "database": _database,
        "disk": _disk,
        "embedding model": _model,
        "LLM": _llm,
        "reader": _reader,
        "sources": check_sources,
        "github": _github,
    }
    rows = []
    for name, check in checks.items():
        try:
            rows.append({"check": name, "state": "ok", "detail": check(settings)})
        except TriageError as error:
            rows.append({"check": name, "state": "TROUBLE", "detail": str(error)})
    show_rows(rows, as_json=as_json, empty="")
    if any(row["state"] != "ok" for row in rows):
        raise typer.Exit(1)


def _configuration(settings: Settings) -> str:
    config = load_config(settings.config)
    return "; ".join(config.warnings()) or f"{settings.config or 'the built-in default'}"


def _database(settings: Settings) -> str:
    database = open_database(settings)
    database.close()
    return "reachable, migrated, with pgvector"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    if free < MIN_FREE_BYTES:
        raise TriageError(
            f"Checking the disk of {settings.home}",
            f"{free / 1e9:.1f} GB are free",
            "Free at least 1 GB, or set TRIAGE_HOME to another disk.",
        )
    return f"{free / 1e9:.0f} GB free"


def _model(settings: Settings) -> str:
    embedder = Embedder(settings.embedding_model, settings.embedding_adapter)
    return f"{embedder.model} at revision {embedder.revision}, {embedder.dimensions} dimensions"


def _llm(settings: Settings) -> str:
    from triage.distilling import check_endpoint  # the HTTP client is slow to import

    return check_endpoint(settings)


def _reader(_settings: Settings) -> str:
    from flows.readers import open_reader

    with open_workspace() as workspace:
        reader, notes = open_reader(workspace)
    if reader is None or notes:
        raise ReaderError("Opening the reader", notes[0].partition(". ")[0], notes[-1])
    return f"{reader.name}, kappa {reader.figures['kappa']:.2f} when it was trained"


def check_sources(_settings: Settings) -> str:
    """How many sources were read; raises ``TriageError`` that names every stale one."""
    from flows.remote_sources import source_rows

    with open_workspace() as workspace:
        rows = source_rows(workspace, datetime.now(UTC))
        with workspace.database.session() as session:
            waiting = load_waiting(session)
    stale = [row for row in rows if row["state"] == "stale"]
    if stale:
        told = "; ".join(
            f"{row['source']} (last read {row['last read'] or 'never'}): "
            f"{row['trouble'] or 'no collection for more than a day'}"
            for row in stale
        )
        raise TriageError(
            f"Reading the sources: {len(stale)} of {len(rows)} are stale",
            told.rstrip("."),
            "The next run tries again; the other sources are read all the same.",
        )
    if waiting.since is not None and datetime.now(UTC) - waiting.since > STALE_POSTED:
        raise TriageError(
            "Collecting posted reports",
            f"{waiting.count} wait, the first since {waiting.since:%Y-%m-%d %H:%M}",
            "Start the schedules (`triage up`), or run `triage run`.",
        )
    read = sum(row["state"] == "read" for row in rows)
    return f"{read} of {len(rows)} remote sources read; {waiting.count} posted reports wait"


def _github(settings: Settings) -> str:
    with open_workspace() as workspace:
        repository = workspace.repository
        if repository is None:
            return "no repository is set: drafts only"
        from flows.file_issues import connect

        connect(workspace)
    return f"{repository} can be written"
