"""Commands that learn: train."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.cleaning import clean_report, without_names
from triage.cli.terminal import output, progress_bars
from triage.embedding import Embedder
from triage.errors import TrainingError
from triage.settings import load_settings
from triage.types import CleanReport, RawReport

MANDATORY = ("body", "failure", "mode")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(train)


def train(
    path: Annotated[Path, typer.Argument(help="JSONL of labelled reports.")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new adapter.")],
    adapter: Annotated[
        str | None,
        typer.Option(help="Adapter to start from: a folder, or `none`; default: the present one."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of training; 260 take an hour.")] = 260,
    seed: Annotated[int, typer.Option(help="Another seed, another order of reports.")] = 0,
) -> None:
    """Train an adapter of the embedding model on reports whose failure modes are known.

    A line has title, body, model and environment as for `ingest`, and `failure` (its failure in few
    words) and `mode` (the same for all reports that one fix would resolve). Needs the package's
    extra `train`. Use it with TRIAGE_EMBEDDING_ADAPTER=FOLDER.
    """
    from triage.embedding.training import Sample, train_adapter

    settings = load_settings()
    samples = [
        Sample(_embedded_text(path, line, record), record["failure"], record["mode"])
        for line, record in _records(path)
    ]
    embedder = Embedder(settings.embedding_model, adapter or settings.embedding_adapter)
    with progress_bars() as progress:
        train_adapter(
            samples,
            folder,
            embedder=embedder,
            steps=steps,
            seed=seed,
            progress=lambda step, total, loss: progress(f"training, loss {loss:.2f}", step, total),
        )
    output.print(f"Wrote {folder}. To use it: export TRIAGE_EMBEDDING_ADAPTER={folder.resolve()}")


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"Reading {path}", str(error), "Give a JSONL file in UTF-8.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise _wrong(path, number, f"is not JSON ({error})") from error
        for field in MANDATORY:
            if not isinstance(record, dict) or not isinstance(record.get(field), str):
                raise _wrong(path, number, f"has no text in `{field}`")
        yield number, record


def _embedded_text(path: Path, line: int, record: dict[str, Any]) -> str:
    """The text as `triage run` would embed it."""
    now = datetime.now(UTC)
    raw = RawReport(
        origin="training",
        external_id=str(line),
        place=f"{path} line {line}",
        body=record["body"],
        title=record.get("title") or "",
        created_at=now,
    )
    cleaned = clean_report(
        raw, hash_key=b"not stored", received_at=now, resolve_version=lambda written: None
    )
    if not isinstance(cleaned, CleanReport):
        raise _wrong(path, line, f"cannot be used: {cleaned.problem}")
    return without_names(cleaned.failure_text, (record.get("model"), record.get("environment")))


def _wrong(path: Path, line: int, problem: str) -> TrainingError:
    return TrainingError(
        f"Reading {path}", f"line {line} {problem}", "Mend the line, or take it out."
    )
