"""An issue's life on GitHub: what happened there is read, and what the machine says is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import github3
import requests
from github3.exceptions import error_for
from github3.repos.repo import Repository

from triage.errors import TrackerError, TrackerGone, TrackerLocked, TrackerRateLimited
from triage.listening import SeenComment, SeenEvent, SeenIssue
from triage.tracker.catalogue import Catalogue
from triage.tracker.failures import AGAIN, tracker_error, translated, what_github_says
from triage.tracker.listing import PAGE_SIZE, fetch_all, fetch_page
from triage.tracker.parsing import seen_comment, seen_event, seen_issue
from triage.tracker.session import InstallationAuth


class IssuePage(NamedTuple):
    """Some issues, whether more follow, and GitHub's clock when it answered."""

    items: tuple[SeenIssue, ...]
    has_more: bool
    answered_at: datetime | None


class CommentPage(NamedTuple):
    """Some comments, whether more follow, and GitHub's clock when it answered."""

    items: tuple[SeenComment, ...]
    has_more: bool
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Edit:
    """What one request changes on an issue; None leaves a field alone."""

    body: str | None = None
    labels: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None
    milestone: str | None = None
    milestone_due: str | None = None
    state: str | None = None
    state_reason: str | None = None
    title: str | None = None


class IssueDesk:
    """Reads and writes the issues of one repository; ``section_of`` hashes our part of a body."""

    def __init__(
        self,
        github: github3.GitHub,
        repository: str,
        *,
        section_of: Callable[[str], str | None],
    ) -> None:
        self.repository = repository
        self._github = github
        self._section_of = section_of
        self._catalogue = Catalogue(github, repository)
        self._opened: Repository | None = None
        self._login: str | None = None

    def own_login(self) -> str | None:
        """The name that our writes carry; None for a GitHub App, which writes as a bot."""
        if isinstance(self._github.session.auth, InstallationAuth):
            return None
        if self._login is None:
            answer = self._get("user", "Asking who is logged in").json()
            self._login = str(answer.get("login", ""))
        return self._login or None

    def present_name(self) -> str:
        """The repository's name today: another one after a renaming or a transfer."""
        return str(self._repository().full_name)

    def is_archived(self) -> bool:
        """Whether the repository can only be read."""
        return bool(self._repository().archived)

    def fetch_issues(self, *, since: datetime | None, page: int) -> IssuePage:
        """One page of all issues that changed ``since``, in the order of their creation.

        By creation, so that an issue that changes meanwhile is not passed over.
        """
        listed = fetch_page(
            self._github,
            f"repos/{self.repository}/issues",
            {"state": "all", **_window(since, page)},
            attempted=f"Reading the issues of {self.repository}",
        )
        found = (seen_issue(item, self._section_of) for item in listed.items)
        items = tuple(one for one in found if one is not None)
        return IssuePage(items, listed.has_more, listed.answered_at)

    def fetch_comments(self, *, since: datetime | None, page: int) -> CommentPage:
        """One page of all comments in the repository that were written or edited ``since``."""
        listed = fetch_page(
            self._github,
            f"repos/{self.repository}/issues/comments",
            _window(since, page),
            attempted=f"Reading the comments in {self.repository}",
        )
        found = (seen_comment(item) for item in listed.items)
        items = tuple(one for one in found if one is not None)
        return CommentPage(items, listed.has_more, listed.answered_at)

    def fetch_events(
        self,
        *,
        since: datetime | None,
        is_enough: Callable[[list[SeenEvent]], bool],
        max_pages: int,
    ) -> list[SeenEvent]:
        """Who changed what in the repository, the latest first, until that ``is_enough``.

        It ends at ``since`` at the latest, or after ``max_pages``: what lies further back stays
        without a name.
        """
        found: list[SeenEvent] = []
        for page in range(1, max_pages + 1):
            listed = fetch_page(
                self._github,
                f"repos/{self.repository}/issues/events",
                {"per_page": PAGE_SIZE, "page": page},
                attempted=f"Reading the events of {self.repository}",
            )
            found += [e for e in (seen_event(item) for item in listed.items) if e is not None]
            reached = since is not None and any(event.at < since for event in found)
            if not listed.has_more or reached or is_enough(found):
                break
        return found

    def fetch_events_of(self, number: int) -> list[SeenEvent]:
        """Everything that happened to one issue, oldest first."""
        path = f"repos/{self.repository}/issues/{number}/events"
        attempted = f"Reading what happened to {self.repository}#{number}"
        items = fetch_all(self._github, path, {}, attempted=attempted)
        return [e for e in (seen_event(item, number) for item in items) if e is not None]

    def fetch_comments_on(
        self, number: int, *, since: datetime | None = None
    ) -> Iterator[SeenComment]:
        """The comments on one issue (since then), oldest first."""
        path = f"repos/{self.repository}/issues/{number}/comments"
        attempted = f"Reading the comments on {self.repository}#{number}"
        params = {} if since is None else {"since": _written(since)}
        for item in fetch_all(self._github, path, params, attempted=attempted):
            if (comment := seen_comment(item)) is not None:
                yield comment

    def fetch_issue(self, number: int) -> SeenIssue:
        """One issue as it is now; raises ``TrackerGone`` where it was deleted or moved away."""
        attempted = f"Reading {self.repository}#{number}"
        response = self._get(f"repos/{self.repository}/issues/{number}", attempted, (404, 410))
        if response.status_code in (404, 410):
            raise TrackerGone(attempted, "it was deleted", "Nothing is written to it any more.")
        return self._of_this_repository(response.json(), number, attempted)

    def role_of(self, login: str) -> str:
        """``admin``, ``maintain``, ``write``, ``triage``, ``read`` or ``none``."""
        attempted = f"Asking what {login} may do in {self.repository}"
        path = f"repos/{self.repository}/collaborators/{login}/permission"
        response = self._get(path, attempted, (404,))
        if response.status_code == 404:
            return "none"
        answer = response.json()
        return str(answer.get("role_name") or answer.get("permission") or "none")

    def duplicate_of(self, number: int) -> int | None:
        """The issue that GitHub itself marks as the original; None where it names none of ours.

        Only GitHub's GraphQL interface tells it; where that does not know the field, None.
        """
        owner, _, name = self.repository.partition("/")
        variables = {"owner": owner, "name": name, "number": number}
        session = self._github.session
        root = session.base_url.removesuffix("/v3")  # of GitHub Enterprise: /api/graphql
        with translated(f"Asking which issue {self.repository}#{number} repeats"):
            response = session.post(
                f"{root}/graphql", json={"query": _DUPLICATE_QUERY, "variables": variables}
            )
            if response.status_code != 200:
                return None
            answer = response.json()
        try:
            original = answer["data"]["repository"]["issue"]["duplicateOf"]
            if original["repository"]["nameWithOwner"].casefold() != self.repository.casefold():
                return None
            return int(original["number"])
        except (KeyError, TypeError, ValueError):
            return None

    def edit(self, number: int, edit: Edit) -> SeenIssue:
        """Change an issue by one request, and give what it is then.

        Labels and the milestone are made where absent. Raises ``TrackerGone`` for an issue that
        was deleted or moved, ``TrackerLocked`` where it is locked, else ``TrackerError``.
        """
        attempted = f"Updating {self.repository}#{number}"
        payload: dict[str, Any] = {
            name: value
            for name, value in (
                ("title", edit.title),
                ("body", edit.body),
                ("labels", edit.labels),
                ("assignees", edit.assignees),
                ("state", edit.state),
                ("state_reason", edit.state_reason),
            )
            if value is not None
        }
        if edit.labels is not None:
            self._catalogue.ensure_labels(self._repository(), edit.labels)
        if edit.milestone is not None:
            payload["milestone"] = self._catalogue.milestone_number(
                self._repository(), edit.milestone, edit.milestone_due
            )
        path = f"repos/{self.repository}/issues/{number}"
        response = self._send("PATCH", path, payload, attempted, (200,))
        return self._of_this_repository(response.json(), number, attempted)

    def comment(self, number: int, body: str) -> int:
        """Write a comment, once; returns its id. Errors as those of ``edit``."""
        attempted = f"Commenting on {self.repository}#{number}"
        path = f"repos/{self.repository}/issues/{number}/comments"
        return int(self._send("POST", path, {"body": body}, attempted, (201,)).json()["id"])

    def react(self, comment_id: int, content: str) -> None:
        """Put a reaction on a comment; the same one again changes nothing on GitHub."""
        attempted = f"Answering comment {comment_id} in {self.repository}"
        path = f"repos/{self.repository}/issues/comments/{comment_id}/reactions"
        self._send("POST", path, {"content": content}, attempted, (200, 201))

    def _repository(self) -> Repository:
        if self._opened is None:
            owner, _, name = self.repository.partition("/")
            with translated(f"Opening the repository {self.repository}"):
                self._opened = self._github.repository(owner, name)
        return self._opened

    def _of_this_repository(self, item: Any, number: int, attempted: str) -> SeenIssue:
        issue = seen_issue(item, self._section_of)
        if issue is None:
            raise TrackerError(attempted, "the answer is no issue", AGAIN)
        moved = issue.repository.casefold() != self.repository.casefold()
        if moved or issue.number != number:
            raise TrackerGone(
                attempted,
                f"it was moved to {issue.repository}#{issue.number}",
                "Nothing is written to it any more.",
            )
        return issue

    def _get(self, path: str, attempted: str, other: tuple[int, ...] = ()) -> requests.Response:
        session = self._github.session
        with translated(attempted):
            response: requests.Response = session.get(session.build_url(path))
            if response.status_code != 200 and response.status_code not in other:
                raise error_for(response)
        return response

    def _send(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any],
        attempted: str,
        wanted: tuple[int, ...],
    ) -> requests.Response:
        session = self._github.session
        with translated(attempted, writes=True):
            response: requests.Response = session.request(
                method, session.build_url(path), json=dict(payload)
            )
        if response.status_code in wanted:
            return response
        if response.status_code in (404, 410):
            raise TrackerGone(attempted, "it was deleted", "Nothing is written to it any more.")
        failure = tracker_error(attempted, error_for(response), writes=True)
        limited = isinstance(failure, TrackerRateLimited)
        if response.status_code == 403 and not limited and _is_about_lock(response):
            raise TrackerLocked(attempted, "it is locked", "Unlock it, or leave it as it is.")
        raise failure


_DUPLICATE_QUERY = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) { duplicateOf { number repository { nameWithOwner } } }
  }
}
"""


def _is_about_lock(response: requests.Response) -> bool:
    return "lock" in what_github_says(response).casefold()


def _window(since: datetime | None, page: int) -> dict[str, str | int]:
    window: dict[str, str | int] = {
        "sort": "created",
        "direction": "asc",
        "per_page": PAGE_SIZE,
        "page": page,
    }
    return window if since is None else {**window, "since": _written(since)}


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
