"""Decide: a verdict on every open theme, from named evidence; a person's word outranks it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
from prefect import flow

from flows.corpus import Corpus, load_corpus
from flows.ledger import claimed_fixes
from flows.reading import Reading, read_corpus
from flows.showing import Logged, ShowProgress, show_counts, silent
from flows.stages import run_stage
from triage.corrections import with_persons_words
from triage.decision import Policy, decide, log_odds
from triage.decision.failed_fixes import after_failed_fixes
from triage.reading import LAYERS, log_softmax
from triage.store.decisions import load_corrections, load_decisions, save_decision
from triage.store.ledger import load_failed_fixes, load_verifications
from triage.store.readings import save_opinions
from triage.store.themes import load_themes
from triage.types import Opinion, Verdict
from triage.workspace import Workspace, open_workspace


def decide_all(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Decide every open theme afresh; what changed is appended to its history.

    Every report gets an opinion of its own too, provisional, for those that are in no theme.
    """
    policy = decision_policy(workspace)
    now = datetime.now(UTC)
    counts: Counter[str] = Counter()
    with workspace.database.stage_lock("decide"), workspace.database.session() as session:
        corpus = load_corpus(workspace, session)
        reading = read_corpus(workspace, session, corpus, progress=progress)
        members = corpus.by_theme()
        held, corrections = load_decisions(session), load_corrections(session)
        failed_fixes, verifications = load_failed_fixes(session), load_verifications(session)
        themes = [theme for theme in load_themes(session) if theme.theme_id in members]
        for done, theme in enumerate(themes, start=1):
            reports, previous = members[theme.theme_id], held.get(theme.theme_id)
            failed = failed_fixes.get(theme.theme_id, ())
            decision = decide(
                theme,
                reports,
                reading.signals(reports),
                now=now,
                previous=previous,
                claimed_fixes=claimed_fixes(
                    workspace,
                    corrections.get(theme.theme_id, []),
                    [held for key, held in verifications.items() if key[0] == theme.theme_id],
                    except_for={each.new_version for each in failed},
                    today=now.date(),
                ),
                policy=policy,
            )
            decision = after_failed_fixes(decision, [each.new_version for each in failed])
            decision = with_persons_words(decision, corrections.get(theme.theme_id, []))
            if decision != previous:
                save_decision(session, theme.theme_id, decision)
                counts["changed"] += 1
            counts[decision.verdict] += 1
            progress("deciding", done, len(themes))
        counts["opinions"] = save_opinions(session, _opinions(corpus, reading, policy))
    named = [*(verdict.value for verdict in Verdict), "changed", "opinions"]
    return {name: counts[name] for name in named} | dict.fromkeys(reading.notes, 1)


def decision_policy(workspace: Workspace) -> Policy:
    """The thresholds of the configuration, in log-odds."""
    policy = workspace.config.policy
    return Policy(
        decide_beyond=log_odds(policy.verdict_probability),
        flip_beyond=log_odds(policy.flip_probability),
        least_reporters=policy.min_reporters,
    )


def _opinions(corpus: Corpus, reading: Reading, policy: Policy) -> dict[int, Opinion]:
    calibrated = reading.words.calibrated(reading.calibration)
    trust = reading.calibration.trust
    chances = np.exp(log_softmax(trust.temperature * reading.scores))
    by_row = {}
    for row in reading.rows.values():
        odds = float(calibrated[row])
        leaning = Verdict.FUNDAMENTAL if odds > 0 else Verdict.QUICK_FIX
        is_clear = abs(odds) >= policy.decide_beyond
        sure = min(policy.highest_confidence, 1 / (1 + np.exp(-abs(odds))))
        best = int(np.argmax(chances[row])) if reading.capabilities else None
        name = reading.capabilities[best].id if best is not None else None
        place = reading.learnt_ids.index(name) if name in reading.learnt_ids else None
        is_right = None if best is None else trust.confidence(float(chances[row][best]), place)
        by_row[row] = Opinion(
            verdict=(leaning if is_clear else Verdict.UNDECIDED).value,
            confidence=round(float(sure), 3),
            layer=reading.answered[row] or LAYERS[int(np.argmax(reading.words.layers[row]))],
            capability=name,
            capability_confidence=None if is_right is None else round(is_right, 3),
            read_by=reading.read_by,
        )
    return {each.report_id: by_row[reading.rows[each.fingerprint]] for each in corpus.reports}


@flow(
    name="decide_themes",
    flow_run_name="decide_themes",
    retries=2,
    retry_delay_seconds=30,
)
def decide_themes() -> dict[str, int]:
    """Decide every open theme: quick-fix, fundamental or undecided, with evidence and priority."""
    with open_workspace() as workspace:
        counts = run_stage(workspace, "decide", lambda: decide_all(workspace, progress=Logged()))
    show_counts("decide", counts)
    return counts
