"""How far a repository's issues were read: the cursor's content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

# GitHub notes the time of a change before it shows the change: what comes to light a few
# seconds late is still found, and what is read twice is stored once.
OVERLAP = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Position:
    """Everything that changed before ``since`` was read; ``etag`` is that of the list from there.

    ``labels`` are those the list was filtered by: with others it is another list.
    """

    labels: tuple[str, ...]
    since: datetime | None = None
    etag: str | None = None

    @classmethod
    def from_cursor(cls, cursor: str | None, labels: Sequence[str]) -> Self:
        """Continue from a stored cursor, or from the beginning where that is not possible."""
        beginning = cls(tuple(labels))
        try:
            stored = json.loads(cursor or "null")
            if not isinstance(stored, dict) or stored["labels"] != list(labels):
                return beginning
            since = datetime.fromisoformat(stored["since"]) if stored["since"] else None
            etag = stored["etag"]
        except (KeyError, TypeError, ValueError):
            return beginning
        if since is not None and since.tzinfo is None:
            return beginning
        return replace(beginning, since=since, etag=etag if isinstance(etag, str) else None)

    def to_cursor(self) -> str:
        """The text to store."""
        stored = {"labels": list(self.labels), "since": self.since_text, "etag": self.etag}
        return json.dumps(stored, ensure_ascii=False)

    @property
    def since_text(self) -> str | None:
        """The time as GitHub's parameter ``since`` wants it."""
        if self.since is None:
            return None
        return f"{self.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def after(self, items: Iterable[Any]) -> Self:
        """The position behind these issues; never further back, its ETag unknown if it moved."""
        times = (change_time(item, "updated_at") for item in items)
        latest = max((time for time in times if time is not None), default=None)
        if latest is None:
            return self
        since = (latest - OVERLAP).replace(microsecond=0)
        if self.since is not None and since <= self.since:
            return self
        return replace(self, since=since, etag=None)

    def with_etag(self, etag: str | None) -> Self:
        """The same position, with the ETag of the list that begins there."""
        return replace(self, etag=etag)


def change_time(item: Any, field: str) -> datetime | None:
    """A time of an issue, in UTC; None where there is none that can be read."""
    value = item.get(field) if isinstance(item, Mapping) else None
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo is not None else None
