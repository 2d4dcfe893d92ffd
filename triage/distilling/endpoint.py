"""One OpenAI-compatible endpoint: what is sent to it, and what its answers over HTTP mean."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import httpx

from triage.distilling.completion import Completion, read_completion
from triage.distilling.dialect import Dialect
from triage.distilling.plain import BadAnswer
from triage.distilling.questions import Prompt
from triage.errors import DistillingError

PATH = "/chat/completions"
LONGEST_ANSWER_BYTES = 256 * 1024  # reasoning of 4,096 tokens, escaped, is some 100 KB
CONNECT_SECONDS = 10.0
TIMEOUT = "timeout"
_LONGEST_COMPLAINT_BYTES = 4_000
OPTIONAL = "Or unset TRIAGE_LLM_BASE_URL: without an LLM everything works."
_REFUSALS = {
    401: ("the endpoint does not accept the key", "Set TRIAGE_LLM_API_KEY to a valid one."),
    402: ("the endpoint says that the account has no credit left", "Top it up."),
    404: (
        "the endpoint knows no such address or model",
        "Check TRIAGE_LLM_BASE_URL (it mostly ends in /v1) and TRIAGE_LLM_MODEL.",
    ),
}
_TRY_LATER = frozenset({408, 409, 425, 429})
_OVERLOADED = frozenset({429, 503})


class Unavailable(Exception):
    """This try failed in a way that another may not.

    ``wait_seconds`` is what the server asked for, where it did; ``is_overloaded`` tells that every
    other question would meet the same now.
    """

    def __init__(
        self, reason: str, wait_seconds: float | None = None, *, is_overloaded: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds
        self.is_overloaded = is_overloaded


class Declined(Exception):
    """The endpoint will not answer this question; others it may."""


class Misunderstood(Exception):
    """The endpoint does not know a part of the request; ``dialect`` is one without it."""

    def __init__(self, reason: str, dialect: Dialect) -> None:
        super().__init__(reason)
        self.dialect = dialect


class Endpoint:
    """An address, a model and a key. No text of a report and no key is in any of its errors.

    Raises ``DistillingError`` where address or key cannot be right.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 60.0,
    ) -> None:
        self._url = _checked_url(base_url)
        self._headers = {"Accept-Encoding": "identity"} | _authorization(api_key)
        self._timeout_seconds = timeout_seconds
        self.model = model
        self.address = f"{self._url.scheme}://{self._url.netloc.decode()}"
        self.dialect = Dialect()

    def open(self, connections: int) -> httpx.AsyncClient:
        """A client for so many requests at a time. Redirects are not followed: the key stays."""
        return httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(self._timeout_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=connections),
        )

    async def request(
        self, http: httpx.AsyncClient, prompt: Prompt, data: str, dialect: Dialect
    ) -> Completion:
        """One request; all of it, from the connection to the last byte, within the timeout.

        Raises ``Unavailable``, ``Misunderstood``, ``Declined`` or ``BadAnswer`` for this question
        and ``DistillingError`` where every other question would meet the same.
        """
        payload = dialect.payload(self.model, prompt, data)
        try:
            with anyio.fail_after(self._timeout_seconds):
                async with http.stream("POST", self._url, json=payload) as response:
                    body = await _bounded(response)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unavailable(TIMEOUT) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"connection failed ({type(error).__name__})") from error
        if response.status_code != 200:
            self._refuse(response, body, dialect)
        if not _is_plain(response):
            raise BadAnswer("the answer is compressed, unasked")
        completion = read_completion(body)
        if completion is None:
            raise Unavailable("the endpoint answered with an error")
        return completion

    def _refuse(self, response: httpx.Response, body: bytes, dialect: Dialect) -> None:
        status, reason = response.status_code, f"HTTP {response.status_code}"
        if status in _REFUSALS or 300 <= status < 400:
            problem, remedy = _REFUSALS.get(status) or (
                "the endpoint redirects to another address, which is not followed",
                "Set TRIAGE_LLM_BASE_URL to the address where it ends.",
            )
            attempted = f"Asking {self.address} for model {self.model!r}"
            raise DistillingError(attempted, f"{problem} ({reason})", f"{remedy} {OPTIONAL}")
        if status in _TRY_LATER or status >= 500:
            wait_seconds = _retry_after(response)
            raise Unavailable(reason, wait_seconds, is_overloaded=status in _OVERLOADED)
        if status in (400, 422):
            complaint = body[:_LONGEST_COMPLAINT_BYTES].decode("utf-8", "replace").lower()
            simpler = dialect.simpler(complaint)
            if simpler is not None:
                raise Misunderstood(reason, simpler)
        raise Declined(reason)


async def _bounded(response: httpx.Response) -> bytes:
    """The body as sent, never unpacked, so that no small answer can become a large one."""
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > LONGEST_ANSWER_BYTES:
            raise BadAnswer("the answer is too long")
    return bytes(body)


def _is_plain(response: httpx.Response) -> bool:
    return str(response.headers.get("Content-Encoding", "identity")).strip().lower() == "identity"


def _checked_url(base_url: str) -> httpx.URL:
    attempted = "Reading TRIAGE_LLM_BASE_URL"
    try:
        url = httpx.URL(base_url.strip().rstrip("/").removesuffix(PATH) + PATH)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise DistillingError(attempted, "it is no address", "Write it as https://host/v1.")
    if url.userinfo or url.query or url.fragment:
        raise DistillingError(
            attempted,
            "it carries a login or parameters, which could end up in a log",
            "Write it as https://host/v1, and the key into TRIAGE_LLM_API_KEY.",
        )
    return url


def _authorization(api_key: str | None) -> dict[str, Any]:
    key = (api_key or "").strip()
    if not key:
        return {}
    # The HTTP library would repeat a header that it refuses, key and all.
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise DistillingError(
            "Reading TRIAGE_LLM_API_KEY",
            "it holds spaces or characters that no key has",
            "Copy the key again, on one line.",
        )
    return {"Authorization": f"Bearer {key}"}


def _retry_after(response: httpx.Response) -> float | None:
    """``Retry-After`` is a number of seconds or a date; anything else says nothing."""
    asked = response.headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
