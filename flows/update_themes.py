"""Theme: let new reports join durable themes, cluster the rest, keep counts and texts true."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import flow

from flows.advising import ask_llm_about_themes
from flows.arrivals import take_arrivals
from flows.corpus import Corpus, load_centring, load_part, representation, require_space
from flows.recluster_themes import cluster_everything
from flows.showing import Logged, ShowProgress, show_counts, show_themes, silent
from flows.stages import run_stage
from flows.theme_upkeep import anchors_of, load_background, make_theme, refresh_themes
from triage.database import Session
from triage.store.anchors import load_anchors, remove_anchors, save_anchors
from triage.store.bonds import load_side, save_bond
from triage.store.clusterings import load_last_run, load_latest_run
from triage.store.landmarks import add_landmarks
from triage.store.members import follow_duplicates, load_members, move_members
from triage.store.overview import theme_rows
from triage.store.proposals import withdraw_proposals
from triage.store.reports import count_originals, load_theme_reports
from triage.store.saving import hold_reports
from triage.types import BondKind, ClusteringRun, Report
from triage.workspace import Workspace, open_workspace


def update(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Let what is new join or found themes, follow duplicates, refresh counts and texts.

    Everything is clustered anew when it is the first time, when the reports grew by
    ``policy.recluster_growth`` since, or when their vectors are made in another way; in between,
    the work grows with what is new.

    One process at a time; all of it is one transaction, so a theme is never seen half made, and
    intake waits, so that no report is reworded while it is being clustered by its old text.
    """
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        hold_reports(session)
        counts, corpus = _take_in(workspace, session, progress)
        follow_duplicates(session)
        themes = refresh_themes(workspace, session, corpus)
    return {**counts, "open themes": themes}


def _take_in(
    workspace: Workspace, session: Session, progress: ShowProgress
) -> tuple[dict[str, int], Corpus | None]:
    """What was done, and everything where everything was looked at."""
    space_id = require_space(workspace, session)
    if space_id is None:
        return {"joined": 0, "new themes": 0}, None
    stored = count_originals(session, space_id)
    cause = _recluster_cause(workspace, session, load_latest_run(session, space_id), stored)
    centring = load_centring(session, space_id)
    if cause is None and centring is not None:
        joined = take_arrivals(workspace, session, space_id, centring, progress, stored=stored)
        return joined, None
    done = cluster_everything(workspace, session, cause=cause or "first", progress=progress)
    return done.counts, done.corpus


def _recluster_cause(
    workspace: Workspace, session: Session, run: ClusteringRun | None, stored: int
) -> str | None:
    """Why everything is to be clustered anew now, or None."""
    if run is None:
        return "first"
    last = load_last_run(session)
    if run.representation != representation(workspace) or last != run:
        return "other vectors"
    if stored >= workspace.config.policy.recluster_growth * run.reports and stored > run.reports:
        return "growth"
    return None


def refresh(workspace: Workspace) -> int:
    """Recount and, where they grew, describe anew what changed; returns the open themes."""
    with workspace.database.session() as session:
        return refresh_themes(workspace, session)


def split_theme(
    workspace: Workspace,
    session: Session,
    reports: Sequence[Report],
    *,
    into: int | None = None,
    said_by: str | None = None,
    because: str | None = None,
) -> int:
    """Take reports out of their theme because a person said so; it holds for ever.

    They make a theme of their own, or go ``into`` another one; returns its id. No clustering puts
    them back, and whatever is like them comes after them.
    """
    moved = [report.report_id for report in reports]
    old = sorted(set(load_members(session, moved).values()))
    rest = load_theme_reports(session, old, with_loose=True)
    corpus = load_part(workspace, session, [*reports, *(r for each in rest.values() for r in each)])
    target = into or make_theme(session, reports, corpus, load_background(session))
    move_members(session, moved, target)
    remove_anchors(session, {report.fingerprint for report in reports}, keep_theme=target)
    for theme_id in old:
        sides = (target, moved), (theme_id, load_side(session, theme_id))
        save_bond(session, BondKind.APART, *sides, said_by=said_by, because=because)
        withdraw_proposals(session, theme_id)
        left = [report for report in rest[theme_id] if report.report_id not in moved]
        if left and not load_anchors(session, [theme_id]):
            save_anchors(session, {theme_id: anchors_of(left, corpus)})
    space_id = require_space(workspace, session)
    keys = {key for each in load_anchors(session, [*old, target]).values() for key in each}
    if space_id is not None:
        here = {key: corpus.vectors[key] for key in keys & corpus.vectors.keys()}
        add_landmarks(session, space_id, here)
    return target


@flow(
    name="update_themes",
    flow_run_name="update_themes",
    retries=2,
    retry_delay_seconds=30,
)
def update_themes() -> dict[str, int]:
    """Let new reports join themes, cluster the rest, refresh what is counted and said of them."""
    with open_workspace() as workspace:
        counts = run_stage(
            workspace,
            "theme",
            lambda: (
                update(workspace, progress=Logged())
                | ask_llm_about_themes(workspace, progress=Logged())
            ),
        )
        with workspace.database.session() as session:
            rows = theme_rows(session)
    show_counts("theme", counts)
    show_themes(rows)
    return counts
