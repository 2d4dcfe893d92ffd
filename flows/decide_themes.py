"""Decide: a verdict on every open theme, from named evidence; a person's word outranks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from prefect import flow

from flows.embed_reports import embed_phrases
from flows.showing import Logged, ShowProgress, show_counts, silent
from flows.update_themes import load_corpus
from triage.decision import LAYER_PROTOTYPES, Policy, decide, log_odds, read_signals
from triage.store.decisions import (
    latest_corrections,
    load_corrections,
    load_decisions,
    save_decision,
)
from triage.store.themes import load_themes
from triage.types import Correction, Decision, Verdict
from triage.workspace import Workspace, open_workspace


def decide_all(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Decide every open theme afresh; what changed is appended to its history."""
    phrases = embed_phrases(workspace, [p for each in LAYER_PROTOTYPES.values() for p in each])
    prototypes = {
        layer: np.stack([phrases[sentence] for sentence in sentences])
        for layer, sentences in LAYER_PROTOTYPES.items()
    }
    policy = Policy(
        decide_beyond=log_odds(workspace.config.policy.verdict_probability),
        flip_beyond=log_odds(workspace.config.policy.flip_probability),
        least_reporters=workspace.config.policy.min_reporters,
    )
    now = datetime.now(UTC)
    counts = dict.fromkeys([*Verdict], 0)
    changed = 0
    with workspace.database.stage_lock("decide"), workspace.database.session() as session:
        corpus = load_corpus(workspace, session)
        members = corpus.by_theme()
        held, corrections = load_decisions(session), load_corrections(session)
        themes = [theme for theme in load_themes(session) if theme.theme_id in members]
        for done, theme in enumerate(themes, start=1):
            reports, previous = members[theme.theme_id], held.get(theme.theme_id)
            signals = read_signals(corpus.rows(reports), prototypes)
            decision = decide(theme, reports, signals, now=now, previous=previous, policy=policy)
            words = latest_corrections(corrections.get(theme.theme_id, []))
            if "verdict" in words:
                decision = _as_a_person_said(decision, words["verdict"])
            if decision != previous:
                save_decision(session, theme.theme_id, decision)
                changed += 1
            counts[decision.verdict] += 1
            progress("deciding", done, len(themes))
    return {**{verdict.value: count for verdict, count in counts.items()}, "changed": changed}


def _as_a_person_said(decision: Decision, word: Correction) -> Decision:
    said = f"{word.author} decided on {word.created_at:%Y-%m-%d}: {word.reason}"
    others = tuple(reason for reason in decision.reasons if reason != said)
    return replace(
        decision,
        verdict=Verdict(word.value),
        confidence=1.0,
        reasons=(said, *others),
        set_by=word.author,
    )


@flow(
    name="decide_themes",
    flow_run_name="decide_themes",
    retries=2,
    retry_delay_seconds=30,
)
def decide_themes() -> dict[str, int]:
    """Decide every open theme: quick-fix, fundamental or undecided, with evidence and priority."""
    with open_workspace() as workspace:
        counts = decide_all(workspace, progress=Logged())
    show_counts("decide", counts)
    return counts
