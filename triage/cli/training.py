"""Commands that learn: train, train-reader, train-words, learn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cleaning import clean_report, without_names
from triage.cli.auditing import note
from triage.cli.terminal import AsJson, output, progress_bars, show_rows
from triage.config.loader import load_config
from triage.config.model import TriageConfig
from triage.embedding import Embedder
from triage.errors import TrainingError
from triage.settings import load_settings
from triage.store.audit import Action
from triage.types import CleanReport, RawReport
from triage.workspace import open_workspace

if TYPE_CHECKING:
    from triage.reading.training import Lesson

MANDATORY = ("body", "failure", "mode")
TO_READ = (*MANDATORY, "layer", "capability")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(train)
    app.command()(train_reader)
    app.command()(train_words)
    app.command()(learn)


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


def train_reader(
    path: Annotated[Path, typer.Argument(help="JSONL of labelled reports.")],
    file: Annotated[Path, typer.Option("--output", "-o", help="File of the new reader.")],
) -> None:
    """Train the reader: which layer is at fault and whose capability it is, by a report's words.

    A line is as for `train`, with `layer` (model, harness, serving, config, docs, other) and
    `capability` (an id of triage.yaml). Takes a minute or two. The figures are measured by
    cross-validation over modes. Use it with TRIAGE_READER=FILE; after a change of the embedding
    model or its adapter it must be trained anew.
    """
    from flows.embed_reports import embedding_name
    from triage.readerfile import save_reader
    from triage.reading.training import train_reader as train_it

    settings = load_settings()
    config = load_config(settings.config)
    embedder = Embedder(settings.embedding_model, settings.embedding_adapter)
    lesson = _lesson(path, config, embedder)
    digest = hashlib.sha256("\0".join([*lesson.texts, *lesson.map_texts]).encode()).hexdigest()
    reader = train_it(lesson, embedding=embedding_name(embedder), trained_on=digest[:12])
    save_reader(reader, file)
    for name, value in reader.figures.items():
        output.print(f"{value:6.3f} {name}", highlight=False)
    output.print(f"Wrote {file}. To use it: export TRIAGE_READER={file.resolve()}")


def train_words(
    teacher: Annotated[
        str, typer.Argument(help="Folder or name of a sentence-transformers model.")
    ],
    file: Annotated[Path, typer.Option("--output", "-o", help="File of the new word vectors.")],
) -> None:
    """Distil word vectors from a larger model: a second witness for an LLM's phrases.

    The shipped ones are of all-mpnet-base-v2; that takes some minutes. The teacher must have
    BERT's vocabulary without capitals. Use them with TRIAGE_WORD_VECTORS=FILE.
    """
    from triage.embedding.word_training import distil_words

    with progress_bars() as progress:
        distil_words(
            teacher, file, progress=lambda done, total: progress("distilling words", done, total)
        )
    output.print(f"Wrote {file}. To use it: export TRIAGE_WORD_VECTORS={file.resolve()}")


def learn(
    roll_back: Annotated[
        bool, typer.Option(help="Go back to what was in use before the last learning.")
    ] = False,
    as_json: bool = AsJson,
) -> None:
    """Learn from people's corrections now, as the nightly flow does; `triage run` then uses it."""
    from flows.learn_from_corrections import learn_all, take_back

    with open_workspace() as workspace:
        figures = take_back(workspace) if roll_back else learn_all(workspace)
        note(workspace, Action.LEARNT, what="rolled back" if roll_back else "learnt")
    rows = [{"what": name, "value": value} for name, value in figures.items()]
    show_rows(rows, as_json=as_json, empty="")


def _lesson(path: Path, config: TriageConfig, embedder: Embedder) -> Lesson:
    from triage.reading import LAYERS
    from triage.reading.training import Lesson
    from triage.routing import Capability, capability_texts

    known = [capability.id for capability in config.capabilities]
    records = list(_records(path, TO_READ))
    for line, record in records:
        for field, allowed in (("layer", LAYERS), ("capability", known)):
            if record[field] not in allowed:
                raise _wrong(path, line, f"has a {field} that is none of {', '.join(allowed)}")
    texts = [_embedded_text(path, line, record) for line, record in records]
    on_map = [
        (text, each.id)
        for each in config.capabilities
        for text in capability_texts(Capability(**each.model_dump()))
    ]

    def of(field: str) -> list[str]:
        return [record[field] for _, record in records]

    wanted = [*texts, *of("failure"), *(text for text, _ in on_map)]
    with progress_bars() as progress:
        done = 0

        def show(count: int) -> None:
            nonlocal done
            done += count
            progress("embedding", done, len(wanted))

        vectors = embedder.encode(wanted, progress=show)
    count = len(texts)
    return Lesson(
        texts=texts,
        vectors=vectors[:count],
        phrases=of("failure"),
        phrase_vectors=vectors[count : 2 * count],
        modes=of("mode"),
        layers=of("layer"),
        capabilities=of("capability"),
        map_texts=[text for text, _ in on_map],
        map_vectors=vectors[2 * count :],
        map_capabilities=[capability for _, capability in on_map],
    )


def _records(
    path: Path, mandatory: Sequence[str] = MANDATORY
) -> Iterator[tuple[int, dict[str, Any]]]:
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
        for field in mandatory:
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
