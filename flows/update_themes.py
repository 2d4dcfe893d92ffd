"""Theme: let new reports join durable themes, cluster the rest, keep counts and texts true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from prefect import flow

from flows.distilling import load_phrases
from flows.embed_reports import find_report_space, open_embedder
from flows.showing import Logged, ShowProgress, show_counts, show_table, silent
from triage.cleaning import fingerprint
from triage.clustering import cluster, fit_centres, unit_length
from triage.database import Session
from triage.errors import EmbeddingError
from triage.store.embeddings import load_vectors
from triage.store.overview import theme_rows
from triage.store.reports import hold_reports, load_reports, load_unclustered, mark_clustered
from triage.store.themes import (
    add_members,
    create_theme,
    described_members,
    follow_duplicates,
    load_anchors,
    load_members,
    load_themes,
    move_members,
    remove_anchors,
    save_description,
    save_profile,
)
from triage.themes import Background, count_background, describe, is_backed, join_themes, profile
from triage.types import Report
from triage.workspace import Workspace, open_workspace

# Average precision of pairs, labelled reports with an LLM's phrases: 0 0.28, 1 0.53, 1.5 0.55, 2.5
# 0.56, the phrase alone 0.52.
PHRASE_WEIGHT = 2.0
NEIGHBOURHOOD = 8
JOIN_BATCH = 1000  # reports compared with all others at a time: 100,000 others are 400 MB
Vector = NDArray[np.float32]
REDESCRIBE_GROWTH = 1.5  # a theme is described anew when it has this many times its old members


@dataclass(frozen=True)
class Corpus:
    """All embedded reports and their centred unit vectors by fingerprint."""

    reports: tuple[Report, ...]
    vectors: dict[str, Vector]

    @cached_property
    def background(self) -> Background:
        """Word use over all texts, each counted once; only describing needs it."""
        texts = {report.fingerprint: report.failure_text for report in self.reports}
        return count_background(texts.values())

    def rows(self, reports: Sequence[Report]) -> NDArray[np.float32]:
        """Vectors of some reports, in their order: (n, d)."""
        return np.stack([self.vectors[report.fingerprint] for report in reports])

    def by_theme(self) -> dict[int, list[Report]]:
        """The reports that were in a theme when the corpus was loaded, oldest first."""
        members: dict[int, list[Report]] = {}
        for report in self.reports:
            if report.theme_id is not None:
                members.setdefault(report.theme_id, []).append(report)
        return members


def update(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Join, cluster, follow duplicates, then refresh every open theme's counts and text.

    One process at a time; all of it is one transaction, so a theme is never seen half made, and
    intake waits, so that no report is reworded while it is being clustered by its old text.
    """
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        hold_reports(session)
        corpus = load_corpus(workspace, session)
        loose = _loose(session, corpus)
        progress("joining themes", 0, len(loose))
        joined = _join(workspace, session, loose, corpus)
        residue = [report for report in loose if report.report_id not in joined]
        progress("clustering", 0, len(residue))
        created = _create(workspace, session, residue, corpus)
        # Whoever is left meets the new themes now, so that running this twice changes nothing.
        joined |= _join(workspace, session, _loose(session, corpus), corpus)
        follow_duplicates(session)
        themes = _refresh(session, corpus)
    return {"joined": len(joined), "new themes": created, "open themes": themes}


def load_corpus(workspace: Workspace, session: Session) -> Corpus:
    """Everything that was embedded with the present model.

    Raises ``EmbeddingError`` when reports exist and none was embedded with it.
    """
    embedder = open_embedder(workspace)
    space_id = find_report_space(session, embedder)
    raw = load_vectors(session, space_id) if space_id is not None else {}
    stored = load_reports(session)
    reports = tuple(report for report in stored if report.fingerprint in raw)
    if stored and not reports:
        raise EmbeddingError(
            "Updating the themes",
            f"no report was embedded with {embedder.model} yet",
            "Run `triage run`, or the flow embed_reports, first.",
        )
    if not reports:
        return Corpus((), {})
    # Each text counts once: a flood of copies must not pull the centre towards itself.
    languages = {report.fingerprint: report.language for report in reversed(reports)}
    matrix = np.stack([raw[fingerprint] for fingerprint in languages])
    spoken = list(languages.values())
    centred = fit_centres(matrix, spoken).centred(matrix, spoken)
    vectors = dict(zip(languages, centred, strict=True))
    return Corpus(reports, vectors | _with_phrases(workspace, session, vectors, raw))


def _with_phrases(
    workspace: Workspace, session: Session, vectors: dict[str, Vector], raw: dict[str, Vector]
) -> dict[str, Vector]:
    """Vectors of the texts that an LLM put into a phrase: the text's and, twice, the phrase's."""
    phrases = {
        key: raw[fingerprint(found.failure)]
        for key, found in load_phrases(session, workspace.settings).items()
        if key in vectors and fingerprint(found.failure) in raw
    }
    if not phrases:
        return {}
    matrix = np.stack(list(phrases.values()))
    spoken = ["en"] * len(phrases)
    centred = fit_centres(matrix, spoken).centred(matrix, spoken)
    texts = np.stack([vectors[key] for key in phrases])
    return dict(zip(phrases, unit_length(texts + PHRASE_WEIGHT * centred), strict=True))


def _loose(session: Session, corpus: Corpus) -> list[Report]:
    """Reports in no theme that repeat no other, oldest first."""
    taken = load_members(session)
    return [
        report
        for report in corpus.reports
        if report.report_id not in taken and report.duplicate_of is None
    ]


