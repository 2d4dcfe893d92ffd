"""What deciding and routing share: every report read, by the reader, an LLM and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flows.corpus import Corpus
from flows.distilling import load_phrases
from flows.embed_reports import embed_phrases, embedding_name, find_report_space, open_embedder
from flows.showing import ShowProgress, silent
from triage.cleaning import fingerprint, without_names
from triage.clustering import nearest_neighbours
from triage.config.model import TriageConfig
from triage.corrections import Learnt
from triage.database import Session
from triage.decision import LAYER_PROTOTYPES, TextSignals, compare_with_layers
from triage.errors import ReaderError
from triage.readerfile import load_reader, load_shipped_reader
from triage.reading import (
    LAYERS,
    NEIGHBOURS,
    Calibration,
    RawReadings,
    Reader,
    Words,
    pulled,
    weigh,
)
from triage.routing import (
    LAYER_SHARE,
    Capability,
    capability_scores,
    capability_texts,
    follow,
    likeness,
)
from triage.store.distillations import StoredDistillation
from triage.store.embeddings import load_vectors
from triage.store.learnt import load_learnt
from triage.store.readings import load_readings, save_readings
from triage.types import Report
from triage.workspace import Workspace

Doubles = NDArray[np.float64]
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """Every text of the corpus as it was read; rows are texts, found by fingerprint.

    ``scores`` (n, k) are logarithms of the chance of each capability of the present map, in the
    order of ``capabilities``. ``notes`` say what could not be used, and what was done instead.
    """

    rows: dict[str, int]
    words: Words
    scores: Doubles
    answered: tuple[str | None, ...]
    capabilities: tuple[Capability, ...]
    calibration: Calibration
    learnt_ids: tuple[str, ...]
    read_by: str
    bare_log_odds: Doubles
    bare_scores: Doubles
    unit: NDArray[np.float32]
    neighbours: NDArray[np.int64]
    based_on: str
    notes: tuple[str, ...]

    def of(self, reports: Sequence[Report]) -> NDArray[np.int64]:
        """The rows of some reports, copies aside."""
        own = [report for report in reports if report.duplicate_of is None] or list(reports)
        return np.array([self.rows[report.fingerprint] for report in own], dtype=np.int64)

    def signals(self, reports: Sequence[Report]) -> TextSignals:
        """What the words of a theme's reports say of the layer at fault."""
        rows = self.of(reports)
        words, answers = self.words.of_theme(rows, self.calibration)
        mean = self.words.layers[rows].mean(axis=0)
        counted: dict[str, int] = {}
        for row in rows:
            if layer := self.answered[row]:
                counted[layer] = counted.get(layer, 0) + 1
        layers = dict(zip(LAYERS, (float(chance) for chance in mean), strict=True))
        return TextSignals(words, answers, layers, counted, self.read_by)


def read_corpus(
    workspace: Workspace, session: Session, corpus: Corpus, *, progress: ShowProgress = silent
) -> Reading:
    """Read every text of the corpus; what was read before is not read again.

    A reader that is broken or was made for another embedding is not used: the shipped one is
    tried, then the words are only compared with described failures, and ``notes`` say so.
    """
    reader, notes = open_reader(workspace)
    keys = tuple(corpus.vectors)
    first = {report.fingerprint: report for report in reversed(corpus.reports)}
    phrases = {
        key: found
        for key, found in load_phrases(session, workspace.settings).items()
        if key in first
    }
    unit = np.stack([corpus.vectors[key] for key in keys]) if keys else np.zeros((0, 1), np.float32)
    near = nearest_neighbours(unit, NEIGHBOURS) if len(keys) > 1 else np.zeros((len(keys), 0), int)
    answered = tuple(phrases[key].layer if key in phrases else None for key in keys)
    capabilities = capabilities_of(workspace.config)
    vectors = embed_map(workspace, capabilities)
    like = likeness(unit, vectors) if vectors and keys else np.zeros((len(keys), len(vectors)))
    if reader is None:
        text = _by_prototypes(workspace, unit)
        phrase, has_phrase = text, np.zeros(len(keys), dtype=bool)
        learnt_ids: tuple[str, ...] = ()
        scores, calibration = capability_scores(like, None, (), capabilities), Calibration()
    else:
        texts = {key: prepared_text(first[key]) for key in keys}
        text = read_texts(workspace, session, reader, texts, progress)
        phrase, has_phrase = _read_phrases(workspace, session, reader, keys, phrases, progress)
        learnt_ids, calibration = reader.capability_ids, reader.calibration
        learnt = text.capabilities.copy()
        learnt[has_phrase] += phrase.capabilities[has_phrase]
        scores = capability_scores(like, learnt, learnt_ids, capabilities)
        scores = scores + _by_layer(reader, answered, capabilities)
    read_by = "likeness to described failures" if reader is None else reader.name
    based_on = f"{read_by} on {embedding_name(open_embedder(workspace))}"
    taught, note = load_taught(session, based_on)
    notes += (note,) if note else ()
    shift, capability_shift = _shifts(taught, corpus, unit, capabilities)
    empty = np.zeros(len(keys))
    words = weigh(text, phrase, has_phrase, list(answered), shift=shift, unit=unit, neighbours=near)
    bare = weigh(text, phrase, has_phrase, [None] * len(keys), shift=empty, unit=unit,
                 neighbours=np.zeros((len(keys), 0), int))  # fmt: skip
    return Reading(
        rows={key: row for row, key in enumerate(keys)},
        words=words,
        scores=pulled(scores + capability_shift, unit, near),
        answered=answered,
        capabilities=capabilities,
        calibration=calibration,
        learnt_ids=learnt_ids,
        read_by=read_by,
        bare_log_odds=bare.log_odds,
        bare_scores=scores,
        unit=unit,
        neighbours=near,
        based_on=based_on,
        notes=notes,
    )


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


