"""Duplicates of duplicates: followed to an end that is open, or not at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

_DUPLICATE = re.compile(
    r"(?im)^[ \t]*(?:this is (?:a )?)?duplicate of[ \t]+"
    r"(?:(?P<repository>[\w.-]+/[\w.-]+))?#(?P<number>[1-9][0-9]{0,9})\b"
)


class ChainEnd(StrEnum):
    """Why a chain of duplicates leads to nothing that can be merged into."""

    CYCLE = "the issues name each other as duplicates"
    CLOSED = "the issue at its end is closed"
    FOREIGN = "the issue at its end belongs to no theme"


def duplicate_target(body: str, repository: str) -> int | None:
    """The issue of this repository that a comment names with "Duplicate of #n", as GitHub does.

    The words must begin a line. One in another repository is none of ours.
    """
    match = _DUPLICATE.search(body[:65_536])
    if match is None:
        return None
    named = match["repository"]
    if named is not None and named.casefold() != repository.casefold():
        return None
    return int(match["number"])


def follow_chain(
    start: int, edges: Mapping[int, int], *, ours: Collection[int], is_open: Collection[int]
) -> int | ChainEnd:
    """The issue at the end of a chain of duplicates, or why there is none.

    ``edges`` maps an issue to the one it is said to repeat, ``ours`` are the issues of themes and
    ``is_open`` the open ones. The end is never ``start`` itself, never closed, never another's.
    """
    seen = {start}
    here = start
    while (following := edges.get(here)) is not None:
        if following in seen:
            return ChainEnd.CYCLE
        seen.add(following)
        here = following
    if here == start:
        return ChainEnd.CYCLE
    if here not in ours:
        return ChainEnd.FOREIGN
    return here if here in is_open else ChainEnd.CLOSED