def _join(
    workspace: Workspace, session: Session, loose: Sequence[Report], corpus: Corpus
) -> set[int]:
    anchors = {
        theme_id: np.stack([corpus.vectors[key] for key in keys if key in corpus.vectors])
        for theme_id, keys in load_anchors(session).items()
        if any(key in corpus.vectors for key in keys)
    }
    joined: dict[int, dict[int, float | None]] = {}
    least = workspace.config.policy.join_similarity
    places = join_themes(corpus.rows(loose), anchors, min_similarity=least) if loose else []
    if not any(places):
        return set()
    backed = is_backed(places, _themes_around(session, loose, corpus))
    for report, found, has_backing in zip(loose, places, backed, strict=True):
        if found is not None and has_backing:
            theme_id, similarity = found
            joined.setdefault(theme_id, {})[report.report_id] = similarity
    for theme_id, similarities in joined.items():
        add_members(session, theme_id, similarities, joined_by="similarity")
    return {report_id for similarities in joined.values() for report_id in similarities}


def _themes_around(session: Session, loose: Sequence[Report], corpus: Corpus) -> NDArray[np.int64]:
    """The themes of each report's eight nearest settled ones, 0 where one is in none: (n, 8).

    Settled are those that were clustered before: a hundred new reports of a theme that arrive at
    once would else hide it from each other.
    """
    members, new = load_members(session), load_unclustered(session)
    settled = {
        report.fingerprint: members.get(report.report_id, 0)
        for report in corpus.reports
        if report.duplicate_of is None and report.report_id not in new
    }
    row_of = {key: row for row, key in enumerate(settled)}
    themes = np.array(list(settled.values()), dtype=np.int64)
    matrix = np.stack([corpus.vectors[key] for key in settled])
    around = []
    for start in range(0, len(loose), JOIN_BATCH):
        batch = loose[start : start + JOIN_BATCH]
        similarity = corpus.rows(batch) @ matrix.T
        for row, report in enumerate(batch):
            if report.fingerprint in row_of:
                similarity[row, row_of[report.fingerprint]] = -np.inf
        count = min(NEIGHBOURHOOD, len(themes))
        around.append(themes[np.argpartition(-similarity, count - 1, axis=1)[:, :count]])
    return np.concatenate(around)


def _create(
    workspace: Workspace, session: Session, residue: Sequence[Report], corpus: Corpus
) -> int:
    """Make themes of the residue's clusters.

    A cluster that holds no new report is left alone: its reports were noise among more of their
    kind, and without this rule the same reports, clustered again, would found themes out of noise.
    """
    new = load_unclustered(session)
    if new.isdisjoint(report.report_id for report in residue):
        return 0
    size = workspace.config.policy.min_cluster_size
    labels = cluster(corpus.rows(residue), min_cluster_size=size).labels
    groups = [
        [residue[int(row)] for row in np.flatnonzero(labels == label)]
        for label in range(int(labels.max(initial=-1)) + 1)
    ]
    groups = [members for members in groups if any(r.report_id in new for r in members)]
    # Largest first, ties by the oldest report: numbers do not depend on the order of arrival.
    groups.sort(key=lambda members: (-len(members), members[0].report_id))
    for members in groups:
        theme_id = _new_theme(session, members, corpus)
        alike = dict.fromkeys(report.report_id for report in members)
        add_members(session, theme_id, alike, joined_by="cluster")
    mark_clustered(session, [report.report_id for report in residue])
    return len(groups)


def _new_theme(session: Session, members: Sequence[Report], corpus: Corpus) -> int:
    vectors = corpus.rows(members)
    return create_theme(
        session,
        describe(members, vectors, corpus.background),
        profile(members, vectors),
        # All founders stand for the theme, for ever: it cannot drift with what joins later.
        sorted({report.fingerprint for report in members}),
    )


def _refresh(session: Session, corpus: Corpus) -> int:
    by_theme: dict[int, list[Report]] = {}
    for report in load_reports(session):
        if report.theme_id is not None and report.fingerprint in corpus.vectors:
            by_theme.setdefault(report.theme_id, []).append(report)
    described = described_members(session)
    themes = load_themes(session)
    for theme in themes:
        if members := by_theme.get(theme.theme_id):
            vectors = corpus.rows(members)
            counted = profile(members, vectors)
            save_profile(session, theme.theme_id, counted)
            grown = counted.reports >= REDESCRIBE_GROWTH * described[theme.theme_id]
            named = {theme.text.medoid_id, *theme.text.exemplar_ids}
            if grown or not named <= {report.report_id for report in members}:
                text = describe(members, vectors, corpus.background)
                save_description(session, theme.theme_id, text, members=counted.reports)
    return len(themes)


def refresh(workspace: Workspace) -> int:
    """Recount and, where they grew, describe anew all open themes; returns how many there are."""
    with workspace.database.session() as session:
        return _refresh(session, load_corpus(workspace, session))


def split_theme(workspace: Workspace, session: Session, reports: Sequence[Report]) -> int:
    """Make a theme of its own from reports that a person took out of theirs; returns its id."""
    theme_id = _new_theme(session, reports, load_corpus(workspace, session))
    move_members(session, [report.report_id for report in reports], theme_id)
    remove_anchors(session, {report.fingerprint for report in reports}, keep_theme=theme_id)
    return theme_id


@flow(
    name="update_themes",
    flow_run_name="update_themes",
    retries=2,
    retry_delay_seconds=30,
)
def update_themes() -> dict[str, int]:
    """Let new reports join themes, cluster the rest, refresh what is counted and said of them."""
    with open_workspace() as workspace:
        counts = update(workspace, progress=Logged())
        with workspace.database.session() as session:
            rows = theme_rows(session)
    show_counts("theme", counts)
    show_table("themes", rows, "Open failure themes, most reporters first")
    return counts
