"""What the report page shows, as it stands in the database: themes, dots and what else waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from flows.corpus import load_centring
from flows.discretion import load_private_themes, load_shown_blockers
from flows.embed_reports import find_report_space, open_embedder
from flows.ledger import digest_rows, load_ledger
from triage.database import Session
from triage.page import (
    Places,
    Standing,
    ThemeFacts,
    choose_points,
    lay_out,
    name_rows,
    spread_copies,
)
from triage.store.agreement import agreement_rows
from triage.store.decisions import load_decisions, load_routes
from triage.store.embeddings import load_vector_matrix
from triage.store.intake import load_rejections, load_source_states
from triage.store.ledger import load_verifications
from triage.store.loads import load_rows
from triage.store.mapping import Dot, load_arrivals_by_week
from triage.store.overview import proposal_rows
from triage.store.reports import load_reports
from triage.store.themes import load_sensitivity, load_themes
from triage.types import Report, Theme
from triage.verification import LedgerRow, Verification
from triage.workspace import Workspace

SEED = 0

Names = tuple[tuple[list[str], dict[str | None, int]], tuple[list[str], dict[str | None, int]]]


def load_names(workspace: Workspace, dots: Sequence[Dot]) -> Names:
    """Versions and sources to filter by, each with the row of every name."""
    versions = [version.name for version in workspace.config.versions]
    return (
        name_rows([dot.version for dot in dots], versions),
        name_rows([dot.source for dot in dots]),
    )


def load_facts(
    session: Session,
    workspace: Workspace,
    rows: Sequence[Mapping[str, object]],
    dots: Sequence[Dot],
    names: Names,
    now: datetime,
) -> list[ThemeFacts]:
    """Each theme of ``rows``, in their order."""
    waiting = _waiting(workspace, now)
    themes = {theme.name: theme for theme in load_themes(session)}
    decisions, routes = load_decisions(session), load_routes(session)
    blockers = load_shown_blockers(session, workspace)
    verifications = load_verifications(session)
    release, sensitive = _last_release(workspace, verifications), load_sensitivity(session)
    arrivals = load_arrivals_by_week(session)
    ledger, private = _ledger(session, workspace), load_private_themes(session, workspace)
    exemplars = _exemplars(session, list(themes.values()))
    cells = _count_cells(dots, names)
    found = []
    for shown in rows:
        theme = themes[str(shown["theme"])]
        key, state, group = theme.theme_id, str(shown["issue or blocker"]), str(shown["group"])
        found.append(
            ThemeFacts(
                theme=theme,
                decision=decisions.get(key),
                route=routes.get(key),
                issue_url=state if state.startswith("http") and key not in private else None,
                blocker=blockers.get(key),
                ledger=ledger.get(key, []),
                verification=verifications.get((key, release[0])) if release else None,
                exemplars=[exemplars[i] for i in theme.text.exemplar_ids if i in exemplars],
                cells=cells.get(key, {}),
                arrivals=arrivals.get(key, {}),
                group=group if group != theme.name else None,
                waiting=waiting.get(theme.name, ()),
                sensitive=sensitive.get(key),
                is_filed_privately=key in private,
            )
        )
    return found


def _waiting(workspace: Workspace, now: datetime) -> dict[str, list[str]]:
    """By theme: why it needs people although it is filed."""
    waiting: dict[str, list[str]] = {}
    for row in digest_rows(workspace, now):
        waiting.setdefault(row["theme"], []).append(row["note"])
    return waiting


def _ledger(session: Session, workspace: Workspace) -> dict[int, list[LedgerRow]]:
    ledger: dict[int, list[LedgerRow]] = {}
    for entry in load_ledger(session, workspace):
        ledger.setdefault(entry.theme_id, []).append(entry)
    return ledger


def _count_cells(dots: Sequence[Dot], names: Names) -> dict[int, dict[tuple[int, int], int]]:
    """By theme: how many of its reports are on a version and from a source."""
    cells: dict[int, dict[tuple[int, int], int]] = {}
    for dot in dots:
        if dot.theme_id is not None and dot.counts:
            cell = names[0][1][dot.version], names[1][1][dot.source]
            counted = cells.setdefault(dot.theme_id, {})
            counted[cell] = counted.get(cell, 0) + 1
    return cells


def _exemplars(session: Session, themes: Sequence[Theme]) -> dict[int, Report]:
    wanted = {i for theme in themes for i in theme.text.exemplar_ids}
    return {report.report_id: report for report in load_reports(session, sorted(wanted))}


def _last_release(
    workspace: Workspace, verifications: Mapping[tuple[int, str], Verification]
) -> tuple[str, str] | None:
    """The last released version and the one before it; without verdicts, the last that has some."""
    judged = {held.new_version: held for held in verifications.values()}
    released = [version.name for version in workspace.config.versions if version.released]
    if len(released) > 1 and (released[-1] in judged or not judged):
        return released[-1], released[-2]
    latest = max(judged.values(), key=lambda held: held.judged_on, default=None)
    return (latest.new_version, latest.old_version) if latest else None


def load_places(
    session: Session,
    workspace: Workspace,
    facts: Sequence[ThemeFacts],
    dots: Sequence[Dot],
    names: Names,
) -> Places | None:
    """Where the reports lie that have a vector of the present model; None where none has."""
    space_id = find_report_space(session, open_embedder(workspace))
    if space_id is None or not dots:
        return None
    chosen = [dots[row] for row in choose_points(len(dots), seed=SEED)]
    keys, raw = load_vector_matrix(session, space_id, {dot.fingerprint for dot in chosen})
    if not keys:
        return None
    rows = {key: row for row, key in enumerate(keys)}
    drawn = [dot for dot in chosen if dot.fingerprint in rows]
    spoken: list[str | None] = [None] * len(keys)
    themes = np.zeros(len(keys), dtype=np.int64)
    order = {one.theme.theme_id: place for place, one in enumerate(facts, start=1)}
    for dot in drawn:
        spoken[rows[dot.fingerprint]] = dot.language
        themes[rows[dot.fingerprint]] = order.get(dot.theme_id or 0, 0)
    centring = load_centring(session, space_id)
    vectors = centring.texts.centred(raw, spoken) if centring else raw
    texts = np.array([rows[dot.fingerprint] for dot in drawn])
    return Places(
        places=spread_copies(lay_out(vectors, themes, seed=SEED), texts),
        themes=np.array([order.get(dot.theme_id or 0, 0) for dot in drawn]),
        versions=np.array([names[0][1][dot.version] for dot in drawn]),
        sources=np.array([names[1][1][dot.source] for dot in drawn]),
        drawn=len(drawn),
        known=len(dots),
    )


def load_standing(
    session: Session,
    workspace: Workspace,
    dots: Sequence[Dot],
    rows: Sequence[Mapping[str, object]],
    now: datetime,
) -> Standing:
    """What holds beside the themes."""
    config = workspace.config
    filed = sum(str(row["issue or blocker"]).startswith("http") for row in rows)
    return Standing(
        family=config.family.title,
        next_version=config.next_version.name,
        counts={
            "reports": len(dots),
            "in a theme": sum(bool(dot.counts) for dot in dots),
            "themes": len(rows),
            "issues": filed,
            "waiting": len(rows) - filed,
            "set aside": len(load_rejections(session)),
        },
        released=[version.name for version in config.versions if version.released],
        last_release=_last_release(workspace, load_verifications(session)),
        agreement=agreement_rows(session),
        owners=load_rows(session, config.capabilities_by_owner(), config.away_until(now.date())),
        notes=_notes(session, dots),
    )


def _notes(session: Session, dots: Sequence[Dot]) -> list[str]:
    """What waits beside the themes; a source's own words of trouble stay in `triage doctor`."""
    notes = [
        f"Proposal {row['number']}: {row['proposal']} (triage proposal {row['number']})"
        for row in proposal_rows(session)
    ]
    for source in load_source_states(session):
        if source.last_error:
            read = f"last read {source.read_at:%Y-%m-%d %H:%M}" if source.read_at else "never read"
            notes.append(f"Source {source.origin} fails, {read}: see triage doctor")
    return notes
