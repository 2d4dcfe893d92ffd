"""Route: a capability and its owner for every open theme; a person's word outranks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from prefect import flow

from flows.embed_reports import embed_phrases
from flows.showing import Logged, ShowProgress, show_counts, silent
from flows.update_themes import load_corpus
from triage.routing import Capability, Rule, capability_texts, route
from triage.store.decisions import latest_corrections, load_corrections, load_routes, save_route
from triage.store.themes import load_themes
from triage.types import Correction, Route
from triage.workspace import Workspace, open_workspace


def route_all(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Route every open theme afresh; what changed is appended to its history."""
    config = workspace.config
    capabilities = [Capability(**each.model_dump()) for each in config.capabilities]
    texts = {each.id: capability_texts(each) for each in capabilities}
    phrases = embed_phrases(workspace, [text for each in texts.values() for text in each])
    vectors = {name: np.stack([phrases[t] for t in each]) for name, each in texts.items()}
    rules = [
        Rule(rule.capability, rule.environment, rule.model, rule.source, rule.url, rule.error)
        for rule in config.rules
    ]
    changed = fallbacks = 0
    with workspace.database.stage_lock("route"), workspace.database.session() as session:
        corpus = load_corpus(workspace, session)
        members = corpus.by_theme()
        held, corrections = load_routes(session), load_corrections(session)
        themes = [theme for theme in load_themes(session) if theme.theme_id in members]
        for done, theme in enumerate(themes, start=1):
            reports = members[theme.theme_id]
            found = route(
                theme,
                reports,
                corpus.rows(reports),
                rules=rules,
                capabilities=capabilities,
                capability_vectors=vectors,
                triage_owner=config.triage_owner,
                min_margin=config.policy.min_route_margin,
            )
            for word in latest_corrections(corrections.get(theme.theme_id, [])).values():
                found = _as_a_person_said(workspace, found, word)
            if found != held.get(theme.theme_id):
                save_route(session, theme.theme_id, found)
                changed += 1
            fallbacks += found.is_fallback
            progress("routing", done, len(themes))
    return {"routed": len(themes), "to triage owner": fallbacks, "changed": changed}


def _as_a_person_said(workspace: Workspace, found: Route, word: Correction) -> Route:
    """Apply one correction; a capability brings its owner unless an owner was named too."""
    said = f"{word.author} said so on {word.created_at:%Y-%m-%d}: {word.reason}"
    if word.field == "owner":
        return replace(found, owner=word.value, reason=said, is_fallback=False, set_by=word.author)
    if word.field == "capability":
        named = found.owner if found.set_by != "policy" else None
        return Route(
            word.value,
            named or workspace.config.owner_of(word.value),
            said,
            set_by=word.author,
        )
    return found


@flow(
    name="route_themes",
    flow_run_name="route_themes",
    retries=2,
    retry_delay_seconds=30,
)
def route_themes() -> dict[str, int]:
    """Route every open theme to a capability and its owner."""
    with open_workspace() as workspace:
        counts = route_all(workspace, progress=Logged())
    show_counts("route", counts)
    return counts
