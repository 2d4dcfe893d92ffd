"""The optional second opinion of the theme stage: would one fix resolve both of a pair?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flows.distilling import (
    MOST_RUNS,
    ask_and_keep,
    load_phrases,
    open_llm,
    rest_since,
    spending,
)
from flows.showing import ShowProgress, silent
from triage.database import Session
from triage.distilling import PAIR_PROMPT, group_hash, pair_question
from triage.settings import Settings
from triage.store.llm_answers import load_pair_answers, load_resting, save_pair_answer
from triage.store.proposals import load_proposals, save_advice
from triage.store.reports import load_reports
from triage.store.themes import load_themes
from triage.types import PairAnswer, ProposalKind, ThemeStatus
from triage.workspace import Workspace

LONGEST_TEXT = 400  # of each report where it has no phrase
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Comparison(Generic[Name]):
    """The answers to the pairs that were asked about, as they were given, and the counts."""

    answers: dict[tuple[Name, Name], PairAnswer] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def ask_pairs(
    workspace: Workspace,
    groups: Mapping[Name, Sequence[str]],
    pairs: Iterable[tuple[Name, Name]],
    *,
    progress: ShowProgress = silent,
) -> Comparison[Name]:
    """Ask whether one fix would resolve both groups of each pair; ``groups`` are their texts.

    The pairs that matter most come first: at most ``TRIAGE_LLM_MAX_PAIRS_PER_RUN`` are asked
    about, known answers cost nothing, and (a, b) is (b, a). A pair without an answer is left out
    of ``answers``; nothing is raised for what the endpoint does. The answer is advice, never a
    decision. Call it outside of any transaction.
    """
    wanted = dict.fromkeys(pair for pair in pairs if pair[0] != pair[1])
    with workspace.database.session() as session:
        known = load_pairs(session, workspace.settings, groups, wanted)
    asker, said = open_llm(workspace)
    if asker is None:
        return Comparison(known, said)
    asked = {"prompt_version": PAIR_PROMPT.version, "llm_model": asker.endpoint.model}
    with workspace.database.session() as session:
        resting = load_resting(session, **asked, since=rest_since(), most_runs=MOST_RUNS)
    unknown = {
        ":".join(hashes): pair
        for pair in wanted
        if (hashes := _hashes(groups, pair)) and hashes[0] != hashes[1] and pair not in known
    }
    waiting = [key for key in unknown if key not in resting]
    chosen = waiting[: workspace.settings.llm_max_pairs_per_run]
    questions = {
        key: pair_question(*(tuple(groups[one]) for one in unknown[key])) for key in chosen
    }

    def keep(session: Session, key: str, answer: PairAnswer) -> None:
        first, _, second = key.partition(":")
        save_pair_answer(session, (first, second), answer, **asked)

    names = ("pairs compared", "pairs not compared")
    counts = ask_and_keep(workspace, asker, questions, keep, names, progress=progress)
    if len(waiting) > len(chosen):
        counts["pairs not compared: the budget of this run is spent"] += len(waiting) - len(chosen)
    with workspace.database.session() as session:
        answers = load_pairs(session, workspace.settings, groups, wanted)
    return Comparison(answers, {**counts, **spending(asker, "pairs")})


def ask_theme_pairs(
    workspace: Workspace, pairs: Iterable[tuple[int, int]], *, progress: ShowProgress = silent
) -> Comparison[int]:
    """``ask_pairs`` for themes by id: each is represented by its exemplars.

    Their phrases stand for the reports that have one, their beginnings for the others.
    """
    wanted = list(pairs)
    with workspace.database.session() as session:
        groups = load_theme_groups(
            session, workspace.settings, {theme_id for pair in wanted for theme_id in pair}
        )
    told = [pair for pair in wanted if pair[0] in groups and pair[1] in groups]
    return ask_pairs(workspace, groups, told, progress=progress)


def advise_on_merges(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Ask about the merges that wait for a person, and note each answer beside its proposal."""
    if workspace.settings.llm_base_url is None:
        return {}
    with workspace.database.session() as session:
        merges = {
            (change.theme_id, change.other_id): proposal.proposal_id
            for proposal in load_proposals(session)
            if (change := proposal.change).kind is ProposalKind.MERGE
            and change.other_id is not None
        }
    found = ask_theme_pairs(workspace, merges, progress=progress)
    with workspace.database.session() as session:
        for pair, answer in found.answers.items():
            says = "one fix would resolve both" if answer.same_fix else "they need a fix each"
            by = workspace.settings.llm_model
            save_advice(session, merges[pair], f"{by} thinks {says}: {answer.because}")
    return found.counts


def load_pairs(
    session: Session,
    settings: Settings,
    groups: Mapping[Name, Sequence[str]],
    pairs: Iterable[tuple[Name, Name]],
) -> dict[tuple[Name, Name], PairAnswer]:
    """The answers that are known already; sends nothing, so it may run inside a transaction."""
    if settings.llm_base_url is None or settings.llm_model is None:
        return {}
    hashes = {pair: _hashes(groups, pair) for pair in pairs}
    found = load_pair_answers(
        session,
        hashes.values(),
        prompt_version=PAIR_PROMPT.version,
        llm_model=settings.llm_model,
    )
    return {pair: found[both] for pair, both in hashes.items() if both in found}


def load_theme_groups(
    session: Session, settings: Settings, theme_ids: Iterable[int]
) -> dict[int, tuple[str, ...]]:
    """The texts that stand for each open theme when it is compared."""
    chosen = set(theme_ids)
    themes = [t for t in load_themes(session, ThemeStatus.OPEN) if t.theme_id in chosen]
    wanted = {report_id for theme in themes for report_id in theme.text.exemplar_ids}
    phrases = load_phrases(session, settings)
    texts = {
        report.report_id: phrases[report.fingerprint].failure
        if report.fingerprint in phrases
        else report.failure_text[:LONGEST_TEXT]
        for report in load_reports(session, wanted)
    }
    groups = {
        theme.theme_id: tuple(texts[i] for i in theme.text.exemplar_ids if i in texts)
        for theme in themes
    }
    return {theme_id: group for theme_id, group in groups.items() if group}


def _hashes(groups: Mapping[Name, Sequence[str]], pair: tuple[Name, Name]) -> tuple[str, str]:
    one, other = group_hash(groups[pair[0]]), group_hash(groups[pair[1]])
    return (one, other) if one <= other else (other, one)
