"""Listen: what people did and said on our issues since the last look becomes corrections."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from flows.desk import FiledTheme, label_names, load_filed
from flows.hearing import Ear, merge_duplicates, take_issue, unexplained_changes
from flows.obeying import comment_key, take_comment
from flows.showing import ShowProgress, silent
from triage.errors import TrackerRateLimited
from triage.listening import (
    ChangeKind,
    SeenComment,
    SeenEvent,
    SeenIssue,
    attribute,
    duplicate_target,
    parse_commands,
)
from triage.store.decisions import load_corrections
from triage.store.heard import known_events, load_role, save_role
from triage.store.intake import load_cursor, save_cursor
from triage.tracker import IssueDesk
from triage.workspace import Workspace

PAGE_SIZE = 100  # of GitHub's lists
# GitHub's lists may lag behind a write; what is read twice is taken once.
OVERLAP = timedelta(minutes=2)
ROLE_LASTS = timedelta(days=1)
Item = TypeVar("Item", covariant=True)


class _Page(Protocol[Item]):
    @property
    def items(self) -> Sequence[Item]: ...
    @property
    def has_more(self) -> bool: ...
    @property
    def answered_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a list was read: all before ``since``, and of what follows all before ``page``."""

    since: datetime | None = None
    page: int = 1
    started: datetime | None = None

    @classmethod
    def from_text(cls, text: str | None) -> Cursor:
        """Read a stored cursor; what cannot be read starts anew."""
        try:
            values = json.loads(text) if text else {}
            since, started = values.get("since"), values.get("started")
            return cls(
                datetime.fromisoformat(since) if since else None,
                int(values.get("page", 1)),
                datetime.fromisoformat(started) if started else None,
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def to_text(self) -> str:
        """The cursor as it is stored."""
        times = {"since": self.since, "started": self.started}
        return json.dumps(
            {"page": self.page, **{k: v.isoformat() for k, v in times.items() if v is not None}}
        )


def listen(
    workspace: Workspace, desk: IssueDesk, *, now: datetime, progress: ShowProgress = silent
) -> dict[str, int]:
    """Read what changed since the last look and let people's words hold; returns counts.

    Everything is taken once, however often and in whatever order it is seen; what is older than
    the word that holds changes nothing. A look that meets the rate limit keeps its place.
    """
    with workspace.database.session() as session:
        filed = load_filed(session, workspace, desk.repository)
        names = label_names(session, workspace, desk.repository)
        cursors = [Cursor.from_text(load_cursor(session, o)) for o in _origins(desk.repository)]
    if not filed:
        return {"seen": 0}
    first = min(each.record.intended_at for each in filed.values()) - timedelta(days=1)
    cursors = [replace(c, since=c.since or first) for c in cursors]
    issues, issue_cursor = _read(desk.fetch_issues, cursors[0], now)
    progress("reading issues", len(issues), len(issues))
    comments, comment_cursor = _read(desk.fetch_comments, cursors[1], now)
    ours = [issue for issue in issues if issue.number in filed]
    events = _events(desk, ours, filed, cursors[0].since)
    spoken = _spoken(workspace, desk, comments, filed)
    roles = _roles(workspace, desk, spoken, now)
    originals = _originals(desk, ours, filed)
    with workspace.database.stage_lock("theme"), workspace.database.session() as session:
        latest = {
            (theme_id, word.field): word.created_at
            for theme_id, words in load_corrections(session).items()
            for word in sorted(words, key=lambda word: word.created_at)
        }
        ear = Ear(workspace, session, desk.repository, filed, names, latest, now)
        for issue in sorted(ours, key=lambda issue: issue.updated_at):
            take_issue(ear, issue, events.get(issue.number, ()), originals)
        for comment in sorted(spoken, key=lambda c: (c.updated_at, c.comment_id)):
            take_comment(ear, comment, roles.get(comment.author or "", "none"))
        merge_duplicates(ear)
        for origin, cursor in zip(
            _origins(desk.repository), (issue_cursor, comment_cursor), strict=True
        ):
            save_cursor(session, origin, cursor.to_text())
    return {"seen": len(ours), **ear.counts}


def _origins(repository: str) -> tuple[str, str]:
    return f"issues-of:{repository}", f"comments-of:{repository}"


def _read(
    fetch: Callable[..., _Page[Item]], cursor: Cursor, now: datetime
) -> tuple[list[Item], Cursor]:
    """Everything from the cursor on; its successor begins when GitHub began to answer this one."""
    items: list[Item] = []
    page, started = cursor.page, cursor.started
    while True:
        try:
            found = fetch(since=cursor.since, page=page)
        except TrackerRateLimited:
            if not items:
                raise
            return items, Cursor(cursor.since, page, started)
        started = started or found.answered_at or now
        items += found.items
        if not found.has_more:
            return items, Cursor(started - OVERLAP)
        page += 1


def _events(
    desk: IssueDesk,
    issues: Sequence[SeenIssue],
    filed: Mapping[int, FiledTheme],
    since: datetime | None,
) -> dict[int, list[SeenEvent]]:
    """Who did it: asked for once, only where something was done, and no further back than that.

    With the lists of issues and comments it stays within two list calls a hundred issues.
    """
    nameless = (ChangeKind.SECTION, ChangeKind.LOCKED, ChangeKind.UNLOCKED)
    wanted = {
        issue.number: [
            change
            for change in unexplained_changes(issue, filed[issue.number].life)
            if change.kind not in nameless
        ]
        for issue in issues
    }
    if not any(wanted.values()):
        return {}

    def is_enough(found: Sequence[SeenEvent]) -> bool:
        by_number = _by_number(found)
        return all(
            change.at is not None
            for number, changes in wanted.items()
            for change in attribute(changes, by_number.get(number, ()))
        )

    max_pages = max(1, math.ceil(len(filed) / PAGE_SIZE) - 1)
    return _by_number(desk.fetch_events(since=since, is_enough=is_enough, max_pages=max_pages))


def _by_number(events: Iterable[SeenEvent]) -> dict[int, list[SeenEvent]]:
    found: dict[int, list[SeenEvent]] = {}
    for event in events:
        found.setdefault(event.number, []).append(event)
    return found


def _originals(
    desk: IssueDesk, issues: Sequence[SeenIssue], filed: Mapping[int, FiledTheme]
) -> dict[int, int]:
    """What the issues that people closed as duplicates repeat, where GitHub itself knows it."""
    found = {}
    for issue in issues:
        if any(
            change.kind is ChangeKind.CLOSED and change.value == "duplicate"
            for change in unexplained_changes(issue, filed[issue.number].life)
        ):
            target = desk.duplicate_of(issue.number)
            if target is not None:
                found[issue.number] = target
    return found


def _spoken(
    workspace: Workspace,
    desk: IssueDesk,
    comments: Iterable[SeenComment],
    filed: Mapping[int, FiledTheme],
) -> list[SeenComment]:
    """Comments by people that say something to us and were not taken yet."""
    people = [c for c in comments if c.author is not None and not c.is_bot]
    saying = {
        comment_key(c): c
        for c in people
        if duplicate_target(c.body, desk.repository) is not None
        or (c.number in filed and parse_commands(c.body))
    }
    if not saying:
        return []
    own = (desk.own_login() or "").casefold()
    with workspace.database.session() as session:
        known = known_events(session, desk.repository, saying)
    return [
        comment
        for key, comment in saying.items()
        if key not in known and (comment.author or "").casefold() != own
    ]


def _roles(
    workspace: Workspace, desk: IssueDesk, comments: Iterable[SeenComment], now: datetime
) -> dict[str, str]:
    """What the authors may do, asked once a day each."""
    roles = {}
    for login in dict.fromkeys(comment.author for comment in comments if comment.author):
        with workspace.database.session() as session:
            role = load_role(session, desk.repository, login, since=now - ROLE_LASTS)
        if role is None:
            role = desk.role_of(login)
            with workspace.database.session() as session:
                save_role(session, desk.repository, login, role, now=now)
        roles[login] = role
    return roles
