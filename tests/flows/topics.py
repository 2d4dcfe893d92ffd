"""Invented reports about invented failures, with vectors at hand: no model is loaded.

A topic has a direction and words of its own; its reports scatter around the one and draw from the
other, so that whatever compares reports finds the same topics.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from flows.embed_reports import open_space
from flows.update_themes import update
from triage.cleaning import link_duplicates, shingle_bands
from triage.embedding import Embedder
from triage.store.duplicates import load_duplicate_candidates, save_duplicate_links
from triage.store.embeddings import save_vectors
from triage.store.reports import load_reports
from triage.store.saving import save_reports
from triage.types import CleanReport, Kind
from triage.workspace import Workspace

START = datetime(2026, 10, 1, tzinfo=UTC)
DIMENSIONS = 384
SYLLABLES = [consonant + vowel for consonant in "bdklmnr" for vowel in "aeio"]
SCATTER = 1.0  # of a report around its topic, which has length 1: cosines of some 0.5 within one
TWO_LANGUAGES = 1.0  # how far one language lies from another, whatever is said in it


def topic_reports(
    topic: str,
    count: int,
    *,
    first: int = 0,
    author: str | None = None,
    language: str = "en",
    kind: Kind = Kind.USER,
) -> list[CleanReport]:
    """Reports ``first`` to ``first + count`` of a topic, each by another person or all by one."""
    return [
        _report(topic, number, author=author, language=language, kind=kind)
        for number in range(first, first + count)
    ]


def _report(
    topic: str, number: int, *, author: str | None, language: str, kind: Kind
) -> CleanReport:
    name = f"{topic}-{language}-{number}"
    text = " ".join([*_words(topic, topic, 6), *_words(name, name, 3)])
    return CleanReport(
        origin="files",
        external_id=name,
        channel="user",
        kind=kind,
        created_at=START + timedelta(hours=zlib.crc32(name.encode()) % 2000),
        title="",
        body=text,
        failure_text=text,
        fingerprint=hashlib.sha256(name.encode()).hexdigest(),
        shingle_bands=shingle_bands(text),
        language=language,
        author_hash=author or f"person {name}",
    )


def _words(seed: str, topic: str, count: int) -> list[str]:
    draws = np.random.default_rng(zlib.crc32(f"{seed} {topic}".encode()))
    return ["".join(draws.choice(SYLLABLES, 3)) for _ in range(count)]


def vector_of(report: CleanReport, *, scatter: float = SCATTER) -> NDArray[np.float32]:
    """The report's vector, by its topic, its number and its language alone."""
    topic, language, _ = report.external_id.rsplit("-", 2)
    where = _direction(topic) + scatter * _direction(report.external_id)
    where = where + TWO_LANGUAGES * _direction(f"language {language}")
    return np.asarray(where / np.linalg.norm(where), dtype=np.float32)


def _direction(name: str) -> NDArray[np.float64]:
    draws = np.random.default_rng(zlib.crc32(name.encode())).normal(size=DIMENSIONS)
    return np.asarray(draws / np.linalg.norm(draws))


def arrive(
    workspace: Workspace,
    reports: Sequence[CleanReport],
    *,
    link: bool = False,
    scatter: float = SCATTER,
) -> None:
    """Store reports and their vectors; ``link`` those that repeat another one."""
    space_id = open_space(workspace, KnownSize(workspace))
    vectors = {report.fingerprint: vector_of(report, scatter=scatter) for report in reports}
    with workspace.database.session() as session:
        saved = save_reports(session, reports)
        if link:
            found = load_duplicate_candidates(session, saved.to_link)
            save_duplicate_links(session, link_duplicates(found, saved.to_link))
        save_vectors(session, space_id, vectors)


class KnownSize(Embedder):
    """The embedder of the workspace, which needs no model to say its dimensions."""

    def __init__(self, workspace: Workspace) -> None:
        settings = workspace.settings
        super().__init__(settings.embedding_model, settings.embedding_adapter)

    @property
    def dimensions(self) -> int:
        return DIMENSIONS


def take_in(workspace: Workspace, *groups: Sequence[CleanReport]) -> dict[str, int]:
    """Let groups of reports arrive at once, and update the themes."""
    arrive(workspace, [report for group in groups for report in group])
    return update(workspace)


def grouping(workspace: Workspace) -> set[frozenset[str]]:
    """The themes as groups of reports, without their numbers."""
    by_theme: dict[int, set[str]] = {}
    for name, theme_id in themes_of(workspace).items():
        by_theme.setdefault(theme_id, set()).add(name)
    return {frozenset(names) for names in by_theme.values()}


def themes_of(workspace: Workspace) -> Mapping[str, int]:
    """The theme of every report that is in one, by external id."""
    with workspace.database.session() as session:
        reports = load_reports(session)
    return {r.external_id: r.theme_id for r in reports if r.theme_id is not None}
