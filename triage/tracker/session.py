"""The login at GitHub: a github3.py session that waits politely and never writes twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import github3
import requests
from github3.apps import create_token
from github3.exceptions import error_for
from github3.session import AppBearerTokenAuth, GitHubSession
from jwt import PyJWTError
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from triage.errors import SettingsError
from triage.settings import Settings
from triage.tracker.failures import translated
from triage.tracker.limits import CarefulRetry

TIMEOUT_SECONDS = 30.0
# GitHub accepts at most ten minutes and refuses a token from the future: half of it leaves room
# for clocks that differ.
APP_TOKEN_SECONDS = 300
RENEW_BEFORE_END_SECONDS = 300


@dataclass(frozen=True, slots=True)
class AppLogin:
    """A GitHub App's installation; ``private_key`` is the PEM text that GitHub gave out."""

    app_id: int
    installation_id: int
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """What GitHub hands out to an installation, for an hour."""

    token: str = field(repr=False)
    expires_at: datetime
    permissions: Mapping[str, str]


class InstallationAuth(AuthBase):  # type: ignore[misc,unused-ignore]
    """Signs requests with an installation's token and fetches the next one before it ends."""

    def __init__(self, fetch: Callable[[], InstallationToken]) -> None:
        self._fetch = fetch
        self._current: InstallationToken | None = None

    @property
    def permissions(self) -> Mapping[str, str]:
        """What the installation may do, such as ``{"issues": "write"}``."""
        return self._valid().permissions

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request."""
        request.headers["Authorization"] = f"token {self._valid().token}"
        return request

    def _valid(self) -> InstallationToken:
        current = self._current
        if current is None or _seconds_left(current) < RENEW_BEFORE_END_SECONDS:
            self._current = current = self._fetch()
        return current


def open_session(
    *,
    api_url: str,
    token: str | None = None,
    app: AppLogin | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> github3.GitHub:
    """A github3.py client, logged in with a token, as a GitHub App, or not at all.

    ``api_url`` is https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise. Nothing
    is sent yet, except that an App fetches its first token with the first request. Raises
    ``SettingsError`` for an address that is none.
    """
    session = GitHubSession(timeout_seconds, timeout_seconds)
    session.base_url = _checked(api_url)
    session.headers["User-Agent"] = f"feedback-triage {session.headers['User-Agent']}"
    adapter = HTTPAdapter(max_retries=CarefulRetry.polite())
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    if app is not None:
        session.auth = InstallationAuth(lambda: _fetch_installation_token(session, app))
    elif token:
        session.token_auth(token)
    return github3.GitHub(session=session)


def session_from(settings: Settings) -> github3.GitHub:
    """The client that the environment describes; an App outranks a token."""
    secret = settings.github_token
    return open_session(
        api_url=settings.github_api_url,
        token=secret.get_secret_value() if secret else None,
        app=_app_login(settings),
    )


def is_logged_in(github: github3.GitHub) -> bool:
    """Whether requests carry a login; without one GitHub serves public repositories only."""
    return bool(github.session.has_auth())


def _app_login(settings: Settings) -> AppLogin | None:
    parts = {
        "TRIAGE_GITHUB_APP_ID": settings.github_app_id,
        "TRIAGE_GITHUB_APP_INSTALLATION_ID": settings.github_app_installation_id,
        "TRIAGE_GITHUB_APP_PRIVATE_KEY": settings.github_app_private_key,
    }
    missing = [name for name, value in parts.items() if value is None]
    if len(missing) == len(parts):
        return None
    app_id, installation = settings.github_app_id, settings.github_app_installation_id
    key = settings.github_app_private_key
    if app_id is None or installation is None or key is None:
        raise SettingsError(
            "Logging in at GitHub as an App",
            f"{' and '.join(missing)} is not set",
            "Set all three TRIAGE_GITHUB_APP_… variables, or none and TRIAGE_GITHUB_TOKEN.",
        )
    return AppLogin(app_id, installation, key.get_secret_value())


def _checked(api_url: str) -> str:
    parts = urlsplit(api_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SettingsError(
            "Connecting to GitHub",
            "TRIAGE_GITHUB_API_URL is not an address of an API",
            "Set it to https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise, "
            "without a user name in it.",
        )
    return api_url.rstrip("/")


def _fetch_installation_token(session: GitHubSession, app: AppLogin) -> InstallationToken:
    attempted = f"Logging in at GitHub as installation {app.installation_id} of App {app.app_id}"
    try:
        # keys travel through environment variables, where line ends are often written as \n
        pem = app.private_key.replace("\\n", "\n").encode()
        # as text: PyJWT 2.10 and later refuse an issuer that is a number
        jwt = create_token(pem, str(app.app_id), APP_TOKEN_SECONDS)
    except (PyJWTError, ValueError, TypeError) as error:
        raise SettingsError(
            attempted,
            "TRIAGE_GITHUB_APP_PRIVATE_KEY is not a private key",
            "Set it to the content of the .pem file that GitHub gave out for the App.",
        ) from error
    url = session.build_url("app", "installations", str(app.installation_id), "access_tokens")
    with translated(attempted):
        response = session.post(url, auth=AppBearerTokenAuth(jwt, APP_TOKEN_SECONDS), data="{}")
        if response.status_code != 201:
            raise error_for(response)
        return _installation_token(response)


def _installation_token(response: requests.Response) -> InstallationToken:
    answer: dict[str, Any] = response.json()
    try:
        expires_at = datetime.fromisoformat(answer["expires_at"])
        return InstallationToken(answer["token"], expires_at, answer.get("permissions") or {})
    except (KeyError, ValueError) as error:
        raise requests.exceptions.InvalidJSONError("no token in the answer") from error


def _seconds_left(token: InstallationToken) -> float:
    return token.expires_at.timestamp() - time.time()
