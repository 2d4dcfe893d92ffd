"""Issues: intended, drafted, filed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class IssueState(StrEnum):
    """``INTENDED`` is committed before anything is sent; ``FILED`` after the number is known."""

    INTENDED = "intended"
    FILED = "filed"


@dataclass(frozen=True, slots=True)
class IssueDraft:
    """One GitHub issue as it would be sent; the console shows exactly this.

    ``marker`` is the hidden HTML comment at the end of ``body`` by which the issue is found
    again. ``milestone_due`` is the day (``YYYY-MM-DD``) that a milestone made for it is due.
    ``assignee`` may turn out not to be assignable; ``fallback_assignee`` is then used.
    """

    theme_id: int
    title: str
    body: str
    labels: tuple[str, ...]
    milestone: str | None
    assignee: str | None
    fallback_assignee: str | None
    marker: str
    milestone_due: str | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """The fields of the request that creates the issue; the milestone by its title."""
        return {
            "title": self.title,
            "body": self.body,
            "labels": list(self.labels),
            "assignees": [self.assignee] if self.assignee else [],
            "milestone": self.milestone,
        }


@dataclass(frozen=True, slots=True)
class FiledIssue:
    """An issue that exists in the tracker; ``sent`` is the draft that it was created with.

    It differs from the intended one where the owner could not be assigned; None: not known.
    """

    repository: str
    number: int
    url: str
    sent: IssueDraft | None = field(default=None, compare=False)
