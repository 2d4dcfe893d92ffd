"""GitHub's refusals and failures, said in the product's words; no login ever in a message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from github3.exceptions import GitHubException, IncompleteResponse, TransportError

from triage.errors import TrackerError, TrackerRateLimited
from triage.tracker.limits import asked_wait_seconds

AGAIN = "Nothing is lost; the next run tries again."
PERHAPS_WRITTEN = (
    "It may have been created all the same: the next run looks for its marker on GitHub first "
    "and creates it only if it is absent."
)
_ERRORS = (GitHubException, requests.RequestException)
_LONGEST_QUOTE = 300


@contextmanager
def translated(attempted: str, *, writes: bool = False) -> Iterator[None]:
    """Turn every error of the library and below it into a ``TrackerError``, chained.

    ``writes``: the request creates something, so that a missing answer, or one that cannot be
    understood, leaves open whether it was created; the remedy then says so.
    """
    try:
        yield
    except _ERRORS as error:
        raise tracker_error(attempted, error, writes=writes) from error


def tracker_error(attempted: str, error: Exception, *, writes: bool = False) -> TrackerError:
    """The error to raise for one of the library's."""
    response = response_of(error)
    if response is None or response.status_code < 400:
        return _unanswered(attempted, error, response, writes)
    if (limited := _rate_limited(attempted, response)) is not None:
        return limited
    status, said = response.status_code, what_github_says(response)
    if status >= 500:
        remedy = PERHAPS_WRITTEN if writes else AGAIN
        return TrackerError(attempted, f"GitHub failed ({status}{said})", remedy)
    if status == 410 or ("issues" in said.lower() and "disabled" in said.lower()):
        problem = "issues are switched off in this repository"
        return TrackerError(attempted, problem, "Switch them on in its settings, under Features.")
    problem, remedy = _REFUSALS.get(status, ("GitHub refused it", AGAIN))
    return TrackerError(attempted, f"{problem} ({status}{said})", remedy)


_REFUSALS = {
    401: (
        "GitHub does not accept the token",
        "Set TRIAGE_GITHUB_TOKEN to a valid one, or check the GitHub App's id, installation and "
        "private key.",
    ),
    403: (
        "the login lacks the rights",
        "It needs the permission Issues: read and write on this repository (for a classic token "
        "the scope repo).",
    ),
    404: (
        "the repository was not found, or is not visible to this login",
        "Check its name (owner/name) and that the token or the GitHub App may see it.",
    ),
    422: ("GitHub found the request invalid", "Mend what GitHub names, then run again."),
}


def response_of(error: Exception) -> requests.Response | None:
    """GitHub's answer behind an error, if there was one."""
    response = getattr(error, "response", None)
    return response if isinstance(response, requests.Response) else None


def what_github_says(response: requests.Response) -> str:
    """GitHub's own message with its field errors, shortened, as `` message``; maybe empty."""
    try:
        answer = response.json()
    except ValueError:
        return ""
    if not isinstance(answer, dict):
        return ""
    details = [_detail(error) for error in field_errors(answer)]
    said = "; ".join([str(answer.get("message", "")), *details]).strip("; ")
    said = " ".join(said.split())[:_LONGEST_QUOTE]
    return f" {said}" if said else ""


def field_errors(answer: Any) -> list[Any]:
    """The list ``errors`` of a 422, empty where there is none."""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return errors if isinstance(errors, list) else []


def _detail(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    parts = (error.get("field"), error.get("message") or error.get("code"))
    return " ".join(str(part) for part in parts if part)


def _rate_limited(attempted: str, response: requests.Response) -> TrackerRateLimited | None:
    status = response.status_code
    wait = asked_wait_seconds(status, response.headers, time.time())
    is_limit = wait is not None or status == 429
    if not is_limit and not (status == 403 and "rate limit" in what_github_says(response).lower()):
        return None
    if wait is None:
        return TrackerRateLimited(
            attempted,
            "GitHub's rate limit is spent, and it does not say for how long",
            "Run again in a few minutes; what is left is done then.",
        )
    until = datetime.now(UTC) + timedelta(seconds=wait)
    return TrackerRateLimited(
        attempted,
        f"GitHub's rate limit is spent; it asks to wait {wait:.0f} s",
        f"Run again after {until:%H:%M} UTC; what is left is done then.",
    )


def _unanswered(
    attempted: str, error: Exception, response: requests.Response | None, writes: bool
) -> TrackerError:
    """No answer at all, or one that is none of GitHub's API."""
    if response is None and _is_transport(error):
        root = getattr(error, "exception", error)
        problem = f"the connection to GitHub failed ({type(root).__name__})"
        remedy = f"Check the network and TRIAGE_GITHUB_API_URL. {AGAIN}"
    else:
        problem = "the answer is not what GitHub's API sends"
        if isinstance(error, IncompleteResponse):
            problem += f" (it lacks {error.exception})"
        remedy = (
            "Check TRIAGE_GITHUB_API_URL (for GitHub Enterprise it ends in /api/v3) and that no "
            "proxy answers in GitHub's place."
        )
    return TrackerError(attempted, problem, PERHAPS_WRITTEN if writes else remedy)


def _is_transport(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return False
    return isinstance(error, TransportError | requests.RequestException)
