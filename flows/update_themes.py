"""Theme: let new reports join durable themes, cluster the rest, keep counts and texts true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from prefect import flow
from triage.database import Session

from flows.showing import ShowProgress, logged, show_counts, show_table, silent
from triage.clustering import cluster
from triage.embedding import Embedder
from triage.errors import EmbeddingError
from triage.store.embeddings import latest_space, load_vectors
from triage.store.overview import theme_rows
from triage.store.reports import load_reports, load_theme_reports
from triage.store.themes import (
    add_members,
    create_theme,
    described_members,
    follow_duplicates,
    load_anchors,
    load_themes,
    move_members,
    remove_anchors,
    save_description,
    save_profile,
)
from triage.themes import describe, join_theme, profile
from triage.types import Report
from triage.workspace import Workspace, open_workspace

Vectors = Mapping[str, NDArray[np.float32]]
REDESCRIBE_GROWTH = 1.5  # a theme is described anew when it has this many times its old members
SEED = 0


def update(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Join, cluster, follow duplicates, then refresh every open theme's counts and text.

    One process at a time; all of it is one transaction, so a theme is never seen half made.
    """
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        vectors = _load_space(workspace, session)
        loose = [
            report
            for report in load_reports(session)
            if report.theme_id is None
            and report.duplicate_of is None
            and report.fingerprint in vectors
        ]
        progress("joining themes", 0, len(loose))
        joined = _join(workspace, session, loose, vectors)
        residue = [report for report in loose if report.report_id not in joined]
        progress("clustering", 0, len(residue))
        created = _create(workspace, session, residue, vectors)
        follow_duplicates(session)
        progress("describing themes", 0, created)
        themes = _refresh(session, vectors)
    return {"joined": len(joined), "new themes": created, "open themes": themes}


def _load_space(workspace: Workspace, session: Session) -> Vectors:
    embedder = Embedder(workspace.settings.embedding_model)
    space_id = latest_space(session, embedder.model)
    if space_id is None:
        raise EmbeddingError(
            "Updating the themes",
            f"nothing was embedded with {embedder.model} yet",
            "Run `triage run`, or the flow embed_reports, first.",
        )
    return load_vectors(session, space_id)


def _join(
    workspace: Workspace, session: Session, loose: Sequence[Report], vectors: Vectors
) -> set[int]:
    anchors = {
        theme_id: np.stack([vectors[key] for key in keys if key in vectors])
        for theme_id, keys in load_anchors(session).items()
        if any(key in vectors for key in keys)
    }
    joined: dict[int, dict[int, float | None]] = {}
    for report in loose:
        found = join_theme(
            vectors[report.fingerprint],
            anchors,
            min_similarity=workspace.config.policy.join_similarity,
        )
        if found is not None:
            theme_id, similarity = found
            joined.setdefault(theme_id, {})[report.report_id] = similarity
    for theme_id, similarities in joined.items():
        add_members(session, theme_id, similarities, joined_by="similarity")
    return {report_id for similarities in joined.values() for report_id in similarities}


def _create(
    workspace: Workspace, session: Session, residue: Sequence[Report], vectors: Vectors
) -> int:
    if not residue:
        return 0
    matrix = np.stack([vectors[report.fingerprint] for report in residue])
    result = cluster(
        matrix, min_cluster_size=workspace.config.policy.min_cluster_size, seed=SEED
    )
    background = load_reports(session)
    # Largest first, ties by the oldest report: theme numbers do not depend on the run.
    groups = [
        [residue[i] for i in np.flatnonzero(result.labels == label)]
        for label in range(int(result.labels.max(initial=-1)) + 1)
    ]
    groups.sort(key=lambda members: (-len(members), members[0].report_id))
    by_id = {report.report_id: report for report in residue}
    for members in groups:
        text = describe(members, vectors, background)
        theme_id = create_theme(
            session,
            text,
            profile(members, vectors),
            [by_id[report_id].fingerprint for report_id in (text.medoid_id, *text.exemplar_ids)],
        )
        add_members(
            session,
            theme_id,
            {report.report_id: None for report in members},
            joined_by="cluster",
        )
    return len(groups)


def _refresh(session: Session, vectors: Vectors) -> int:
    by_theme = load_theme_reports(session)
    described = described_members(session)
    background: list[Report] = [report for reports in by_theme.values() for report in reports]
    themes = load_themes(session)
    for theme in themes:
        members = by_theme.get(theme.theme_id, [])
        if not members:
            continue
        counted = profile(members, vectors)
        save_profile(session, theme.theme_id, counted)
        if counted.reports >= REDESCRIBE_GROWTH * described[theme.theme_id]:
            text = describe(members, vectors, background)
            save_description(session, theme.theme_id, text, members=counted.reports)
    return len(themes)


def refresh(workspace: Workspace) -> int:
    """Recount and, where they grew, describe anew all open themes; returns how many there are."""
    with workspace.database.session() as session:
        return _refresh(session, _load_space(workspace, session))


def split_theme(workspace: Workspace, session: Session, reports: Sequence[Report]) -> int:
    """Make a theme of its own from reports that a person took out of theirs; returns its id."""
    vectors = _load_space(workspace, session)
    text = describe(reports, vectors, load_reports(session))
    anchors = {report.fingerprint for report in reports}
    theme_id = create_theme(session, text, profile(reports, vectors), sorted(anchors))
    move_members(session, [report.report_id for report in reports], theme_id)
    remove_anchors(session, anchors, keep_theme=theme_id)
    return theme_id


@flow(name="update_themes", retries=2, retry_delay_seconds=30)
def update_themes() -> None:
    """Let new reports join themes, cluster the rest, refresh what is counted and said of them."""
    with open_workspace() as workspace:
        counts = update(workspace, progress=logged)
        with workspace.database.session() as session:
            rows = theme_rows(session)
    show_counts("theme", counts)
    show_table("themes", rows, "Open failure themes, most reporters first")
