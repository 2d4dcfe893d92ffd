"""The issue tracker: the only door to GitHub, and the only import of github3.py.

``GitHubTracker`` files issues, ``IssueDesk`` follows them, ``ConsoleTracker`` shows what would be
filed, and ``GitHubReader`` reads issues for the sources.
"""

from __future__ import annotations

from collections.abc import Callable

from triage.errors import SettingsError
from triage.settings import Settings
from triage.tracker.console import ConsoleTracker
from triage.tracker.desk import CommentPage, Edit, IssueDesk, IssuePage
from triage.tracker.github import GitHubTracker
from triage.tracker.reader import GitHubReader
from triage.tracker.rights import Rights, fetch_rights
from triage.tracker.session import AppLogin, is_logged_in, open_session, session_from
from triage.types import IssueDraft

__all__ = [
    "AppLogin",
    "CommentPage",
    "ConsoleTracker",
    "Edit",
    "GitHubReader",
    "GitHubTracker",
    "IssueDesk",
    "IssuePage",
    "Rights",
    "load_rights",
    "open_desk",
    "open_reader",
    "open_session",
    "open_tracker",
]


def open_reader(settings: Settings) -> GitHubReader:
    """A reader with the login of the environment; without one public repositories only."""
    return GitHubReader(session_from(settings))


def open_tracker(
    settings: Settings,
    repository: str,
    *,
    theme_of: Callable[[str], int | None],
    with_fallback: Callable[[IssueDraft, str], IssueDraft],
) -> GitHubTracker:
    """The tracker of a repository; raises ``SettingsError`` where no login is set."""
    github = session_from(settings)
    if not is_logged_in(github):
        raise SettingsError(
            f"Filing issues in {repository}",
            "no login for GitHub is set",
            "Set TRIAGE_GITHUB_TOKEN, or TRIAGE_GITHUB_APP_ID, TRIAGE_GITHUB_APP_INSTALLATION_ID "
            "and TRIAGE_GITHUB_APP_PRIVATE_KEY.",
        )
    return GitHubTracker(github, repository, theme_of=theme_of, with_fallback=with_fallback)


def load_rights(settings: Settings, repository: str) -> Rights | None:
    """What the login of the environment may do in a repository; None where none is set."""
    github = session_from(settings)
    return fetch_rights(github, repository) if is_logged_in(github) else None


def open_desk(
    settings: Settings, repository: str, *, section_of: Callable[[str], str | None]
) -> IssueDesk:
    """The desk of a repository; whoever writes checks first that it may be written to."""
    return IssueDesk(session_from(settings), repository, section_of=section_of)
