"""Which evidence clustering has: what reports mean, what they concern, how they are worded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flows.corpus import Corpus
from flows.distilling import load_phrases
from flows.readers import open_reader, prepared_text, read_texts
from flows.showing import ShowProgress, silent
from triage.clustering import (
    Readings,
    View,
    evidence_views,
    fit_centres,
    import_libraries,
    is_corroborated,
    nearest_neighbours,
    wording_vectors,
)
from triage.database import Session
from triage.embedding import load_words
from triage.reading import BELIEF, LAYERS
from triage.store.distillations import StoredDistillation
from triage.types import Report
from triage.workspace import Workspace

Doubles = NDArray[np.float64]
# An LLM's answer about the layer is believed, the others stay possible.
ANSWERED, NOT_ANSWERED = np.log(0.999), np.log(0.0002)
WITNESSING_NEIGHBOURS = 8
# Threads that cluster at the same time: each holds copies of all vectors, 14 MB of 3,000 reports.
THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The views of some reports, and by rows which eight are worded most like each: (n, 8)."""

    reports: Sequence[Report]
    views: list[View]
    wording_neighbours: NDArray[np.int64]

    def with_core(self, labels: NDArray[np.int64]) -> list[Report]:
        """The reports, each told whether wording too holds it in its group (n,)."""
        core = is_corroborated(labels, self.wording_neighbours).tolist()
        return [
            report if report.is_core is held else replace(report, is_core=held)
            for report, held in zip(self.reports, core, strict=True)
        ]


def gather_evidence(
    workspace: Workspace,
    session: Session,
    corpus: Corpus,
    reports: Sequence[Report],
    *,
    progress: ShowProgress = silent,
) -> Evidence:
    """Everything that speaks for some reports of the corpus being one failure or another."""
    phrases = load_phrases(session, workspace.settings)
    said = [phrases.get(report.fingerprint) for report in reports]
    texts = {report.fingerprint: prepared_text(report) for report in reports}
    import_libraries()
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(
            wording_vectors,
            [texts[report.fingerprint] for report in reports],
            [None if found is None else found.failure for found in said],
        )
        readings = _read(workspace, session, corpus, reports, texts, said, progress)
        wording = waiting.result()
    languages = [report.language for report in reports]
    # Who shares no letters with anybody is like nobody, and not like the others of that kind.
    is_strange = ~wording.any(axis=1)
    wording = fit_centres(wording, languages).centred(wording, languages)
    wording[is_strange] = 0
    neighbours = nearest_neighbours(wording, WITNESSING_NEIGHBOURS)
    neighbours[is_strange] = -1
    return Evidence(
        reports,
        evidence_views(
            corpus.rows(reports),
            wording,
            readings,
            is_distilled=np.array([found is not None for found in said], dtype=bool),
            phrase_words=_phrase_words(workspace, said),
        ),
        neighbours,
    )


def _phrase_words(
    workspace: Workspace, said: Sequence[StoredDistillation | None]
) -> NDArray[np.float32]:
    """The mean word vectors of the phrases there are: (m, d)."""
    phrases = [found.failure for found in said if found is not None]
    if not phrases:
        return np.zeros((0, 0), dtype=np.float32)
    return load_words(workspace.settings.word_vectors).mean(phrases)


def _read(
    workspace: Workspace,
    session: Session,
    corpus: Corpus,
    reports: Sequence[Report],
    texts: dict[str, str],
    said: Sequence[StoredDistillation | None],
    progress: ShowProgress,
) -> Readings | None:
    """What the reader makes of the reports; None where no reader fits the embedding."""
    reader, _ = open_reader(workspace)
    if reader is None or not reports:
        return None
    raw = read_texts(workspace, session, reader, texts, progress, known=corpus.raw)
    place = {key: row for row, key in enumerate(texts)}
    rows = [place[report.fingerprint] for report in reports]
    layers = BELIEF * raw.layers[rows]
    for row, found in enumerate(said):
        if found is not None:
            layers[row] = [ANSWERED if found.layer == name else NOT_ANSWERED for name in LAYERS]
    return Readings(
        layers=layers,
        capabilities=BELIEF * raw.capabilities[rows],
        failures=reader.resemblance(corpus.rows(reports)),
    )
