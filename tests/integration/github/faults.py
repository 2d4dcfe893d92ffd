"""What can go wrong on the way to GitHub, written down as a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """Spoils the next ``times`` requests of a method whose path matches (``re.search``).

    With ``status`` that answer is given instead of GitHub's; with ``drop`` the connection is
    closed without any. ``after_write`` lets the request through first. ``delay_seconds`` holds
    the answer back, ``meanwhile`` is called before anything else.
    """

    method: str
    path: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    drop: bool = False
    after_write: bool = False
    delay_seconds: float = 0.0
    meanwhile: Callable[[], object] | None = None
    times: int = 1

    def matches(self, method: str, path: str) -> bool:
        """Whether this request is to be spoilt."""
        return self.times > 0 and method == self.method and bool(re.search(self.path, path))

    @property
    def is_forwarded(self) -> bool:
        """Whether GitHub gets the request."""
        return self.after_write or (self.status is None and not self.drop)


@dataclass(frozen=True)
class Recorded:
    """One request that reached the proxy, and how it was answered (None: not at all)."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
