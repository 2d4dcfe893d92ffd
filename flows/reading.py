"""What deciding and routing share: every report read, by the reader, an LLM and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flows.corpus import Corpus
from flows.distilling import load_phrases
from flows.embed_reports import embed_phrases, embedding_name, open_embedder
from flows.readers import (
    compare_with_prototypes,
    open_reader,
    prepared_text,
    read_phrases,
    read_texts,
)
from flows.showing import ShowProgress, silent
from triage.clustering import nearest_neighbours
from triage.config.model import TriageConfig
from triage.corrections import Learnt
from triage.database import Session
from triage.decision import TextSignals
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
from triage.store.learnt import load_learnt
from triage.types import Report
from triage.workspace import Workspace

Doubles = NDArray[np.float64]


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
        usual = float(self.words.usual[rows].mean()) if len(self.words.usual) else None
        return TextSignals(words, answers, layers, counted, self.read_by, usual)


def read_corpus(
    workspace: Workspace, session: Session, corpus: Corpus, *, progress: ShowProgress = silent
) -> Reading:
    """Read every text of the corpus; what was read before is not read again.

    A reader that is broken or was made for another embedding is not used: the shipped one is
    tried, then the words are only compared with described failures, and ``notes`` say so.
    """
    reader, notes = open_reader(workspace)
    found = _gather(workspace, session, corpus)
    read = _read(workspace, session, reader, found, progress)
    read_by = "likeness to described failures" if reader is None else reader.name
    based_on = f"{read_by} on {embedding_name(open_embedder(workspace))}"
    taught, note = load_taught(session, based_on)
    shift, capability_shift = _shifts(taught, corpus, found.unit, found.capabilities)
    alone = np.zeros((len(found.keys), 0), dtype=np.int64)
    nothing, nobody = np.zeros(len(found.keys)), [None] * len(found.keys)
    parts, near = (read.text, read.phrase, read.has_phrase), found.neighbours
    shares = np.zeros(0, dtype=np.float32) if reader is None else reader.model_shares
    bare = weigh(
        *parts, nobody, model_shares=shares, shift=nothing, unit=found.unit, neighbours=alone
    )
    return Reading(
        rows={key: row for row, key in enumerate(found.keys)},
        words=weigh(
            *parts,
            found.answered,
            model_shares=shares,
            shift=shift,
            unit=found.unit,
            neighbours=near,
        ),
        scores=pulled(read.scores + capability_shift, found.unit, near),
        answered=found.answered,
        capabilities=found.capabilities,
        calibration=Calibration() if reader is None else reader.calibration,
        learnt_ids=() if reader is None else reader.capability_ids,
        read_by=read_by,
        bare_log_odds=bare.log_odds,
        bare_scores=read.scores,
        unit=found.unit,
        neighbours=near,
        based_on=based_on,
        notes=(*notes, note) if note else notes,
    )


@dataclass(frozen=True, slots=True)
class _Material:
    """What there is to read: texts by row, who is near whom, an LLM's answers, the map."""

    keys: tuple[str, ...]
    texts: dict[str, str]
    phrases: dict[str, StoredDistillation]
    answered: tuple[str | None, ...]
    unit: NDArray[np.float32]
    neighbours: NDArray[np.int64]
    capabilities: tuple[Capability, ...]
    like: Doubles


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read in texts and phrases, and the capabilities' scores (n, k) from both."""

    text: RawReadings
    phrase: RawReadings
    has_phrase: NDArray[np.bool_]
    scores: Doubles


def _gather(workspace: Workspace, session: Session, corpus: Corpus) -> _Material:
    keys = tuple(corpus.vectors)
    first = {report.fingerprint: report for report in reversed(corpus.reports)}
    answers = load_phrases(session, workspace.settings)
    phrases = {key: found for key, found in answers.items() if key in first}
    unit = np.stack([corpus.vectors[key] for key in keys]) if keys else np.zeros((0, 1), np.float32)
    capabilities = capabilities_of(workspace.config)
    vectors = embed_map(workspace, capabilities)
    return _Material(
        keys=keys,
        texts={key: prepared_text(first[key]) for key in keys},
        phrases=phrases,
        answered=tuple(phrases[key].layer if key in phrases else None for key in keys),
        unit=unit,
        neighbours=nearest_neighbours(unit, NEIGHBOURS),
        capabilities=capabilities,
        like=likeness(unit, vectors) if keys else np.zeros((0, len(vectors))),
    )


def _read(
    workspace: Workspace,
    session: Session,
    reader: Reader | None,
    found: _Material,
    progress: ShowProgress,
) -> _Read:
    if reader is None:
        text = compare_with_prototypes(workspace, found.unit)
        scores = capability_scores(found.like, None, (), found.capabilities)
        return _Read(text, text, np.zeros(len(found.keys), dtype=bool), scores)
    text = read_texts(workspace, session, reader, found.texts, progress)
    phrase, has_phrase = read_phrases(
        workspace, session, reader, found.keys, found.phrases, progress
    )
    learnt = text.capabilities.copy()
    learnt[has_phrase] += phrase.capabilities[has_phrase]
    scores = capability_scores(found.like, learnt, reader.capability_ids, found.capabilities)
    return _Read(
        text, phrase, has_phrase, scores + _by_layer(reader, found.answered, found.capabilities)
    )


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
