"""A change of embedding model or prompt: themes are carried over only if a canary survives it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from flows.corpus import Corpus
from triage.database import Session
from triage.errors import CanaryFailed
from triage.store.clusterings import load_last_run
from triage.store.members import load_members
from triage.store.reports import count_unembedded
from triage.themes import choose_canary, fellowship
from triage.types import ClusteringRun, Report
from triage.workspace import Workspace


def check_switch(
    workspace: Workspace, session: Session, planned: ClusteringRun, corpus: Corpus
) -> None:
    """Let a clustering with other vectors than the last one's pass, or stop it.

    The new space lies beside the old one and must hold every report. Then the themes as they are
    must hold together in it nearly as well as in the old one. Raises ``CanaryFailed`` otherwise:
    nothing is changed, and with the former settings everything goes on as before.
    """
    last = load_last_run(session)
    if last is None or _is_same(last, planned):
        return
    attempted = "Carrying the themes over to another embedding model or prompt"
    if last.space_id != planned.space_id and (
        missing := count_unembedded(session, planned.space_id)
    ):
        raise CanaryFailed(
            attempted,
            f"{missing} reports have no vector of the new model yet",
            "Run `triage run` again, or the flow embed_reports, until all have one.",
        )
    before = last.results.get("fellowship")
    now = sing(session, corpus, corpus.reports)
    least = workspace.config.policy.canary_share
    if before is None or math.isnan(now) or now >= least * float(before):
        return
    raise CanaryFailed(
        attempted,
        f"of the nearest reports {now:.2f} are of the same theme, and {before:.2f} were before; "
        f"{least:.2f} of that is needed",
        "Set the former model and prompt again, and nothing was changed; or accept the new one by "
        "lowering policy.canary_share in triage.yaml.",
    )


def sing(session: Session, corpus: Corpus, reports: Sequence[Report]) -> float:
    """How far the themes as they are hold together in the corpus's space (see ``fellowship``)."""
    members = load_members(session)
    reports = [
        report
        for report in reports
        if report.report_id in members and report.is_core and report.duplicate_of is None
    ]
    themes = np.array([members[report.report_id] for report in reports], dtype=np.int64)
    rows = choose_canary(themes)
    if not len(rows):
        return math.nan
    return fellowship(corpus.rows([reports[row] for row in rows]), themes[rows])


def fellowship_result(
    session: Session, corpus: Corpus, reports: Sequence[Report]
) -> Mapping[str, Any]:
    """What a clustering of some reports keeps for the next switch; nothing if it has no say."""
    now = sing(session, corpus, reports)
    return {} if math.isnan(now) else {"fellowship": round(now, 4)}


def _is_same(last: ClusteringRun, planned: ClusteringRun) -> bool:
    return (last.space_id, last.representation) == (planned.space_id, planned.representation)
