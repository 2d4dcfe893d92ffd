"""What was seen on GitHub: issues, comments and events, free of the library's types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Label(NamedTuple):
    """A label by its lasting id and its present name."""

    label_id: int
    name: str


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """The fields of an issue that machine and people both set.

    ``state_reason`` is GitHub's (``completed``, ``not_planned``, ``duplicate``, ``reopened``) or
    None. ``section`` is the digest of the part of the body between our marks, None where the marks
    are not there exactly once.
    """

    state: str
    state_reason: str | None
    labels: tuple[Label, ...]
    assignees: tuple[str, ...]
    milestone: str | None
    locked: bool
    section: str | None

    @property
    def is_open(self) -> bool:
        """Whether the issue is open."""
        return self.state == "open"

    @property
    def label_names(self) -> frozenset[str]:
        """The names of its labels."""
        return frozenset(label.name for label in self.labels)


@dataclass(frozen=True, slots=True)
class SeenIssue:
    """An issue as GitHub shows it now. ``repository`` is where it lives now."""

    repository: str
    number: int
    url: str
    title: str
    body: str
    updated_at: datetime
    facts: IssueFacts


@dataclass(frozen=True, slots=True)
class SeenComment:
    """A comment; ``author`` is None for a deleted account, ``is_bot`` True for a program's."""

    comment_id: int
    number: int
    author: str | None
    is_bot: bool
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """Who changed what when; ``value`` is the label, login or milestone that it is about."""

    event_id: int
    number: int
    kind: str
    actor: str | None
    is_bot: bool
    at: datetime
    value: str | None
