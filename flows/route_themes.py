"""Route: a capability and its owner for every open theme; a person's word outranks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from prefect import flow

from flows.corpus import load_corpus
from flows.reading import Reading, read_corpus
from flows.showing import Logged, ShowProgress, show_counts, show_table, silent
from flows.stages import run_stage
from triage.corrections import conflicts, holding, removed_owners
from triage.routing import (
    Absence,
    Availability,
    Rule,
    chances,
    follow,
    map_version,
    route,
    to_owner,
)
from triage.store.decisions import load_corrections, load_routes, save_route
from triage.store.loads import load_rows
from triage.store.themes import load_themes
from triage.types import Correction, Report, Route, Theme
from triage.workspace import Workspace, open_workspace


def route_all(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Route every open theme afresh; what changed is appended to its history."""
    changed = fallbacks = 0
    today = datetime.now(UTC).date()
    with workspace.database.stage_lock("route"), workspace.database.session() as session:
        corpus = load_corpus(workspace, session)
        reading = read_corpus(workspace, session, corpus, progress=progress)
        members = corpus.by_theme()
        held, corrections = load_routes(session), load_corrections(session)
        themes = [theme for theme in load_themes(session) if theme.theme_id in members]
        for done, theme in enumerate(themes, start=1):
            words = corrections.get(theme.theme_id, [])
            found = _route(workspace, theme, members[theme.theme_id], reading, words, today)
            if found != held.get(theme.theme_id):
                save_route(session, theme.theme_id, found)
                changed += 1
            fallbacks += found.is_fallback
            progress("routing", done, len(themes))
    return {"routed": len(themes), "to triage owner": fallbacks, "changed": changed}


def _route(
    workspace: Workspace,
    theme: Theme,
    reports: Sequence[Report],
    reading: Reading,
    words: Sequence[Correction],
    today: date,
) -> Route:
    config = workspace.config
    absences = [Absence(each.login, each.since, each.until) for each in config.absences]
    availability = Availability(today, absences, removed_owners(words))
    found = route(
        theme,
        reports,
        reading.scores[reading.of(reports)],
        rules=[
            Rule(rule.capability, rule.environment, rule.model, rule.source, rule.url, rule.error)
            for rule in config.rules
        ],
        capabilities=reading.capabilities,
        trust=reading.calibration.theme_trust,
        learnt_ids=reading.learnt_ids,
        triage_owner=config.triage_owner,
        availability=availability,
        min_margin=config.policy.min_route_margin,
    )
    found = _as_people_said(workspace, found, reports, reading, words, availability)
    return replace(found, map_version=map_version(reading.capabilities))


def _as_people_said(
    workspace: Workspace,
    found: Route,
    reports: Sequence[Report],
    reading: Reading,
    words: Sequence[Correction],
    availability: Availability,
) -> Route:
    """Apply the words that hold; a capability brings its owner unless an owner was named too.

    A capability that was renamed, merged or split since it was named is followed to its heir.
    """
    held = holding(words)
    clash = " ".join(
        f"Contradiction: {one}" for one in conflicts(words) if one.field in ("capability", "owner")
    )
    if word := held.get("capability"):
        own = reading.scores[reading.of(reports)]
        chance = chances(own, reading.calibration.theme_trust)
        likely = {e.id: float(c) for e, c in zip(reading.capabilities, chance, strict=True)}
        heir = follow(word.value, reading.capabilities, likely)
        said = f"{word.author} said so on {word.created_at:%Y-%m-%d}: {word.reason}"
        if heir is None:
            lost = f"{said} But {word.value} is not in the map any more, and nothing came after it."
            return replace(found, reason=f"{lost} {found.reason}")
        if heir != word.value:
            said += f" ({word.value} has become {heir}.)"
        named = next(each for each in reading.capabilities if each.id == heir)
        taken = to_owner(named, said, workspace.config.triage_owner, availability, None)
        found = replace(taken, set_by=word.author)
    if word := held.get("owner"):
        said = f"{word.author} said so on {word.created_at:%Y-%m-%d}: {word.reason}"
        found = replace(found, owner=word.value, reason=said, is_fallback=False, set_by=word.author)
    return replace(found, reason=f"{found.reason} {clash}".strip())


@flow(
    name="route_themes",
    flow_run_name="route_themes",
    retries=2,
    retry_delay_seconds=30,
)
def route_themes() -> dict[str, int]:
    """Route every open theme to a capability and its owner."""
    with open_workspace() as workspace:
        counts = run_stage(workspace, "route", lambda: route_all(workspace, progress=Logged()))
        with workspace.database.session() as session:
            config, today = workspace.config, datetime.now(UTC).date()
            rows = load_rows(session, config.capabilities_by_owner(), config.away_until(today))
    show_counts("route", counts)
    show_table("owners", rows, "Who carries how much: open themes and filed issues by owner")
    return counts
