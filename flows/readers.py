"""Which reader is used, and what it reads: in texts, in an LLM's phrases, or without any reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from flows.embed_reports import embed_phrases, embedding_name, find_report_space, open_embedder
from flows.showing import ShowProgress
from triage.cleaning import fingerprint, without_names
from triage.database import Session
from triage.decision import LAYER_PROTOTYPES, compare_with_layers
from triage.errors import ReaderError
from triage.readerfile import load_reader, load_shipped_reader
from triage.reading import LAYERS, RawReadings, Reader
from triage.store.distillations import StoredDistillation
from triage.store.embeddings import load_vectors
from triage.store.readings import load_readings, save_readings
from triage.types import Report
from triage.workspace import Workspace

Vector = NDArray[np.float32]
NONE_KNOWN: Mapping[str, Vector] = MappingProxyType({})
BATCH = 8000  # texts whose letters are counted at once: few words of each are new


def open_reader(workspace: Workspace) -> tuple[Reader | None, tuple[str, ...]]:
    """The reader that fits the present embedding: the team's, else the shipped one, else none."""
    embedding = embedding_name(open_embedder(workspace))
    notes: list[str] = []
    path = workspace.settings.reader
    for place in (None,) if path is None else (path, None):
        name = "the shipped reader" if place is None else str(place)
        try:
            found = load_shipped_reader() if place is None else load_reader(place)
        except ReaderError as error:
            notes.append(f"{name} is not used: {error.problem}. {error.remedy}")
            continue
        if found.embedding == embedding:
            return found, tuple(notes)
        notes.append(
            f"{name} is not used: it was trained on vectors of {found.embedding}, and this is "
            f"{embedding}. Train one with `triage train-reader`; until then the words are only "
            "compared with described failures."
        )
    return None, tuple(notes)


def prepared_text(report: Report) -> str:
    """The text of a report as it was embedded."""
    return without_names(report.failure_text, (report.model_written, report.environment))


def read_texts(
    workspace: Workspace,
    session: Session,
    reader: Reader,
    texts: dict[str, str],
    progress: ShowProgress,
    *,
    known: Mapping[str, Vector] = NONE_KNOWN,
) -> RawReadings:
    """Readings of texts by fingerprint, in their order; new ones are stored.

    ``known`` are vectors as embedded; those that are not among them are loaded where needed.
    """
    read = load_readings(session, reader.name, texts.keys())
    missing = [key for key in texts if key not in read]
    space = find_report_space(session, open_embedder(workspace))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        raw = {key: known[key] for key in batch if key in known}
        if space is not None and len(raw) < len(batch):
            raw |= load_vectors(session, space, [key for key in batch if key not in raw])
        batch = [key for key in batch if key in raw]
        found = reader.read(np.stack([raw[key] for key in batch]), [texts[key] for key in batch])
        # as exact as they are kept, so that the next run sees the same
        layers, parts = np.round(found.layers, 4), np.round(found.capabilities, 4)
        fresh = dict(zip(batch, zip(layers.tolist(), parts.tolist(), strict=True), strict=True))
        save_readings(session, reader.name, fresh)
        read |= fresh
        progress("reading", start + len(batch), len(missing))
    return RawReadings(
        np.array([read[key][0] for key in texts]).reshape(len(texts), len(LAYERS)),
        np.array([read[key][1] for key in texts]).reshape(len(texts), len(reader.capability_ids)),
    )


def read_phrases(
    workspace: Workspace,
    session: Session,
    reader: Reader,
    keys: Sequence[str],
    phrases: dict[str, StoredDistillation],
    progress: ShowProgress,
) -> tuple[RawReadings, NDArray[np.bool_]]:
    """Readings of the phrases, in rows of their texts, and which rows have one."""
    texts = {fingerprint(found.failure): found.failure for found in phrases.values()}
    read = read_texts(workspace, session, reader, texts, progress)
    place = {key: row for row, key in enumerate(texts)}
    layers = np.zeros((len(keys), len(LAYERS)))
    parts = np.zeros((len(keys), len(reader.capability_ids)))
    has_phrase = np.zeros(len(keys), dtype=bool)
    for row, key in enumerate(keys):
        if key in phrases:
            at = place[fingerprint(phrases[key].failure)]
            layers[row], parts[row], has_phrase[row] = read.layers[at], read.capabilities[at], True
    return RawReadings(layers, parts), has_phrase


def compare_with_prototypes(workspace: Workspace, unit: NDArray[np.float32]) -> RawReadings:
    """Likeness to described failures of each layer, in the form of a reading."""
    phrases = embed_phrases(workspace, [p for each in LAYER_PROTOTYPES.values() for p in each])
    prototypes = {
        layer: np.stack([phrases[sentence] for sentence in sentences])
        for layer, sentences in LAYER_PROTOTYPES.items()
    }
    if len(unit) == 0:
        return RawReadings(np.zeros((0, len(LAYERS))), np.zeros((0, 0)))
    log_odds, chances = compare_with_layers(unit, prototypes)
    chances = np.clip(chances[:, [list(prototypes).index(layer) for layer in LAYERS]], 1e-6, 1)
    # the chances of the software's layers among themselves, the model against all by its log-odds
    software = chances[:, 1:] / chances[:, 1:].sum(axis=1, keepdims=True)
    model = 1 / (1 + np.exp(-log_odds))
    layers = np.log(np.hstack([model[:, None], (1 - model)[:, None] * software]))
    return RawReadings(layers, np.zeros((len(unit), 0)))
