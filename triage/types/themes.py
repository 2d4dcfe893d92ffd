"""Themes: durable, with their counts and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ThemeStatus(StrEnum):
    """A theme is open, forwards to the theme that absorbed it, or a human set it aside."""

    OPEN = "open"
    MERGED = "merged"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class ThemeProfile:
    """What can be counted about a theme from its reports (pure function of them).

    Only the core of a theme counts; ``loose`` is how many reports are in it besides.
    ``distinct_reporters`` counts people (authors and supporters), never posts; the mappings
    count reports that are no duplicates, most frequent first. ``coherence`` is the core's share
    of all its reports (0 to 1).
    ``weeks`` maps the Monday of a week to its number of reports, without gaps.
    """

    reports: int
    duplicates: int
    distinct_reporters: int
    developer_reports: int
    coherence: float
    first_seen: datetime
    last_seen: datetime
    versions: Mapping[str, int]
    channels: Mapping[str, int]
    environments: Mapping[str, int]
    languages: Mapping[str, int]
    weeks: Mapping[date, int]
    error_signatures: Mapping[str, int]
    loose: int = 0


@dataclass(frozen=True, slots=True)
class ThemeText:
    """A theme's description: taken from its reports, or put into words by an LLM.

    ``worded_by`` is the LLM that wrote title or summary; None where both are reporters' own.
    """

    title: str
    summary: str
    keywords: tuple[str, ...]
    medoid_id: int
    exemplar_ids: tuple[int, ...]
    worded_by: str | None = None


@dataclass(frozen=True, slots=True)
class ThemeDraft:
    """A theme before it has an id; ``anchors`` are the fingerprints of the texts that stand for it.

    Later reports are compared with those.
    """

    text: ThemeText
    profile: ThemeProfile
    anchors: Sequence[str]


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence about a theme and the ids of the reports that say so; at least one."""

    text: str
    report_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThemeWording:
    """What could be used of an LLM's words for a theme; the title is None where it could not."""

    title: str | None
    sentences: tuple[CitedSentence, ...]


@dataclass(frozen=True, slots=True)
class PairAnswer:
    """Whether an LLM thinks that one fix would resolve both of two groups, and why."""

    same_fix: bool
    because: str


@dataclass(frozen=True, slots=True)
class Theme:
    """A durable failure theme: the id outlives every run."""

    theme_id: int
    status: ThemeStatus
    text: ThemeText
    profile: ThemeProfile
    forwards_to: int | None = None

    @property
    def name(self) -> str:
        """The id as people write it, ``T12``."""
        return f"T{self.theme_id}"
