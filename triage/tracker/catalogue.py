"""Labels and milestones of a repository: looked up once a run, made where they are absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import github3
from github3.exceptions import UnprocessableEntity
from github3.repos.repo import Repository

from triage.tracker.failures import field_errors, response_of, translated
from triage.tracker.labels import label_colour
from triage.tracker.listing import fetch_all


class Catalogue:
    """What one repository offers to put on an issue; remembers what it learns."""

    def __init__(self, github: github3.GitHub, repository: str) -> None:
        self._github = github
        self._repository = repository
        self._labels: set[str] | None = None
        self._milestones: dict[str, int] | None = None

    def ensure_labels(self, opened: Repository, names: Iterable[str]) -> None:
        """Create the labels that are absent. Raises ``TrackerError``."""
        if self._labels is None:
            attempted = f"Reading the labels of {self._repository}"
            path = f"repos/{self._repository}/labels"
            items = fetch_all(self._github, path, {}, attempted=attempted)
            self._labels = {str(item["name"]).casefold() for item in items}
        for name in names:
            if name.casefold() in self._labels:
                continue
            with translated(f"Creating the label {name!r} in {self._repository}"):
                try:
                    opened.create_label(name, label_colour(name))
                except UnprocessableEntity as error:
                    if not _already_exists(error):
                        raise
            self._labels.add(name.casefold())

    def milestone_number(
        self, opened: Repository, title: str | None, due: str | None = None
    ) -> int | None:
        """The number of the milestone of this title, made if absent; a closed one is used as is."""
        if title is None:
            return None
        if self._milestones is None or title not in self._milestones:
            self._milestones = self._fetch_milestones()
        if title not in self._milestones:
            with translated(f"Creating the milestone {title!r} in {self._repository}"):
                try:
                    self._milestones[title] = opened.create_milestone(
                        title, due_on=f"{due}T00:00:00Z" if due else None
                    ).number
                except UnprocessableEntity as error:
                    # another process was first
                    if not _already_exists(error):
                        raise
                    self._milestones = self._fetch_milestones()
        return self._milestones.get(title)

    def _fetch_milestones(self) -> dict[str, int]:
        attempted = f"Reading the milestones of {self._repository}"
        path = f"repos/{self._repository}/milestones"
        items = fetch_all(self._github, path, {"state": "all"}, attempted=attempted)
        return {str(item["title"]): int(item["number"]) for item in items}


def refused_fields(error: UnprocessableEntity) -> list[Any]:
    """What GitHub names as wrong in a 422; empty where it names nothing."""
    response = response_of(error)
    if response is None:
        return []
    try:
        return field_errors(response.json())
    except ValueError:
        return []


def _already_exists(error: UnprocessableEntity) -> bool:
    return any(
        isinstance(item, dict) and item.get("code") == "already_exists"
        for item in refused_fields(error)
    )
