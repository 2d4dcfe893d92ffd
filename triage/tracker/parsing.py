"""GitHub's JSON as the values of ``listening``; anything may be missing in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from triage.listening import IssueFacts, Label, SeenComment, SeenEvent, SeenIssue

_ISSUE_URL = re.compile(r"/repos/([^/]+/[^/]+)/issues/([0-9]+)$")
_VALUE_OF = {
    "labeled": ("label", "name"),
    "unlabeled": ("label", "name"),
    "assigned": ("assignee", "login"),
    "unassigned": ("assignee", "login"),
    "milestoned": ("milestone", "title"),
    "demilestoned": ("milestone", "title"),
}


def seen_issue(item: Any, section_of: Callable[[str], str | None]) -> SeenIssue | None:
    """An issue of a list or of an answer; None for a pull request or what cannot be read."""
    if not isinstance(item, Mapping) or "pull_request" in item:
        return None
    number, updated = item.get("number"), _time(item.get("updated_at"))
    home = _ISSUE_URL.search(str(item.get("url", "")))
    if not isinstance(number, int) or updated is None or home is None:
        return None
    body = item.get("body")
    body = body if isinstance(body, str) else ""
    milestone = item.get("milestone")
    facts = IssueFacts(
        state="closed" if item.get("state") == "closed" else "open",
        state_reason=_text(item.get("state_reason")),
        labels=tuple(sorted(_labels(item.get("labels")))),
        assignees=tuple(filter(None, (_login(each) for each in item.get("assignees") or ()))),
        milestone=_text(milestone.get("title")) if isinstance(milestone, Mapping) else None,
        locked=bool(item.get("locked")),
        section=section_of(body),
    )
    title, url = str(item.get("title", "")), str(item.get("html_url", ""))
    return SeenIssue(home[1], number, url, title, body, updated, facts)


def seen_comment(item: Any) -> SeenComment | None:
    """A comment; None for what cannot be read."""
    if not isinstance(item, Mapping):
        return None
    home = _ISSUE_URL.search(str(item.get("issue_url", "")))
    comment_id, body = item.get("id"), item.get("body")
    created, updated = _time(item.get("created_at")), _time(item.get("updated_at"))
    if home is None or not isinstance(comment_id, int) or created is None:
        return None
    user = item.get("user")
    through_app = item.get("performed_via_github_app") is not None
    return SeenComment(
        comment_id,
        int(home[2]),
        _login(user),
        _is_bot(user) or through_app,
        body if isinstance(body, str) else "",
        created,
        updated or created,
    )


def seen_event(item: Any, number: int | None = None) -> SeenEvent | None:
    """An event of a repository or (with its ``number``) of one issue; None: cannot be read."""
    if not isinstance(item, Mapping):
        return None
    issue = item.get("issue")
    if number is None and isinstance(issue, Mapping) and isinstance(issue.get("number"), int):
        number = issue["number"]
    kind, at, event_id = _text(item.get("event")), _time(item.get("created_at")), item.get("id")
    if number is None or kind is None or at is None or not isinstance(event_id, int):
        return None
    outer, inner = _VALUE_OF.get(kind, ("", ""))
    about = item.get(outer)
    value = _text(about.get(inner)) if isinstance(about, Mapping) else None
    actor = item.get("actor")
    return SeenEvent(event_id, number, kind, _login(actor), _is_bot(actor), at, value)


def _labels(items: Any) -> list[Label]:
    found = []
    for item in items or ():
        name = item.get("name") if isinstance(item, Mapping) else item
        label_id = item.get("id") if isinstance(item, Mapping) else 0
        if isinstance(name, str):
            found.append(Label(label_id if isinstance(label_id, int) else 0, name))
    return found


def _login(user: Any) -> str | None:
    login = user.get("login") if isinstance(user, Mapping) else None
    return login if isinstance(login, str) and login else None


def _is_bot(user: Any) -> bool:
    login = _login(user)
    is_app = isinstance(user, Mapping) and user.get("type") == "Bot"
    return is_app or (login is not None and login.endswith("[bot]"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: Any) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed is not None and parsed.tzinfo else None
