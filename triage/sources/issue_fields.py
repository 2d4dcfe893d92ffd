"""Fields of an issue as GitHub's API sends them, read with care: anything may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UnreadableIssue(Exception):
    """An issue lacks a field or holds something else in it."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(field, problem)


def text_of(item: Mapping[str, Any], field: str, *, optional: bool = False) -> str:
    """A text; raises ``UnreadableIssue``. ``optional``: null means empty."""
    value = item.get(field)
    if value is None and optional:
        return ""
    if not isinstance(value, str):
        raise UnreadableIssue(field, "it is missing" if value is None else "it is not text")
    return value


def number_of(item: Mapping[str, Any]) -> int:
    """An issue's number; raises ``UnreadableIssue``."""
    number = item.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UnreadableIssue("number", "it is not the number of an issue")
    return number


def count_of(item: Mapping[str, Any], field: str) -> int:
    """How many comments or reactions there are; what is no number counts as none."""
    value = item.get(field, 0)
    return value if isinstance(value, int) else 0


def login_of(user: Any) -> str | None:
    """A user's name; None for an account that was deleted."""
    login = user.get("login") if isinstance(user, Mapping) else None
    return login if isinstance(login, str) and login else None


def is_bot(user: Any) -> bool:
    """Whether a program acted: a GitHub App, or an account named like one."""
    login = login_of(user)
    is_app = isinstance(user, Mapping) and user.get("type") == "Bot"
    return is_app or (login is not None and login.endswith("[bot]"))
