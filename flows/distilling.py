"""The optional LLM step of the embed stage: one question per new text, answers kept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flows.showing import ShowProgress, silent
from flows.stages import load_stop
from triage.database import Session
from triage.distilling import (
    FAILURE_PROMPT,
    Asker,
    Distillation,
    Question,
    Unanswered,
    failure_question,
    open_asker,
)
from triage.errors import DistillingError
from triage.settings import Settings
from triage.spending import ANSWER_TOKENS, REQUESTS, TOKENS
from triage.store.distillations import (
    StoredDistillation,
    load_distillations,
    load_undistilled,
    load_whole_texts,
    save_distillations,
)
from triage.store.llm_answers import load_resting, save_unanswered
from triage.store.operation import LLM
from triage.workspace import Workspace

logger = logging.getLogger(__name__)

BATCH = 1000  # texts in memory at a time
# A question that got no usable answer in so many runs is left alone for so long.
MOST_RUNS = 3
REST = timedelta(days=7)
NOT_SET_UP = "LLM not used, see `triage doctor`"
Answer = TypeVar("Answer")


def distil(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Ask the endpoint about every text it was not asked about; each answer is stored at once.

    Without an endpoint nothing is done. A report without a good answer keeps its extractive form;
    it is asked about again by the next run, or after the third useless answer by one a week later.
    Returns counts, by reason where an answer is missing. Raises nothing for what the endpoint
    does. One process at a time; no transaction is open while an answer is waited for.
    """
    asker, said = open_llm(workspace)
    if asker is None:
        return said
    with workspace.database.stage_lock("distil"):
        counts = _distil_all(workspace, asker, progress)
    done = counts.pop("distilled", 0)
    totals = {"distilled": done, "not distilled": counts.total()}
    return {**totals, **counts, **spending(asker, "phrases")}


def distil_part(workspace: Workspace, keys: Collection[str]) -> dict[str, int]:
    """``distil`` for texts that nobody else asks about meanwhile, within this part's budget."""
    asker, said = open_llm(workspace)
    if asker is None:
        return said
    counts = _distil_all(workspace, asker, silent, keys)
    done = counts.pop("distilled", 0)
    return {"distilled": done, "not distilled": counts.total(), **spending(asker, "phrases")}


def load_undistilled_keys(workspace: Workspace) -> list[str]:
    """Texts that the endpoint was not asked about; none where none is set up."""
    asker, _ = open_llm(workspace)
    if asker is None:
        return []
    with workspace.database.session() as session:
        return list(
            load_undistilled(
                session, prompt_version=FAILURE_PROMPT.version, llm_model=asker.endpoint.model
            )
        )


def open_llm(workspace: Workspace) -> tuple[Asker | None, dict[str, int]]:
    """Whoever asks the configured endpoint, or None and what to say of that."""
    if workspace.settings.llm_base_url and (stop := load_stop(workspace, LLM)) is not None:
        logger.warning("the LLM is not asked: %s", stop)
        return None, {"LLM stopped": 1}
    try:
        return open_asker(workspace.settings), {}
    except DistillingError as error:
        logger.warning("%s", error)
        return None, {NOT_SET_UP: 1}


def rest_since() -> datetime:
    """Since when a question must have been asked for the last time to be left alone now."""
    return datetime.now(UTC) - REST


def _distil_all(
    workspace: Workspace,
    asker: Asker,
    progress: ShowProgress,
    only: Collection[str] | None = None,
) -> Counter[str]:
    asked = {"prompt_version": FAILURE_PROMPT.version, "llm_model": asker.endpoint.model}
    with workspace.database.session() as session:
        resting = load_resting(session, **asked, most_runs=MOST_RUNS, since=rest_since())
        waiting = load_undistilled(session, **asked)
    if only is not None:
        waiting = [key for key in waiting if key in only]
    keys = [key for key in waiting if key not in resting]

    def keep(session: Session, key: str, found: Distillation) -> None:
        save_distillations(session, {key: StoredDistillation(found.failure, found.layer)}, **asked)

    counts: Counter[str] = Counter()
    if len(keys) < len(waiting):
        counts[f"not distilled: no usable answer in {MOST_RUNS} runs"] = len(waiting) - len(keys)
    for start in range(0, len(keys), BATCH):
        if asker.blocker is not None:
            counts[f"not distilled: {asker.blocker}"] += len(keys) - start
            break
        with workspace.database.session() as session:
            texts = load_whole_texts(session, keys[start : start + BATCH])
        questions = {key: failure_question(text) for key, text in texts.items()}

        def show(_what: str, done: int, _of: int, before: int = start) -> None:
            progress("distilling", before + done, len(keys))

        counts += ask_and_keep(
            workspace, asker, questions, keep, ("distilled", "not distilled"), progress=show
        )
    return counts


def ask_and_keep(
    workspace: Workspace,
    asker: Asker,
    questions: Mapping[str, Question[Answer]],
    keep: Callable[[Session, str, Answer], None],
    names: tuple[str, str],
    *,
    progress: ShowProgress = silent,
) -> Counter[str]:
    """Ask (by question hash) and ``keep`` each answer in a transaction of its own.

    Counts what was done and, by reason, what was not, under these two ``names``. Questions whose
    own answer was useless are noted.
    """
    done_as, not_done_as = names
    counts: Counter[str] = Counter()
    useless: dict[str, str] = {}
    with closing(asker.ask(questions)) as answers:  # on an error nobody goes on asking
        for done, (key, answer) in enumerate(answers, start=1):
            if isinstance(answer, Unanswered):
                counts[f"{not_done_as}: {answer.reason}"] += 1
                if answer.is_its_own:
                    useless[key] = answer.reason
            else:
                counts[done_as] += 1
                with workspace.database.session() as session:
                    keep(session, key, answer)
            progress(done_as, done, len(questions))
    if useless:
        version = next(iter(questions.values())).prompt.version
        with workspace.database.session() as session:
            save_unanswered(
                session, useless, prompt_version=version, llm_model=asker.endpoint.model
            )
    return counts


def spending(asker: Asker, purpose: str) -> dict[str, int]:
    """What was sent and paid for, as counts of the stage; nothing where nothing was sent."""
    budget = asker.budget
    if not budget.requests:
        return {}
    return {
        f"{REQUESTS} {purpose}": budget.requests,
        f"{TOKENS} {purpose}": budget.tokens,
        f"{ANSWER_TOKENS} {purpose}": budget.completion_tokens,
    }


def load_phrases(session: Session, settings: Settings) -> dict[str, StoredDistillation]:
    """The answers of the present prompt and model by fingerprint; none without an endpoint."""
    if settings.llm_base_url is None or settings.llm_model is None:
        return {}
    return load_distillations(
        session, prompt_version=FAILURE_PROMPT.version, llm_model=settings.llm_model
    )
