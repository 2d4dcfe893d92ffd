"""All that the page shows, worked out and made safe before the template sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from triage.filing.hostile import visible_line
from triage.page.points import Places, pack_points
from triage.page.themes import ThemeEntry, ThemeFacts, theme_entry

# About 4 KB each; beyond, a theme has its row in the table and no more.
MOST_IN_FULL = 1000

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Release:
    """The last release as it was judged, the one before, and how many themes of which verdict."""

    version: str
    before: str
    verdicts: Mapping[str, int]
    is_judged: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Themes that wait for the same reason."""

    reason: str
    themes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for the whole installation, beside its themes.

    ``counts`` are the figures at the top; ``agreement`` and ``owners`` rows for showing; ``notes``
    what else waits for people, a line each.
    """

    family: str
    next_version: str
    counts: Mapping[str, int]
    released: Sequence[str]
    last_release: tuple[str, str] | None
    agreement: Rows
    owners: Rows
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """The page before it is rendered."""

    standing: Standing
    written_at: datetime
    themes: tuple[ThemeEntry, ...]
    versions: tuple[str, ...]
    sources: tuple[str, ...]
    capabilities: tuple[str, ...]
    release: Release | None
    waiting: tuple[Waiting, ...]
    agreement_overall: Rows
    agreement_by_capability: Rows
    points: str
    drawn: int
    known: int
    min_reporters: int

    @property
    def in_full(self) -> tuple[ThemeEntry, ...]:
        """The themes that have a section of their own."""
        return self.themes[:MOST_IN_FULL]

    @property
    def ledger_versions(self) -> tuple[str, ...]:
        """The versions of the ledger: the released ones in order, then others, then not stated."""
        named = {row.version for entry in self.themes for row in entry.ledger}
        ordered = [version for version in self.standing.released if version in named]
        others = sorted(named - set(ordered) - {""})
        return (*ordered, *others, *([""] if "" in named else []))


def make_page(
    standing: Standing,
    themes: Sequence[ThemeFacts],
    places: Places | None,
    names: tuple[Sequence[str], Sequence[str]],
    now: datetime,
    *,
    min_reporters: int,
) -> Page:
    """The page of an installation; ``themes`` in the order in which they are shown.

    ``names`` are the versions and the sources to filter by, in the order of the rows that
    ``places`` and the themes' cells speak of. Without ``places`` there is no map.
    """
    entries = tuple(theme_entry(facts, now, min_reporters=min_reporters) for facts in themes)
    overall = [row for row in standing.agreement if row["capability"] == "all"]
    return Page(
        standing=replace(
            standing,
            family=visible_line(standing.family),
            notes=[visible_line(note) for note in standing.notes],
        ),
        written_at=now,
        themes=entries,
        versions=tuple(visible_line(name) for name in names[0]),
        sources=tuple(visible_line(name) for name in names[1]),
        capabilities=tuple(sorted({entry.capability for entry in entries if entry.capability})),
        release=_release(standing, entries),
        waiting=_waiting(entries),
        agreement_overall=[_without(row, "capability") for row in overall],
        agreement_by_capability=[row for row in standing.agreement if row["capability"] != "all"],
        points=pack_points(places) if places else "",
        drawn=places.drawn if places else 0,
        known=places.known if places else 0,
        min_reporters=min_reporters,
    )


def _release(standing: Standing, entries: Sequence[ThemeEntry]) -> Release | None:
    if standing.last_release is None:
        return None
    counted: dict[str, int] = {}
    for entry in entries:
        if entry.verified:
            counted[entry.verified] = counted.get(entry.verified, 0) + 1
    new, old = standing.last_release
    return Release(new, old, counted, bool(counted))


def _waiting(entries: Sequence[ThemeEntry]) -> tuple[Waiting, ...]:
    """Blocked themes by their reason, the commonest first; what differs stands with the theme."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        if entry.issue_url is None and not entry.is_filed_privately:
            blocker = entry.blocker or "not looked at by the filing stage yet"
            reason, _, detail = blocker.partition(": ")
            groups.setdefault(reason, []).append((entry.name, detail))
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(Waiting(reason, tuple(members)) for reason, members in ordered)


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
