"""What the flows that change themes share: found them, keep counts, texts and anchors true."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flows.corpus import Corpus, load_part, require_space
from triage.database import Session
from triage.store.anchors import load_anchors, save_anchors
from triage.store.clusterings import load_latest_run
from triage.store.landmarks import add_landmarks, remove_landmarks
from triage.store.reports import load_texts, load_theme_reports
from triage.store.themes import (
    add_members,
    create_theme,
    described_members,
    load_themes,
    load_uncounted,
    save_description,
    save_profile,
)
from triage.themes import (
    Background,
    choose_anchors,
    core_of,
    count_background,
    describe,
    founding_blocker,
    profile,
)
from triage.types import Report
from triage.workspace import Workspace

REDESCRIBE_GROWTH = 1.5  # a theme is described anew when it has this many times its old members
# Words stand out against those of so many texts; more change no keyword and take time.
BACKGROUND_TEXTS = 5000


def load_background(session: Session) -> Background:
    """Word use over all texts, each counted once."""
    return count_background(load_texts(session, BACKGROUND_TEXTS))


def found_themes(
    workspace: Workspace,
    session: Session,
    groups: Sequence[Sequence[Report]],
    corpus: Corpus,
    *,
    corpus_size: int,
) -> list[int]:
    """Make themes of groups that may found one, in their order; returns the new themes' ids."""
    founded = []
    background = load_background(session) if groups else None
    for reports in groups:
        blocker = founding_blocker(
            reports,
            profile(reports),
            corpus_size=corpus_size,
            min_coherence=workspace.config.policy.min_coherence,
        )
        if blocker is None and background is not None:
            theme_id = make_theme(session, reports, corpus, background)
            alike = dict.fromkeys(report.report_id for report in reports)
            loose = [report.report_id for report in reports if not report.is_core]
            add_members(session, theme_id, alike, joined_by="cluster", loose=loose)
            founded.append(theme_id)
    return founded


def make_theme(
    session: Session, reports: Sequence[Report], corpus: Corpus, background: Background
) -> int:
    """A theme that these reports describe and stand for; they are not moved into it yet."""
    core = core_of(reports)
    return create_theme(
        session,
        describe(core, corpus.rows(core), background),
        profile(reports),
        anchors_of(reports, corpus),
    )


def anchors_of(reports: Sequence[Report], corpus: Corpus) -> list[str]:
    """Fingerprints of those reports that are to stand for the theme that they make."""
    people = [report.reporter for report in reports]
    rows = choose_anchors(corpus.rows(reports), people)
    return sorted({reports[row].fingerprint for row in rows})


def anchors_of_rest(
    workspace: Workspace, session: Session, theme_id: int, reports: Sequence[Report]
) -> None:
    """Let those of some reports stand for their theme that have a vector, beside its anchors."""
    space_id = require_space(workspace, session)
    corpus = load_part(workspace, session, reports)
    known = [report for report in reports if report.fingerprint in corpus.vectors]
    if space_id is None or not known:
        return
    keys = {*load_anchors(session, [theme_id]).get(theme_id, []), *anchors_of(known, corpus)}
    save_anchors(session, theme_id, keys)
    here = {key: corpus.vectors[key] for key in keys & corpus.vectors.keys()}
    add_landmarks(session, space_id, here)


def settle_landmarks(
    session: Session,
    space_id: int,
    corpus: Corpus,
    loose: Collection[str],
    founded: Collection[int],
) -> None:
    """Let new reports meet what changed: the anchors of new themes, and who is still in none.

    ``loose`` are the texts of all reports that were looked at.
    """
    anchors = {key for keys in load_anchors(session, founded).values() for key in keys}
    members = load_theme_reports(session, founded, with_loose=True) if founded else {}
    theirs = {report.fingerprint for reports in members.values() for report in reports}
    remove_landmarks(session, space_id, theirs - anchors)
    here = sorted((set(loose) - theirs) | anchors)
    add_landmarks(session, space_id, {key: corpus.vectors[key] for key in here})


def refresh_themes(workspace: Workspace, session: Session) -> int:
    """Count every open theme whose reports changed, and describe it anew where it grew.

    Returns how many themes are open.
    """
    themes = load_themes(session)
    space_id = require_space(workspace, session)
    run = None if space_id is None else load_latest_run(session, space_id)
    states = load_uncounted(session, f"{run.run_id if run else 0}:")
    by_theme = load_theme_reports(session, list(states), with_loose=True)
    corpus = load_part(workspace, session, [r for reports in by_theme.values() for r in reports])
    described = described_members(session)
    background: Background | None = None
    for theme in themes:
        # one without a text expired: it counts for ever, and says nothing any more
        own = by_theme.get(theme.theme_id, [])
        reports = [r for r in own if r.fingerprint in corpus.vectors or not r.failure_text]
        if not reports:
            continue
        counted = profile(reports)
        core = [r for r in core_of(reports) if r.failure_text]
        vectors = corpus.rows(core)
        centre = vectors.mean(axis=0) if core else None
        state = states[theme.theme_id]
        save_profile(session, theme.theme_id, counted, centre=centre, state=state)
        if not core:
            continue
        grown = counted.reports >= REDESCRIBE_GROWTH * described[theme.theme_id]
        named = {theme.text.medoid_id, *theme.text.exemplar_ids}
        if grown or not named <= {report.report_id for report in core}:
            background = background or load_background(session)
            text = describe(core, vectors, background)
            save_description(session, theme.theme_id, text, members=counted.reports)
    return len(themes)