def load_taught(session: Session, based_on: str) -> tuple[Learnt | None, str | None]:
    """What corrections taught, if it belongs to the present reader and is whole; else why not."""
    taught, note = load_learnt(session)
    if taught is None or taught.based_on == based_on:
        return taught, note
    note = "what corrections taught belongs to another reader; the next nightly run learns anew"
    return None, note


def capabilities_of(config: TriageConfig) -> tuple[Capability, ...]:
    """The capability map of the configuration."""
    return tuple(Capability(**each.model_dump()) for each in config.capabilities)


def embed_map(
    workspace: Workspace, capabilities: Sequence[Capability]
) -> dict[str, NDArray[np.float32]]:
    """Vectors (k, d) of each capability's texts, by its id."""
    texts = {each.id: capability_texts(each) for each in capabilities}
    phrases = embed_phrases(workspace, [text for each in texts.values() for text in each])
    return {name: np.stack([phrases[text] for text in each]) for name, each in texts.items()}


def prepared_text(report: Report) -> str:
    """The text of a report as it is embedded and read."""
    return without_names(report.failure_text, (report.model_written, report.environment))


def read_texts(
    workspace: Workspace,
    session: Session,
    reader: Reader,
    texts: dict[str, str],
    progress: ShowProgress,
) -> RawReadings:
    """Readings of texts by fingerprint, in their order; new ones are stored."""
    known = load_readings(session, reader.name)
    missing = [key for key in texts if key not in known]
    space = find_report_space(session, open_embedder(workspace))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        raw = load_vectors(session, space, batch) if space is not None else {}
        batch = [key for key in batch if key in raw]
        found = reader.read(np.stack([raw[key] for key in batch]), [texts[key] for key in batch])
        fresh = {
            key: (found.layers[row].tolist(), found.capabilities[row].tolist())
            for row, key in enumerate(batch)
        }
        save_readings(session, reader.name, fresh)
        known |= fresh
        progress("reading", start + len(batch), len(missing))
    return RawReadings(
        np.array([known[key][0] for key in texts]).reshape(len(texts), len(LAYERS)),
        np.array([known[key][1] for key in texts]).reshape(len(texts), len(reader.capability_ids)),
    )


def _read_phrases(
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


def _by_layer(
    reader: Reader, answered: Sequence[str | None], capabilities: Sequence[Capability]
) -> Doubles:
    """What an LLM's answer about the layer adds to the capabilities (n, k) that were learnt."""
    given = np.zeros((len(LAYERS), len(capabilities)))
    for place, each in enumerate(capabilities):
        if each.id in reader.capability_ids:
            at = reader.capability_ids.index(each.id)
            given[:, place] = LAYER_SHARE * reader.map_given_layer[:, at]
    nothing = np.zeros(len(capabilities))
    rows = [given[LAYERS.index(layer)] if layer in LAYERS else nothing for layer in answered]
    return np.array(rows).reshape(len(answered), len(capabilities))


def _by_prototypes(workspace: Workspace, unit: NDArray[np.float32]) -> RawReadings:
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


def _shifts(
    taught: Learnt | None,
    corpus: Corpus,
    unit: NDArray[np.float32],
    capabilities: Sequence[Capability],
) -> tuple[Doubles, Doubles]:
    ids = [each.id for each in capabilities]
    if taught is None:
        return np.zeros(len(unit)), np.zeros((len(unit), len(ids)))
    kept = taught.without({key for key in taught.fingerprints if key not in corpus.vectors})
    if not kept.fingerprints:
        return np.zeros(len(unit)), np.zeros((len(unit), len(ids)))
    heirs = [follow(name, capabilities, {}) or name for name in kept.capability_ids]
    examples = np.stack([corpus.vectors[key] for key in kept.fingerprints])
    return replace(kept, capability_ids=tuple(heirs)).shifts(unit, examples, ids)
