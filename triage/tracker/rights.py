"""What a login may do in a repository, and how far GitHub's clock is from ours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import github3
import requests
from github3.exceptions import error_for

from triage.tracker.failures import translated
from triage.tracker.session import InstallationAuth

CLASSIC_SCOPES = frozenset({"repo", "public_repo"})
_LABELLING_ROLES = ("admin", "maintain", "push")


@dataclass(frozen=True, slots=True)
class Rights:
    """What is missing to file issues; how many seconds GitHub's clock is ahead of ours."""

    login: str
    missing: tuple[str, ...]
    doubts: tuple[str, ...]
    clock_ahead_seconds: float | None


def fetch_rights(github: github3.GitHub, repository: str) -> Rights:
    """Ask GitHub for the repository as this login sees it. Raises ``TrackerError``."""
    attempted = f"Asking what the login may do in {repository}"
    session = github.session
    with translated(attempted):
        began = time.time()
        response = session.get(session.build_url("repos", *repository.split("/")))
        middle = (began + time.time()) / 2
        if response.status_code != 200:
            raise error_for(response)
        answer = response.json()
    ahead = clock_ahead_seconds(response, middle)
    auth = session.auth
    if isinstance(auth, InstallationAuth):
        missing = _of_app(auth)
        return Rights("a GitHub App", missing, (), ahead)
    roles = answer.get("permissions")
    missing, doubts = _of_token(response, roles if isinstance(roles, dict) else None)
    return Rights("a token", missing, doubts, ahead)


def _of_app(auth: InstallationAuth) -> tuple[str, ...]:
    if auth.permissions.get("issues") == "write":
        return ()
    return ("the App's permission Issues: read and write",)


def _of_token(
    response: requests.Response, roles: dict[str, bool] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is missing and what may be; only classic tokens say their scopes."""
    missing, doubts = [], []
    scopes = response.headers.get("X-OAuth-Scopes")
    if scopes is not None and scopes.strip():
        held = {scope.strip() for scope in scopes.split(",")}
        if not held & CLASSIC_SCOPES:
            missing.append("the token's scope repo (or public_repo for a public repository)")
    if roles is None:
        doubts.append("GitHub does not say which role the login has")
    elif not any(roles.get(role) for role in (*_LABELLING_ROLES, "triage")):
        missing.append("the permission Issues: read and write (at least the role triage)")
    elif not any(roles.get(role) for role in _LABELLING_ROLES):
        doubts.append(
            "the role triage cannot create labels or milestones: create them by hand, or give "
            "the role write"
        )
    return tuple(missing), tuple(doubts)


def clock_ahead_seconds(response: requests.Response, ours: float) -> float | None:
    """How far the clock of an answer is ahead of the time ``ours``; None where it says nothing."""
    try:
        # the header counts whole seconds, cut off
        return parsedate_to_datetime(response.headers["Date"]).timestamp() + 0.5 - ours
    except (KeyError, ValueError, TypeError):
        return None
