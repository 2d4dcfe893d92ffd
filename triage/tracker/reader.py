"""Reads issues of any repository for the sources; never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import github3

from triage.tracker.listing import PAGE_SIZE, Page, fetch_all, fetch_page


class GitHubReader:
    """Issues, comments and reactions as plain JSON, oldest change first."""

    def __init__(self, github: github3.GitHub, *, page_size: int = PAGE_SIZE) -> None:
        self._github = github
        self._page_size = page_size

    def fetch_issues(
        self,
        repository: str,
        *,
        since: str | None,
        labels: Sequence[str],
        page: int,
        etag: str | None,
    ) -> Page:
        """One page of the issues and pull requests, open and closed, by time of last change.

        ``since`` (ISO 8601, UTC) leaves out what changed before; ``labels`` must all be there.
        A full page comes without its ETag: what is added behind it would not change it.
        """
        params: dict[str, str | int] = {
            "state": "all",
            "sort": "updated",
            "direction": "asc",
            "per_page": self._page_size,
            "page": page,
        }
        if since is not None:
            params["since"] = since
        if labels:
            params["labels"] = ",".join(labels)
        attempted = f"Reading the issues of {repository}"
        listed = fetch_page(
            self._github, f"repos/{repository}/issues", params, attempted=attempted, etag=etag
        )
        is_full = len(listed.items) >= self._page_size
        return replace(listed, etag=None) if is_full else listed

    def fetch_comments(self, repository: str, number: int) -> list[Any]:
        """All comments on an issue."""
        path = f"repos/{repository}/issues/{number}/comments"
        return self._all(path, {}, f"Reading the comments on {repository}#{number}")

    def fetch_thumbs_up(self, repository: str, number: int) -> list[Any]:
        """All 👍 reactions to an issue."""
        path = f"repos/{repository}/issues/{number}/reactions"
        return self._all(path, {"content": "+1"}, f"Reading the 👍 of {repository}#{number}")

    def _all(self, path: str, params: dict[str, str | int], attempted: str) -> list[Any]:
        items = fetch_all(
            self._github, path, params, attempted=attempted, page_size=self._page_size
        )
        return list(items)
