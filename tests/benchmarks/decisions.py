"""How right are verdicts and capabilities, how honest the confidence, what do corrections teach?

    python -m tests.benchmarks.decisions

Runs the stages on the labelled reports, without an LLM and with recorded answers, and compares
with the labels. The reader was trained on other reports about other failures. No randomness but
the simulated corrections, whose seeds are fixed.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.collect_reports import ingest
from flows.corpus import Corpus, load_corpus
from flows.decide_themes import decide_all, decision_policy
from flows.embed_reports import embed
from flows.reading import Reading, read_corpus
from flows.route_themes import route_all
from flows.update_themes import update
from tests.benchmarks.labelled import labelled
from tests.integration.llm.replay import recorded, replay
from triage.corrections import Example, compare, learn
from triage.decision import decide
from triage.reading import calibration_error, pulled
from triage.store.assignments import load_assignments
from triage.store.readings import load_opinions
from triage.themes import profile
from triage.types import Report, Theme, ThemeStatus, ThemeText, Verdict
from triage.workspace import Workspace, open_workspace

SEEDS = 20
CORRECTED = 30
Labels = Mapping[str, Mapping[str, str]]


def measure() -> None:
    """Print every figure, first without an LLM, then with recorded answers."""
    reports, answers = labelled("dev.jsonl"), labelled("dev_distilled.jsonl")
    with labelled("dev_labels.csv").open(encoding="utf-8", newline="") as stream:
        labels = {row["id"]: row for row in csv.DictReader(stream)}
    print("Without an LLM")
    with _home({}) as workspace:
        corpus, reading = _run(workspace, reports, labels)
        _simulate(corpus, reading, labels)
    print("With recorded answers of an LLM")
    with replay(recorded(reports, answers)) as url:
        settings = {"TRIAGE_LLM_BASE_URL": url, "TRIAGE_LLM_MODEL": "recorded"}
        with _home(settings) as workspace:
            _run(workspace, reports, labels)


@contextmanager
def _home(settings: Mapping[str, str]) -> Iterator[Workspace]:
    for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
        if name != "TRIAGE_BENCHMARK_DATA":
            del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="triage-decisions-") as home:
        os.environ.update({"TRIAGE_HOME": home, **settings})
        with open_workspace() as workspace:
            yield workspace


def _run(workspace: Workspace, reports: Path, labels: Labels) -> tuple[Corpus, Reading]:
    ingest(workspace, reports)
    embed(workspace)
    update(workspace)
    decide_all(workspace)
    route_all(workspace)
    with workspace.database.session() as session:
        rows = load_assignments(session)
        opinions = load_opinions(session)
        corpus = load_corpus(workspace, session)
        reading = read_corpus(workspace, session, corpus)
    target = workspace.settings.home / "assignments.csv"
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "theme_id", "verdict", "capability"])
        writer.writerows([row.id, row.theme_id, row.verdict, row.capability] for row in rows)
    command = [sys.executable, str(labelled("score.py")), str(labelled("dev_labels.csv"))]
    answer = subprocess.run([*command, str(target), "--json"], check=True, capture_output=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    _say("verdict per report: kappa", found["decision_kappa"])
    _say("  share decided", found["decided_share"])
    right, decided = found["clear_themes_right"], found["clear_themes"]
    silent = found["clear_themes_undecided"]
    _say("clear themes right, by their reports", f"{right} of {decided - silent}, {silent} open")
    _say("clear themes right, decided whole", _decided_whole(workspace, corpus, reading, labels))
    _say("capability per report", found["capability_accuracy"])
    truth, said = _verdict_truth(corpus, labels), []
    for report in corpus.reports:
        opinion, odds = opinions[report.report_id], 0.0
        odds = reading.words.calibrated(reading.calibration)[reading.rows[report.fingerprint]]
        said.append(opinion.confidence if odds > 0 else 1 - opinion.confidence)
    _say("calibration error of the confidence", calibration_error(np.array(said), truth))
    return corpus, reading


def _verdict_truth(corpus: Corpus, labels: Labels) -> NDArray[np.bool_]:
    return np.array(
        [labels[each.external_id]["decision"] == Verdict.FUNDAMENTAL for each in corpus.reports]
    )


def _decided_whole(workspace: Workspace, corpus: Corpus, reading: Reading, labels: Labels) -> str:
    """The policy on the labelled themes themselves, as if clustering had found just these."""
    policy, right, silent, clear = decision_policy(workspace), 0, 0, 0
    groups: dict[str, list[Report]] = {}
    for report in corpus.reports:
        groups.setdefault(labels[report.external_id]["theme"], []).append(report)
    groups.pop("noise")
    for name, members in groups.items():
        verdicts = Counter(labels[report.external_id]["decision"] for report in members)
        truth, count = verdicts.most_common(1)[0]
        if len(members) < 5 or count < 0.75 * len(members):
            continue
        clear += 1
        words = ThemeText(name, name, (), members[0].report_id, ())
        theme = Theme(1, ThemeStatus.OPEN, words, profile(members))
        signals = reading.signals(members)
        found = decide(theme, members, signals, now=datetime.now(UTC), policy=policy).verdict
        silent += found is Verdict.UNDECIDED
        right += found == truth
    return f"{right} of {clear - silent}, {silent} open"


def _simulate(corpus: Corpus, reading: Reading, labels: Labels) -> None:
    """30 reports of twelve themes are corrected; how many errors are left elsewhere?"""
    ids = [each.id for each in reading.capabilities]
    keys = {report.fingerprint: labels[report.external_id] for report in corpus.reports}
    names = sorted({label["theme"] for label in keys.values()} - {"noise"})
    order = list(reading.rows)
    themes = np.array([keys[key]["theme"] for key in order])
    outcomes: dict[str, list[tuple[int, int]]] = {}
    swapped = 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        seen = set(chance.choice(names, len(names) // 2, replace=False))
        pool = np.flatnonzero([theme in seen for theme in themes])
        rows = chance.choice(pool, CORRECTED, replace=False)
        examples = [
            Example(
                names.index(themes[row]),
                order[row],
                keys[order[row]]["decision"] == Verdict.FUNDAMENTAL,
                keys[order[row]]["capability"],
            )
            for row in rows
        ]
        material = (reading.unit[rows], reading.bare_log_odds[rows], reading.bare_scores[rows])
        swapped += compare(examples, *material, ids=ids).blocker is None
        taught = learn(examples, *material, ids=ids, based_on="")
        shift, capability_shift = taught.shifts(reading.unit, reading.unit[rows], ids)
        others = np.setdiff1d(pool, rows)
        unseen = np.flatnonzero([theme not in seen and theme != "noise" for theme in themes])
        for where, chosen in (("unseen themes", unseen), ("corrected themes", others)):
            before = _errors(reading, order, keys, ids, chosen)
            after = _errors(reading, order, keys, ids, chosen, shift, capability_shift)
            for what, was, now in zip(("verdict", "capability"), before, after, strict=True):
                outcomes.setdefault(f"{what}, other reports of {where}", []).append((was, now))
    for name, pairs in outcomes.items():
        was, now = np.sum(pairs, axis=0)
        _say(f"{CORRECTED} corrections, errors left: {name}", f"{now / was:.2f}")
    _say("  of these lessons came into use", f"{swapped} of {SEEDS}")


def _errors(
    reading: Reading,
    order: Sequence[str],
    keys: Labels,
    ids: Sequence[str],
    chosen: NDArray[np.int64],
    shift: NDArray[np.float64] | float = 0.0,
    capability_shift: NDArray[np.float64] | float = 0.0,
) -> tuple[int, int]:
    odds = pulled((reading.bare_log_odds + shift)[:, None], reading.unit, reading.neighbours)
    words = replace(reading.words, log_odds=odds[:, 0])
    is_deep = words.calibrated(reading.calibration) > 0
    best = pulled(reading.bare_scores + capability_shift, reading.unit, reading.neighbours).argmax(
        axis=1
    )
    wrong = sum(
        is_deep[row] != (keys[order[row]]["decision"] == Verdict.FUNDAMENTAL) for row in chosen
    )
    misled = sum(ids[best[row]] != keys[order[row]]["capability"] for row in chosen)
    return int(wrong), int(misled)


def _say(name: str, value: float | str) -> None:
    shown = value if isinstance(value, str) else f"{value:.3f}"
    print(f"  {name:60} {shown}", flush=True)


if __name__ == "__main__":
    measure()
