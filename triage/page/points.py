"""The map's dots, small enough for a page: eight bytes a report."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.page.layout import Floats, Integers

# 100,000 dots are 1.1 MB of a page.
MOST_POINTS = 200_000
MOST_NAMES = 40  # versions or sources to filter by; the rest is one entry
OTHER = "other"
NOT_STATED = "not stated"
_SCALE = 65535


@dataclass(frozen=True, slots=True)
class Places:
    """Reports on the map, a row each: places (n, 2) in 0 to 1, and rows of names.

    ``themes`` are 1 and up in the order of the page's themes, 0 for none; ``drawn`` of ``known``
    reports are there.
    """

    places: Floats
    themes: Integers
    versions: Integers
    sources: Integers
    drawn: int
    known: int


def choose_points(count: int, *, seed: int = 0, limit: int = MOST_POINTS) -> Integers:
    """Rows of the reports that are drawn, ascending: all, or as many by lot."""
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=limit, replace=False))


def pack_points(found: Places) -> str:
    """All of it as base64: x, y and theme of all (16 bits, little-endian), versions, sources."""
    scaled = np.round(found.places * _SCALE).astype("<u2")
    columns: list[NDArray[np.generic]] = [
        scaled[:, 0],
        scaled[:, 1],
        found.themes.astype("<u2"),
        found.versions.astype("u1"),
        found.sources.astype("u1"),
    ]
    return base64.b64encode(b"".join(column.tobytes() for column in columns)).decode("ascii")


def name_rows(
    names: Sequence[str | None], first: Iterable[str] = ()
) -> tuple[list[str], dict[str | None, int]]:
    """Names to filter by, and the row of every name that occurs.

    Those of ``first`` come first, then the most frequent; too many become one entry.
    """
    counted = Counter(names)
    known = [name for name in first if counted[name]][:MOST_NAMES]
    more = sorted((n for n in counted if n and n not in known), key=lambda n: (-counted[n], n))
    kept = [*known, *more[: MOST_NAMES - len(known)]]
    rows: dict[str | None, int] = {name: row for row, name in enumerate(kept)}
    shown = list(kept)
    for label, members in (
        (OTHER, [name for name in counted if name and name not in rows]),
        (NOT_STATED, [name for name in counted if not name]),
    ):
        if members:
            rows.update(dict.fromkeys(members, len(shown)))
            shown.append(label)
    return shown, rows
