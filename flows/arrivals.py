"""New reports between two full clusterings: join a theme where clear, else cluster what is left.

The work grows with what arrived, not with what is stored: new reports meet the landmarks (anchors
of themes, and texts of reports in none), by an index where there are many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.corpus import Centring, Corpus, gather
from flows.evidence import THREADS, gather_evidence
from flows.showing import ShowProgress
from flows.theme_upkeep import found_themes, settle_landmarks
from triage.clustering import cluster_views, import_libraries
from triage.database import Session
from triage.store.anchors import find_anchor_themes, load_anchors
from triage.store.bonds import load_bonds
from triage.store.landmarks import (
    count_landmarks,
    index_landmarks,
    load_landmarks,
    nearest_landmarks,
    remove_landmarks,
)
from triage.store.members import add_members, load_members
from triage.store.reports import load_arrivals, load_loose
from triage.store.saving import mark_clustered
from triage.themes import (
    NO_THEME,
    barred,
    is_backed,
    join_themes,
    join_thresholds,
    standing,
    themes_around,
    unite_alike,
    without_floods,
    without_foes,
)
from triage.types import Bond, Report
from triage.workspace import Workspace

# Up to here new reports are compared with every landmark: 22,000 are loaded in 0.6 s. The index is
# built in 8 s, and then takes 2 ms to search for a report and 2 ms to keep one, whatever there is.
EXACT = 20_000
Vector = NDArray[np.float32]
CANDIDATES = 24  # nearest landmarks by the index: whose themes are looked at, and who backs a join
# Reports in no theme that are clustered once more with new ones: those nearest to them.
POOL = 2000


@dataclass(frozen=True)
class Surroundings:
    """What some new reports lie among: (k, d) anchors by theme, and the nearest landmarks.

    ``around`` tells of some of the reports, by their rows (m,), the themes of the nearest landmarks
    (m, 8), 0 for none; ``loose`` are the landmarks in no theme, those that matter most first.
    """

    anchors: Mapping[int, Vector]
    around: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    loose: Sequence[str]


def take_arrivals(
    workspace: Workspace,
    session: Session,
    space_id: int,
    centring: Centring,
    progress: ShowProgress,
    *,
    stored: int,
) -> dict[str, int]:
    """Let every new report join a theme or, with others of its kind, found one.

    ``stored`` is how many embedded reports there are that repeat no other.
    """
    arrivals = load_arrivals(session, space_id)
    if not arrivals:
        return {"joined": 0, "new themes": 0}
    with ThreadPoolExecutor(1) as beside:
        # only clustering needs them; what fails here fails again there, and is told
        beside.submit(import_libraries)
        corpus, _ = gather(workspace, session, arrivals, centring)
        bonds = standing(load_bonds(session))[0]
        progress("joining themes", 0, len(arrivals))
        place = surroundings(session, space_id, corpus.rows(arrivals), arrivals)
        joined = join(workspace, session, arrivals, corpus, place, bonds)
    residue = [report for report in arrivals if report.report_id not in joined]
    pool = load_loose(session, list(place.loose[:POOL])) if residue else []
    progress("clustering", 0, len(residue))
    corpus = Corpus(
        (*corpus.reports, *pool),
        {**load_landmarks(session, space_id, [r.fingerprint for r in pool]), **corpus.vectors},
        corpus.raw,
    )
    founded = _found(workspace, session, residue, pool, corpus, bonds, stored=stored)
    settle_landmarks(session, space_id, corpus, {r.fingerprint for r in residue}, founded)
    if founded:
        # Whoever is left meets the new themes now, so that running this twice changes nothing.
        # Most of those that join do so an old one, with which a full clustering compares nobody
        # whom it leaves out: of utterances 0.84 rightly.
        taken = load_members(session, [report.report_id for report in (*pool, *residue)])
        left = [report for report in (*pool, *residue) if report.report_id not in taken]
        place = surroundings(session, space_id, corpus.rows(left), left)
        late = join(workspace, session, left, corpus, place, bonds)
        theirs = {report.fingerprint for report in left if report.report_id in late}
        remove_landmarks(session, space_id, theirs)
        joined |= late
    mark_clustered(session, [report.report_id for report in residue])
    return {"joined": len(joined), "new themes": len(founded)}


def surroundings(
    session: Session, space_id: int, vectors: Vector, reports: Sequence[Report]
) -> Surroundings:
    """What each of some reports lies among; itself does not count."""
    many = count_landmarks(session, space_id) > EXACT
    if many and index_landmarks(session, space_id, vectors.shape[1]):
        return _by_index(session, space_id, vectors, reports)
    return _by_comparing(load_landmarks(session, space_id), load_anchors(session), vectors, reports)


def _by_comparing(
    landmarks: Mapping[str, Vector],
    anchors: Mapping[int, Sequence[str]],
    vectors: Vector,
    reports: Sequence[Report],
) -> Surroundings:
    """What each of some reports (n, d) lies among, from the vectors of all landmarks."""
    if not landmarks or not reports:
        return Surroundings({}, lambda rows: np.zeros((len(rows), 0), dtype=np.int64), ())
    theme_of = {key: theme_id for theme_id in sorted(anchors) for key in anchors[theme_id]}

    def around(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        place = {key: row for row, key in enumerate(landmarks)}
        return themes_around(
            vectors[rows],
            np.stack(list(landmarks.values())),
            np.array([theme_of.get(key, NO_THEME) for key in landmarks], dtype=np.int64),
            np.array([place.get(reports[row].fingerprint, -1) for row in rows], dtype=np.int64),
        )

    loose = [key for key in landmarks if key not in theme_of]
    if len(loose) > POOL:
        likeness = (vectors @ np.stack([landmarks[key] for key in loose]).T).max(axis=0)
        loose = [loose[row] for row in np.argsort(-np.round(likeness, 5), kind="stable")]
    return Surroundings(_stacked(anchors, landmarks), around, loose)


def _by_index(
    session: Session, space_id: int, vectors: Vector, reports: Sequence[Report]
) -> Surroundings:
    found = nearest_landmarks(session, space_id, vectors, CANDIDATES + 1)
    others = [
        [key for key in keys if key != report.fingerprint][:CANDIDATES]
        for keys, report in zip(found, reports, strict=True)
    ]
    theme_of = find_anchor_themes(session, {key for keys in others for key in keys})
    around = np.array(
        [[theme_of.get(key, NO_THEME) for key in keys[:8]] for keys in others], dtype=np.int64
    )
    anchors = load_anchors(session, set(theme_of.values()))
    landmarks = load_landmarks(session, space_id, [k for keys in anchors.values() for k in keys])
    by_rank = [keys[rank] for rank in range(CANDIDATES) for keys in others if rank < len(keys)]
    loose = [key for key in dict.fromkeys(by_rank) if key not in theme_of]
    return Surroundings(_stacked(anchors, landmarks), around.__getitem__, loose)


def _stacked(
    anchors: Mapping[int, Sequence[str]], landmarks: Mapping[str, Vector]
) -> dict[int, Vector]:
    known = {t: [landmarks[key] for key in keys if key in landmarks] for t, keys in anchors.items()}
    return {theme_id: np.stack(rows) for theme_id, rows in known.items() if rows}


def join(
    workspace: Workspace,
    session: Session,
    reports: Sequence[Report],
    corpus: Corpus,
    place: Surroundings,
    bonds: Sequence[Bond],
) -> set[int]:
    """Put those of some reports into a theme that clearly belong there; returns their ids."""
    usual = workspace.config.policy.join_similarity
    places = join_themes(
        corpus.rows(reports), place.anchors, min_similarity=join_thresholds(place.anchors, usual)
    )
    # whom no theme would take need not be compared with all landmarks, which takes time
    near = [(row, found) for row, found in enumerate(places) if found]
    if not near:
        return set()
    closed = barred(bonds, load_members(session)) if bonds else {}
    joined: dict[int, dict[int, float | None]] = {}
    around = place.around(np.array([row for row, _ in near]))
    backed = is_backed([found for _, found in near], around)
    for (row, (theme_id, similarity)), has_backing in zip(near, backed, strict=True):
        report_id = reports[row].report_id
        if has_backing and theme_id not in closed.get(report_id, ()):
            joined.setdefault(theme_id, {})[report_id] = similarity
    add_members(session, joined, joined_by="similarity")
    return {report_id for similarities in joined.values() for report_id in similarities}


def _found(
    workspace: Workspace,
    session: Session,
    residue: Sequence[Report],
    pool: Sequence[Report],
    corpus: Corpus,
    bonds: Sequence[Bond],
    *,
    stored: int,
) -> list[int]:
    """Make themes of the clusters of what is left.

    A cluster that holds no new report is left alone: its reports were noise among more of their
    kind, and without this rule the same reports, clustered again, would found themes out of noise.
    """
    together = without_floods(sorted((*pool, *residue), key=lambda r: (r.created_at, r.report_id)))
    if not residue or not together:
        return []
    policy = workspace.config.policy
    least = policy.min_cluster_size
    evidence = gather_evidence(workspace, session, corpus, together)
    labels = unite_alike(
        cluster_views(
            evidence.views,
            min_cluster_size=least,
            seed=policy.seed,
            threads=THREADS,
        ).labels,
        corpus.rows(together),
    )
    new = {report.report_id for report in residue}
    groups = groups_of(evidence.with_core(labels), labels, bonds)
    return found_themes(
        workspace,
        session,
        [g for g in groups if len(g) >= least and any(r.report_id in new for r in g)],
        corpus,
        corpus_size=stored,
    )


def groups_of(
    reports: Sequence[Report], labels: NDArray[np.int64], bonds: Sequence[Bond]
) -> list[list[Report]]:
    """The clusters, largest first, ties by the oldest report; who was set apart stays out."""
    groups = []
    for label in range(int(labels.max(initial=-1)) + 1):
        members = [reports[int(row)] for row in np.flatnonzero(labels == label)]
        inside = {report.report_id: report for report in members}
        groups.append([inside[report_id] for report_id in without_foes(list(inside), bonds)])
    groups.sort(key=lambda group: (-len(group), group[0].created_at, group[0].report_id))
    return groups
