"""Langfuse's public REST API, read with care: bounded answers, few retries, no redirects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from triage.errors import SourceError

MOST_BYTES = 50_000_000
TIMEOUT_SECONDS = (10, 60)


class Langfuse:
    """Asks a Langfuse server. Every method raises ``SourceError``."""

    def __init__(self, host: str, public_key: str, secret_key: str) -> None:
        self.host = host.rstrip("/")
        self._session = requests.Session()
        self._session.auth = (public_key, secret_key)
        retry = Retry(
            total=2, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504),
            respect_retry_after_header=False, raise_on_status=False,
        )  # fmt: skip
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def fetch_scores(self, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        """A page of scores with their subjects and comments."""
        found = self._get("/api/public/v3/scores", parameters)
        if found is None:
            raise self._refusal("it has no scores API v3 (Langfuse 3.179 or newer has)")
        return found

    def fetch_trace(self, trace_id: str) -> Mapping[str, Any] | None:
        """A trace with its observations; None where it is gone.

        Servers of the fourth version have no such address: there its observations are read.
        """
        found = self._get(f"/api/public/traces/{quote(trace_id, safe='')}", {})
        if found is not None:
            return found
        fields = {"traceId": trace_id, "fields": "core,basic,io,model", "limit": "100"}
        listed = self._get("/api/public/v2/observations", fields)
        observations = listed.get("data") if listed is not None else None
        if not isinstance(observations, list) or not observations:
            return None
        first = next((o for o in observations if _is_root(o)), observations[0])
        return {**first, "observations": observations} if isinstance(first, Mapping) else None

    def _get(self, path: str, parameters: Mapping[str, str]) -> Mapping[str, Any] | None:
        try:
            with self._session.get(
                self.host + path, params=dict(parameters), timeout=TIMEOUT_SECONDS, stream=True,
                allow_redirects=False,
            ) as response:  # fmt: skip
                if response.status_code == 404:
                    return None
                if response.status_code != 200:
                    raise self._refusal(f"it answered {response.status_code}")
                content = bytearray()
                for chunk in response.iter_content(65_536):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise self._refusal(f"an answer has more than {MOST_BYTES} bytes")
            found = json.loads(bytes(content))
        except (requests.RequestException, OSError) as error:
            raise self._refusal(f"no answer ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise self._refusal("the answer is no JSON") from error
        if not isinstance(found, Mapping):
            raise self._refusal("the answer is no JSON object")
        return found

    def _refusal(self, problem: str) -> SourceError:
        return SourceError(
            f"Reading scores of {self.host}",
            problem,
            "Check sources.langfuse.host and TRIAGE_LANGFUSE_PUBLIC_KEY and _SECRET_KEY; the next "
            "run tries again.",
        )


def _is_root(observation: Any) -> bool:
    return isinstance(observation, Mapping) and not observation.get("parentObservationId")
