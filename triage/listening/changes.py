"""What differs between an issue as it was known and as it is, and who did it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from triage.listening.values import IssueFacts, SeenEvent


class ChangeKind(StrEnum):
    """The fields in which an issue can differ, named as GitHub names its events."""

    CLOSED = "closed"
    REOPENED = "reopened"
    LABELED = "labeled"
    UNLABELED = "unlabeled"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    MILESTONED = "milestoned"
    DEMILESTONED = "demilestoned"
    SECTION = "section"
    LOCKED = "locked"
    UNLOCKED = "unlocked"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; ``actor`` and ``at`` are None until an event tells them."""

    kind: ChangeKind
    value: str | None = None
    actor: str | None = None
    is_bot: bool = False
    at: datetime | None = None
    event_id: int | None = None


def find_changes(before: IssueFacts, after: IssueFacts) -> tuple[Change, ...]:
    """Everything in which an issue differs from what was known; a renamed label is no change."""
    kind = ChangeKind
    found: list[Change] = []
    if before.state != after.state:
        closed = not after.is_open
        found.append(Change(kind.CLOSED if closed else kind.REOPENED, after.state_reason))
    elif before.state_reason != after.state_reason and not after.is_open:
        found.append(Change(kind.CLOSED, after.state_reason))
    elif before.state_reason != after.state_reason == "reopened":
        found.append(Change(kind.REOPENED, "reopened"))  # closed and reopened between two looks
    known = {label.label_id for label in before.labels} - {0}
    named = {label.name for label in before.labels if not label.label_id}
    present = {label.label_id for label in after.labels}
    found += [
        Change(kind.LABELED, label.name)
        for label in after.labels
        if label.label_id not in known and label.name not in named
    ]
    found += [
        Change(kind.UNLABELED, label.name)
        for label in before.labels
        if label.label_id not in present
        and not (label.label_id == 0 and label.name in after.label_names)
    ]
    found += [Change(kind.ASSIGNED, who) for who in _more(before.assignees, after.assignees)]
    found += [Change(kind.UNASSIGNED, who) for who in _more(after.assignees, before.assignees)]
    if before.milestone != after.milestone:
        gone = after.milestone is None
        value = before.milestone if gone else after.milestone
        found.append(Change(kind.DEMILESTONED if gone else kind.MILESTONED, value))
    if before.section != after.section:
        found.append(Change(kind.SECTION))
    if before.locked != after.locked:
        found.append(Change(kind.LOCKED if after.locked else kind.UNLOCKED))
    return tuple(found)


def label_renames(before: IssueFacts, after: IssueFacts) -> dict[str, str]:
    """Old to new name of every label that kept its id and changed its name."""
    names = {label.label_id: label.name for label in after.labels}
    return {
        label.name: names[label.label_id]
        for label in before.labels
        if label.label_id and names.get(label.label_id, label.name) != label.name
    }


def attribute(changes: Iterable[Change], events: Sequence[SeenEvent]) -> tuple[Change, ...]:
    """The changes with who made them: of the fitting events of the issue the latest."""
    latest = sorted(events, key=lambda event: (event.at, event.event_id), reverse=True)
    return tuple(_attributed(change, latest) for change in changes)


def _attributed(change: Change, latest: Sequence[SeenEvent]) -> Change:
    by_value = change.kind not in (ChangeKind.CLOSED, ChangeKind.REOPENED)
    for event in latest:
        if event.kind != change.kind:
            continue
        if by_value and event.value is not None and event.value != change.value:
            continue
        return replace(
            change, actor=event.actor, is_bot=event.is_bot, at=event.at, event_id=event.event_id
        )
    return change


def _more(before: Iterable[str], after: Iterable[str]) -> list[str]:
    known = {who.casefold() for who in before}
    return [who for who in after if who.casefold() not in known]
