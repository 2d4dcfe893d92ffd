"""Lists of GitHub's API, page by page, as they were sent.

github3.py's own iterators build strict objects: one issue of a deleted user would end the
whole list. So its session fetches, and the items stay plain JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import github3
import requests
from github3.exceptions import error_for

from triage.tracker.failures import translated

PAGE_SIZE = 100  # the most that GitHub gives


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``is_unchanged``: the ETag still holds, and nothing was sent.

    ``answered_at`` is the server's clock.
    """

    items: list[Any]
    etag: str | None
    has_more: bool
    is_unchanged: bool = False
    answered_at: datetime | None = None


def fetch_page(
    github: github3.GitHub,
    path: str,
    params: Mapping[str, str | int],
    *,
    attempted: str,
    etag: str | None = None,
) -> Page:
    """Fetch one page; with an ``etag`` GitHub answers only if it would send something else.

    Raises ``TrackerError``, or ``TrackerRateLimited``.
    """
    session = github.session
    headers = {"If-None-Match": etag} if etag else {}
    with translated(attempted):
        response = session.get(session.build_url(path), params=params, headers=headers)
        if response.status_code == 304:
            return Page([], etag, has_more=False, is_unchanged=True)
        if response.status_code != 200:
            raise error_for(response) if response.status_code >= 400 else _unexpected()
        items = response.json()
        if not isinstance(items, list):
            raise _unexpected()
    return Page(
        items,
        response.headers.get("ETag"),
        has_more="next" in response.links,
        answered_at=_server_time(response),
    )


def fetch_all(
    github: github3.GitHub,
    path: str,
    params: Mapping[str, str | int],
    *,
    attempted: str,
    page_size: int = PAGE_SIZE,
) -> Iterator[Any]:
    """Fetch every item of a list, in its order."""
    number = 1
    while True:
        wanted = {**params, "per_page": page_size, "page": number}
        page = fetch_page(github, path, wanted, attempted=attempted)
        yield from page.items
        if not page.has_more:
            return
        number += 1


def _server_time(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None


def _unexpected() -> requests.RequestException:
    return requests.exceptions.InvalidJSONError("not a list")
