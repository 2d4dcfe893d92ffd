"""Fixtures: the emulator of this session, a proxy and a repository for each test."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.integration.github.emulator import (
    FILER,
    ORGANISATION,
    Emulator,
    running_emulator,
    token_of,
)
from tests.integration.github.proxy import GitHubProxy, running_proxy

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class EmulatedRepository:
    """A repository of this test alone; what people do in it does not pass the proxy."""

    url: str
    name: str

    def request(self, method: str, path: str, *, by: str = FILER, **options: Any) -> Any:
        """Call the emulator as a person; returns the JSON, fails on an error."""
        headers = {"Authorization": f"token {token_of(by)}"}
        url = f"{self.url}/repos/{self.name}{path}"
        response = requests.request(method, url, headers=headers, timeout=30, **options)
        assert response.ok, f"{method} {url}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def open_issue(self, title: str, body: str | None, *, by: str = "mira", **fields: Any) -> int:
        """Open an issue as a person; returns its number."""
        payload = {"title": title, "body": body, **fields}
        return int(self.request("POST", "/issues", by=by, json=payload)["number"])

    def comment(self, number: int, body: str, *, by: str) -> int:
        """Comment on an issue as a person; returns the comment's id."""
        sent = self.request("POST", f"/issues/{number}/comments", by=by, json={"body": body})
        return int(sent["id"])

    def edit_issue(self, number: int, *, by: str = FILER, **fields: Any) -> None:
        """Change an issue as a person."""
        self.request("PATCH", f"/issues/{number}", by=by, json=fields)

    def issue(self, number: int) -> Any:
        """One issue."""
        return self.request("GET", f"/issues/{number}")

    def labels(self, number: int) -> set[str]:
        """The names of an issue's labels."""
        return {label["name"] for label in self.issue(number)["labels"]}

    def comments(self, number: int) -> list[Any]:
        """The comments on an issue, the oldest first."""
        return list(self.request("GET", f"/issues/{number}/comments?per_page=100"))

    def issues(self) -> list[Any]:
        """All issues, open and closed, the oldest first."""
        found = self.request("GET", "/issues?state=all&per_page=100")
        return sorted(found, key=lambda issue: issue["number"])


@pytest.fixture(scope="session")
def github_emulator() -> Iterator[Emulator]:
    """A GitHub API that runs for the whole session; repositories keep tests apart."""
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture
def github_proxy(github_emulator: Emulator) -> Iterator[GitHubProxy]:
    """A proxy before the emulator, without faults until the test scripts them."""
    with running_proxy(github_emulator) as proxy:
        yield proxy


@pytest.fixture
def github_repository(github_emulator: Emulator) -> EmulatedRepository:
    """A fresh repository of the organisation, which ``FILER`` may write to."""
    return _fresh_repository(github_emulator)


@pytest.fixture
def second_repository(github_emulator: Emulator) -> EmulatedRepository:
    """Another one, for tests that need two."""
    return _fresh_repository(github_emulator)


def _fresh_repository(github_emulator: Emulator) -> EmulatedRepository:
    name = f"corvane-{next(_NUMBERS)}-{uuid.uuid4().hex[:6]}"
    response = requests.post(
        f"{github_emulator.url}/orgs/{ORGANISATION}/repos",
        headers={"Authorization": f"token {token_of(FILER)}"},
        json={"name": name},
        timeout=30,
    )
    assert response.status_code == 201, response.text
    return EmulatedRepository(github_emulator.url, f"{ORGANISATION}/{name}")
