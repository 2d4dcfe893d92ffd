"""The optional LLM step of the embed stage: one question per new text, answers kept."""

from __future__ import annotations

from flows.showing import ShowProgress, silent
from triage.database import Session
from triage.distilling import PROMPT_VERSION, Distiller
from triage.settings import Settings
from triage.store.distillations import (
    StoredDistillation,
    load_distillations,
    load_undistilled,
    save_distillations,
)
from triage.workspace import Workspace


def distil(workspace: Workspace, *, progress: ShowProgress = silent) -> dict[str, int]:
    """Ask the endpoint about every text it was not asked about; each answer is stored at once.

    Without an endpoint nothing is done. A report without a good answer keeps its extractive form
    and is asked about again by the next run. Returns counts, by reason where an answer is missing.
    """
    settings = workspace.settings
    if settings.llm_base_url is None or settings.llm_model is None:
        return {}
    key = None if settings.llm_api_key is None else settings.llm_api_key.get_secret_value()
    distiller = Distiller(settings.llm_base_url, settings.llm_model, key)
    with workspace.database.session() as session:
        texts = load_undistilled(
            session, prompt_version=PROMPT_VERSION, llm_model=settings.llm_model
        )
    answers = distiller.distil(texts, budget=settings.llm_max_requests_per_run)
    for done, (fingerprint, found) in enumerate(answers, start=1):
        with workspace.database.session() as session:
            save_distillations(
                session,
                {fingerprint: StoredDistillation(found.failure, found.layer)},
                prompt_version=PROMPT_VERSION,
                llm_model=settings.llm_model,
            )
        progress("distilling", done, len(texts))
    outcome = distiller.outcome
    counts = {"distilled": outcome.answered, "not distilled": sum(outcome.fallbacks.values())}
    counts |= {f"not distilled: {reason}": n for reason, n in sorted(outcome.fallbacks.items())}
    return counts | {"LLM tokens": outcome.prompt_tokens + outcome.completion_tokens}


def load_phrases(session: Session, settings: Settings) -> dict[str, StoredDistillation]:
    """The answers of the present prompt and model by fingerprint; none without an endpoint."""
    if settings.llm_base_url is None or settings.llm_model is None:
        return {}
    return load_distillations(session, prompt_version=PROMPT_VERSION, llm_model=settings.llm_model)
