"""What the flows that change themes share: found them, keep counts, texts and anchors true."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flows.corpus import Corpus, load_part, require_space
from triage.database import Session
from triage.store.anchors import load_anchors, save_anchors
from triage.store.clusterings import load_latest_run
from triage.store.embeddings import load_unembedded
from triage.store.landmarks import add_landmarks, remove_landmarks
from triage.store.members import add_members
from triage.store.reports import (
    load_reports,
    load_texts,
    load_theme_members,
    load_theme_reports,
)
from triage.store.themes import (
    Counted,
    create_themes,
    described_members,
    load_theme_centres,
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
from triage.types import Member, Report, Theme, ThemeDraft, ThemeProfile
from triage.workspace import Workspace

MUCH_CHANGED = 1.5  # a theme is described anew when it has so many times more or fewer members
# Words stand out against those of so many texts; more change no keyword and take time.
BACKGROUND_TEXTS = 5000
BACKGROUND = "word use over all texts"


def load_background(session: Session) -> Background:
    """Word use over all texts, each counted once; kept with the transaction."""
    found: Background | None = session.info.get(BACKGROUND)
    if found is None:
        found = count_background(load_texts(session, BACKGROUND_TEXTS))
        session.info[BACKGROUND] = found
    return found


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
    """Count every open theme whose reports changed, and describe anew those much changed.

    ``known`` is everything, loaded earlier in the transaction with the present centring: then
    every theme that is counted gets its mean vector of that centring. Else only themes described
    anew and new ones do: of few more reports it is about the same. Returns how many are open.
    """
    themes = {theme.theme_id: theme for theme in load_themes(session)}
    space_id = require_space(workspace, session)
    run = None if space_id is None else load_latest_run(session, space_id)
    states = load_uncounted(session, f"{run.run_id if run else 0}:")
    members = load_theme_members(session, list(states))
    by_theme = _with_vectors(session, space_id, members)
    profiles = {theme_id: profile(reports) for theme_id, reports in by_theme.items()}
    cores = _speaking_cores(by_theme)
    outdated = _outdated(session, themes, cores, profiles)
    new = cores.keys() - load_theme_centres(session).keys()
    placed = cores.keys() if known else new.union(outdated)
    loaded = _load_cores(session, {each: cores[each] for each in (outdated if known else placed)})
    corpus = known or load_part(workspace, session, [r for core in loaded.values() for r in core])
    for theme_id in outdated:
        core = loaded[theme_id]
        text = describe(core, corpus.rows(core), load_background(session))
        save_description(session, theme_id, text, members=profiles[theme_id].reports)
    centres = {theme_id: corpus.rows(cores[theme_id]).mean(axis=0) for theme_id in placed}
    # where a report waits for its vector the count holds for no state, and is made again
    whole = {each for each, reports in by_theme.items() if len(reports) == len(members[each])}
    save_profiles(
        session,
        [
            Counted(
                theme_id,
                counted,
                states[theme_id] if theme_id in whole else None,
                centres.get(theme_id),
            )
            for theme_id, counted in profiles.items()
        ],
    )
    return len(themes)


def _with_vectors(
    session: Session, space_id: int | None, by_theme: Mapping[int, Sequence[Member]]
) -> dict[int, list[Member]]:
    """Themes' reports less those whose text was revised and has no vector yet.

    One without a text expired: it counts for ever, and says nothing any more.
    """
    missing = {} if space_id is None else load_unembedded(session, space_id)
    found = {
        theme_id: [report for report in reports if report.fingerprint not in missing]
        for theme_id, reports in by_theme.items()
    }
    return {theme_id: reports for theme_id, reports in found.items() if reports}


def _speaking_cores(by_theme: Mapping[int, Sequence[Member]]) -> dict[int, list[Member]]:
    """Who may speak for each theme; themes of which nobody can are left out."""
    cores = {
        theme_id: [report for report in core_of(reports) if report.has_text]
        for theme_id, reports in by_theme.items()
    }
    return {theme_id: core for theme_id, core in cores.items() if core}


def _load_cores(session: Session, cores: Mapping[int, Sequence[Member]]) -> dict[int, list[Report]]:
    """The same with their texts."""
    wanted = [one.report_id for core in cores.values() for one in core]
    reports = {report.report_id: report for report in load_reports(session, wanted)}
    return {theme_id: [reports[one.report_id] for one in core] for theme_id, core in cores.items()}


def _outdated(
    session: Session,
    themes: Mapping[int, Theme],
    cores: Mapping[int, Sequence[Member]],
    profiles: Mapping[int, ThemeProfile],
) -> list[int]:
    """Themes of which is said what is true of other reports than those they have by now."""
    sizes = described_members(session)
    return [
        theme_id
        for theme_id, core in cores.items()
        if _is_outdated(themes[theme_id], core, profiles[theme_id].reports, sizes[theme_id])
    ]


def _is_outdated(theme: Theme, core: Sequence[Member], reports: int, described: int) -> bool:
    """Whether what is said of a theme is of other reports by now than those it has."""
    named = {theme.text.medoid_id, *theme.text.exemplar_ids}
    has_changed = not described / MUCH_CHANGED < reports < described * MUCH_CHANGED
    return has_changed or not named <= {report.report_id for report in core}
