"""The endpoint that the environment names, if it names one."""

from __future__ import annotations

from triage.distilling.asking import Asker, Unanswered
from triage.distilling.budget import Budget
from triage.distilling.endpoint import OPTIONAL, Endpoint
from triage.distilling.questions import failure_question
from triage.errors import DistillingError
from triage.settings import Settings

_SAMPLE = "It calls the same search tool again and again with the same words, and never answers."


def open_asker(settings: Settings, *, max_requests: int | None = None) -> Asker | None:
    """Whoever asks the configured endpoint within this run's budget; None where there is none.

    ``max_requests`` is a bound below that of the settings. Raises ``DistillingError`` where the
    endpoint is named by half, or by what cannot be an address or a key.
    """
    if settings.llm_base_url is None and settings.llm_model is None:
        return None
    if settings.llm_base_url is None or settings.llm_model is None:
        names = ["TRIAGE_LLM_BASE_URL", "TRIAGE_LLM_MODEL"]
        given, missing = names if settings.llm_model is None else reversed(names)
        raise DistillingError(
            "Reading the environment", f"{given} is set, {missing} is not", "Set both, or neither."
        )
    key = None if settings.llm_api_key is None else settings.llm_api_key.get_secret_value()
    timeout = settings.llm_timeout_seconds
    endpoint = Endpoint(settings.llm_base_url, settings.llm_model, key, timeout_seconds=timeout)
    most = settings.llm_max_requests_per_run
    budget = Budget(
        most if max_requests is None else min(most, max_requests),
        settings.llm_max_tokens_per_run,
        settings.llm_max_seconds_per_run,
    )
    return Asker(endpoint, budget, concurrency=settings.llm_concurrency)


def check_endpoint(settings: Settings) -> str:
    """Ask for one made-up report and say how it went. Raises ``DistillingError`` with the remedy.

    Nothing is sent where no endpoint is configured.
    """
    asker = open_asker(settings, max_requests=10)
    if asker is None:
        return "not configured: themes are described in their reporters' words"
    endpoint = asker.endpoint
    ((_, answer),) = asker.ask({"sample": failure_question(_SAMPLE)})
    if asker.trouble is not None:
        raise asker.trouble
    if isinstance(answer, Unanswered):
        raise DistillingError(
            f"Asking {endpoint.address} for model {endpoint.model!r}",
            f"there is no usable answer ({answer.reason})",
            f"Check TRIAGE_LLM_BASE_URL, TRIAGE_LLM_API_KEY and TRIAGE_LLM_MODEL. {OPTIONAL}",
        )
    form = {"json_schema": "follows a JSON schema", "json_object": "answers in JSON"}
    ability = form.get(endpoint.dialect.form, "answers in text, which may be less reliable")
    return f"{endpoint.model} at {endpoint.address} {ability}; {asker.budget.tokens} tokens"
