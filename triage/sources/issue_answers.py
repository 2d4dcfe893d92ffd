"""What follows our own comment on a reporter's issue: answers to it, no further reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from triage.sources.github_cursor import change_time
from triage.sources.issue_fields import is_bot, login_of
from triage.types import RawAnswer


def split_at_ours(
    comments: Iterable[Any], number: int, is_ours: Callable[[int, str], bool]
) -> tuple[list[Any], list[Any] | None]:
    """The comments (oldest first) before ours, and those behind it; None: ours is not there.

    The first that carries our mark is ours: who quotes it later only answers.
    """
    everything = list(comments)
    for place, comment in enumerate(everything):
        if is_ours(number, _body(comment)):
            return everything[:place], everything[place + 1 :]
    return everything, None


def answers_in(comments: Sequence[Any]) -> tuple[RawAnswer, ...]:
    """The comments by people as answers; what cannot be read says nothing."""
    found = []
    for comment in comments:
        if not isinstance(comment, Mapping) or is_bot(comment.get("user")):
            continue
        comment_id, said_at = comment.get("id"), change_time(comment, "created_at")
        if isinstance(comment_id, int) and said_at is not None:
            author = login_of(comment.get("user"))
            found.append(RawAnswer(comment_id, author, _body(comment), said_at))
    return tuple(found)


def _body(comment: Any) -> str:
    body = comment.get("body") if isinstance(comment, Mapping) else None
    return body if isinstance(body, str) else ""
