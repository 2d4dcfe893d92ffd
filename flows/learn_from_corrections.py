"""Learn: what people's words teach, compared with what is in use, and swapped in if better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from prefect import flow

from flows.corpus import load_corpus
from flows.reading import Reading, read_corpus
from flows.showing import Logged, ShowProgress, show_counts, show_table, silent
from flows.stages import run_stage
from triage.cleaning import fingerprint
from triage.corrections import Example, Learnt, compare, holding, learn
from triage.database import Session
from triage.routing import follow
from triage.store.agreement import agreement_rows
from triage.store.decisions import load_corrections
from triage.store.learnt import load_learning_history, load_learnt, roll_back, save_learnt
from triage.types import Correction, Report, Verdict
from triage.workspace import Workspace, open_workspace


def learn_all(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, float | str]:
    """Learn from every correction so far; it comes into use only if it is better.

    Compared by cross-validation over the corrected themes. What nobody touched is no example.
    Decisions and routes follow with their next run. The state before stays stored.
    """
    with workspace.database.stage_lock("learn"), workspace.database.session() as session:
        corpus = load_corpus(workspace, session)
        reading = read_corpus(workspace, session, corpus, progress=progress)
        examples = examples_of(corpus.by_theme(), load_corrections(session), reading)
        if _is_known(session, examples):
            return {"corrected reports": len(examples), "outcome": "nothing new to learn from"}
        rows = np.array([reading.rows[one.fingerprint] for one in examples], dtype=np.int64)
        material = (reading.unit[rows], reading.bare_log_odds[rows], reading.bare_scores[rows])
        ids = [each.id for each in reading.capabilities]
        compared = compare(examples, *material, ids=ids)
        progress("comparing", 1, 1)
        figures = {"corrected reports": len(examples), **compared.figures()}
        figures["examples"] = _name(examples)
        is_used = compared.blocker is None
        taught = (
            learn(examples, *material, ids=ids, based_on=reading.based_on)
            if is_used
            else Learnt(reading.based_on)
        )
        save_learnt(session, taught, is_used=is_used, figures=figures)
    return {name: value for name, value in figures.items() if name != "examples"}


def take_back(workspace: Workspace) -> dict[str, float | str]:
    """Put what was in use before the last learning back into use."""
    with workspace.database.stage_lock("learn"), workspace.database.session() as session:
        had_any = roll_back(session)
        taught, _ = load_learnt(session)
    if not had_any:
        return {"outcome": "nothing was learnt from corrections yet"}
    earlier = "the learning before it" if taught else "the reader alone, without corrections"
    return {"outcome": f"in use is {earlier}"}


def examples_of(
    members: dict[int, list[Report]],
    corrections: dict[int, list[Correction]],
    reading: Reading,
) -> list[Example]:
    """The reports of themes whose verdict or capability a person set, copies aside."""
    examples = []
    for theme_id, words in sorted(corrections.items()):
        held = holding(words)
        verdict = held["verdict"].value if "verdict" in held else None
        if verdict == Verdict.UNDECIDED:
            verdict = None
        named = held["capability"].value if "capability" in held else None
        capability = follow(named, reading.capabilities, {}) if named else None
        if verdict is None and capability is None:
            continue
        texts = dict.fromkeys(
            report.fingerprint
            for report in members.get(theme_id, ())
            if report.fingerprint in reading.rows
        )
        is_fundamental = None if verdict is None else verdict == Verdict.FUNDAMENTAL
        examples += [Example(theme_id, key, is_fundamental, capability) for key in texts]
    return examples


def _name(examples: Sequence[Example]) -> str:
    """The same examples have the same name: a night without news changes nothing."""
    told = (
        f"{one.fingerprint} {one.theme_id} {one.is_fundamental} {one.capability}"
        for one in examples
    )
    return fingerprint("\n".join(told))


def _is_known(session: Session, examples: Sequence[Example]) -> bool:
    history = load_learning_history(session)
    if not history:
        return not examples
    return history[-1].figures.get("examples") == _name(examples)


@flow(
    name="learn_from_corrections",
    flow_run_name="learn_from_corrections",
    retries=1,
    retry_delay_seconds=300,
)
def learn_from_corrections() -> dict[str, float | str]:
    """Learn from what people corrected; compare, and swap in only what is better."""
    with open_workspace() as workspace:
        figures = run_stage(workspace, "learn", lambda: learn_all(workspace, progress=Logged()))
        with workspace.database.session() as session:
            rows = agreement_rows(session)
    show_counts("learn", figures)
    show_table(
        "agreement",
        rows,
        "How often people changed what the machine said, by month and capability",
    )
    return figures
