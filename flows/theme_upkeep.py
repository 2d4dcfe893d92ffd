"""What the flows that change themes share: found them, keep counts, texts and anchors true."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flows.corpus import Corpus, load_part, require_space
from triage.database import Session
from triage.store.anchors import load_anchors, save_anchors
from triage.store.clusterings import load_latest_run
from triage.store.landmarks import add_landmarks, remove_landmarks
from triage.store.members import add_members
from triage.store.reports import load_texts, load_theme_reports
from triage.store.themes import (
    Counted,
    create_themes,
    described_members,
    load_themes,
    load_uncounted,
    save_description,
    save_profiles,
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
from triage.types import Report, ThemeDraft
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
    found: list[tuple[Sequence[Report], ThemeDraft]] = []
    background = load_background(session) if groups else None
    for reports in groups:
        blocker = founding_blocker(
            reports,
            profile(reports),
            corpus_size=corpus_size,
            min_coherence=workspace.config.policy.min_coherence,
        )
        if blocker is None and background is not None:
            found.append((reports, draft_theme(reports, corpus, background)))
    founded = create_themes(session, [draft for _, draft in found])
    members: dict[int, dict[int, float | None]] = {
        theme_id: dict.fromkeys(report.report_id for report in reports)
        for theme_id, (reports, _) in zip(founded, found, strict=True)
    }
    loose = [r.report_id for reports, _ in found for r in reports if not r.is_core]
    add_members(session, members, joined_by="cluster", loose=loose)
    return founded


def draft_theme(reports: Sequence[Report], corpus: Corpus, background: Background) -> ThemeDraft:
    """A theme that these reports describe and stand for."""
    core = core_of(reports)
    return ThemeDraft(
        describe(core, corpus.rows(core), background),
        profile(reports),
        anchors_of(reports, corpus),
    )


def make_theme(
    session: Session, reports: Sequence[Report], corpus: Corpus, background: Background
) -> int:
    """Make the theme that these reports describe; they are not moved into it yet."""
    return create_themes(session, [draft_theme(reports, corpus, background)])[0]


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
    save_anchors(session, {theme_id: keys})
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


def refresh_themes(workspace: Workspace, session: Session, known: Corpus | None = None) -> int:
    """Count every open theme whose reports changed, and describe it anew where it grew.

    ``known`` is everything, loaded earlier in the transaction with the present centring, so that
    it need not be loaded again. Returns how many themes are open.
    """
    themes = load_themes(session)
    space_id = require_space(workspace, session)
    run = None if space_id is None else load_latest_run(session, space_id)
    states = load_uncounted(session, f"{run.run_id if run else 0}:")
    by_theme = load_theme_reports(
        session, list(states), with_loose=True, known=known.reports if known else ()
    )
    corpus = known or load_part(
        workspace, session, [report for reports in by_theme.values() for report in reports]
    )
    described = described_members(session)
    background: Background | None = None
    counts: list[Counted] = []
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
        counts.append(Counted(theme.theme_id, counted, states[theme.theme_id], centre))
        if not core:
            continue
        grown = counted.reports >= REDESCRIBE_GROWTH * described[theme.theme_id]
        named = {theme.text.medoid_id, *theme.text.exemplar_ids}
        if grown or not named <= {report.report_id for report in core}:
            background = background or load_background(session)
            text = describe(core, vectors, background)
            save_description(session, theme.theme_id, text, members=counted.reports)
    save_profiles(session, counts)
    return len(themes)
