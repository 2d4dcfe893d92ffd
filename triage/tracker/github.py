"""Files issues in one repository on GitHub and finds again what was filed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import github3
from github3.exceptions import GitHubException, IncompleteResponse, UnprocessableEntity
from github3.repos.repo import Repository

from triage.errors import TrackerError
from triage.tracker.catalogue import Catalogue, refused_fields
from triage.tracker.failures import tracker_error, translated
from triage.tracker.listing import fetch_all
from triage.tracker.session import InstallationAuth, is_logged_in
from triage.types import FiledIssue, IssueDraft

# The clocks of GitHub and of the machine that noted the intent may differ; a day costs nothing.
CLOCK_MARGIN = timedelta(days=1)
_WRITING_ROLES = ("admin", "maintain", "push", "triage")


class GitHubTracker:
    """The real tracker: one repository, one run; what it learns of labels it remembers.

    ``theme_of`` verifies the marker in a body and names its theme. ``with_fallback`` takes a
    draft and the reason why its owner cannot be assigned, and gives the one that assigns the
    fallback (or, where there is none, nobody) and names the owner in the body.
    """

    def __init__(
        self,
        github: github3.GitHub,
        repository: str,
        *,
        theme_of: Callable[[str], int | None],
        with_fallback: Callable[[IssueDraft, str], IssueDraft],
    ) -> None:
        self.repository = repository
        self._github = github
        self._theme_of = theme_of
        self._with_fallback = with_fallback
        self._opened: Repository | None = None
        self._catalogue = Catalogue(github, repository)
        self._assignable: dict[str, bool] = {}

    def can_write(self) -> str | None:
        """The reason why issues cannot be written here, or None; asks GitHub afresh."""
        self._opened = None
        try:
            if not is_logged_in(self._github):
                return "there is no login: set TRIAGE_GITHUB_TOKEN or the GitHub App's variables"
            repository = self._repository()
            if repository.archived:
                return f"the repository {self.repository} is archived and takes no issues"
            if not repository.has_issues:
                return f"issues are switched off in {self.repository}"
            if not self._has_rights(repository):
                return (
                    f"the login may not write to {self.repository}: it needs the permission "
                    "Issues: read and write"
                )
        except TrackerError as error:
            return f"{error.problem}. {error.remedy}"
        return None

    def find_filed(
        self, *, since: datetime, ignoring: Collection[int] = ()
    ) -> dict[int, FiledIssue]:
        """Our issues by theme that exist and were created or changed ``since`` then.

        ``ignoring`` are numbers of issues that speak for their theme no longer.

        Open or closed, whatever became of their labels; only a genuine marker counts, and of
        two issues with the same one the older (a copy is always younger). Raises
        ``TrackerError``.
        """
        params = {
            "state": "all",
            # by creation, since no issue can then slip to a page that was read already
            "sort": "created",
            "direction": "asc",
            "since": f"{(since - CLOCK_MARGIN).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        path = f"repos/{self.repository}/issues"
        attempted = f"Looking for filed issues in {self.repository}"
        found: dict[int, FiledIssue] = {}
        for item in fetch_all(self._github, path, params, attempted=attempted):
            theme_id = self._theme_id(item)
            if theme_id is None:
                continue
            issue = self._filed(item)
            if issue.number in ignoring:
                continue
            if theme_id not in found or issue.number < found[theme_id].number:
                found[theme_id] = issue
        return found

    def create(self, draft: IssueDraft) -> FiledIssue:
        """Create one issue with its labels, milestone and assignee; never sends it twice.

        Labels and the milestone are created where absent (a closed milestone of the title is
        used as it is). An owner who cannot be assigned is replaced by the fallback, and if that
        fails too the issue is filed without an assignee. Raises ``TrackerRateLimited`` when
        GitHub asks to wait too long, else ``TrackerError``; its remedy says when the issue may
        exist all the same.
        """
        attempted = f"Creating the issue of theme T{draft.theme_id} in {self.repository}"
        repository = self._repository()
        self._catalogue.ensure_labels(repository, draft.labels)
        milestone = self._catalogue.milestone_number(
            repository, draft.milestone, draft.milestone_due
        )
        for variant in self._variants(repository, draft):
            try:
                return replace(self._post(repository, variant, milestone), sent=variant)
            except UnprocessableEntity as error:
                # nothing was created by a 422, so the next request doubles nothing
                if variant.assignee is None or not _is_about_assignee(error):
                    raise tracker_error(attempted, error) from error
            except GitHubException as error:
                raise tracker_error(attempted, error, writes=True) from error
        raise AssertionError("the last variant has no assignee, so it returned or raised")

    def _theme_id(self, item: Any) -> int | None:
        body = item.get("body") if isinstance(item, dict) else None
        if not isinstance(body, str) or "pull_request" in item:
            return None
        return self._theme_of(body)

    def _post(self, repository: Repository, draft: IssueDraft, milestone: int | None) -> FiledIssue:
        payload = {**draft.payload, "milestone": milestone}
        try:
            created = repository.create_issue(**payload).as_dict()
        except IncompleteResponse as error:
            # created, but github3.py misses a field that we do not need
            created = error.json
            if not isinstance(created, dict) or "number" not in created:
                raise
        return self._filed(created)

    def _filed(self, item: Mapping[str, Any]) -> FiledIssue:
        number = int(item["number"])
        return FiledIssue(self.repository, number, str(item["html_url"]))

    def _repository(self) -> Repository:
        if self._opened is None:
            owner, _, name = self.repository.partition("/")
            with translated(f"Opening the repository {self.repository}"):
                self._opened = self._github.repository(owner, name)
        return self._opened

    def _has_rights(self, repository: Repository) -> bool:
        """Whether the login may set labels, milestone and assignee, as far as GitHub tells."""
        auth = self._github.session.auth
        if isinstance(auth, InstallationAuth):
            # of an App the repository says nothing
            return auth.permissions.get("issues") == "write"
        roles = repository.as_dict().get("permissions")
        return not isinstance(roles, dict) or any(roles.get(role) for role in _WRITING_ROLES)

    def _variants(self, repository: Repository, draft: IssueDraft) -> Iterator[IssueDraft]:
        """The draft for its owner, for the fallback, for nobody; those who can be assigned."""
        if draft.assignee is None:
            yield draft
            return
        reason = f"GitHub does not accept this login as an assignee in {self.repository}."
        if self._can_assign(repository, draft.assignee):
            yield draft
        fallback = draft.fallback_assignee
        if fallback is not None and self._can_assign(repository, fallback):
            yield self._with_fallback(draft, reason)
        nobody = self._with_fallback(replace(draft, fallback_assignee=None), reason)
        yield replace(nobody, assignee=None)

    def _can_assign(self, repository: Repository, login: str) -> bool:
        if login not in self._assignable:
            with translated(f"Asking whether {login} can be assigned in {self.repository}"):
                self._assignable[login] = bool(repository.is_assignee(login))
        return self._assignable[login]


def _is_about_assignee(error: UnprocessableEntity) -> bool:
    fields = [item.get("field") for item in refused_fields(error) if isinstance(item, dict)]
    return any(field in ("assignee", "assignees") for field in fields)
