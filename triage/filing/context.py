"""What a draft needs to know beside the theme itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Release(NamedTuple):
    """A released version of the model family; the day is None where nobody wrote it down."""

    version: str
    released_on: date | None = None


@dataclass(frozen=True, slots=True)
class ReleaseNote:
    """What the latest judged version did to a theme: the verdict and its lines, as of a day.

    ``answers`` are those of reporters who were told of it, in words; empty where there are none.
    """

    version: str
    verdict: str
    lines: tuple[str, ...]
    judged_on: date
    answers: str = ""


@dataclass(frozen=True, slots=True)
class DraftContext:
    """The model family, the capabilities and the key that signs the marker.

    ``next_version`` is the title of the milestone, or None for no milestone. ``releases`` are
    in order of release, oldest first. ``capability_titles`` maps ids to titles.
    ``earlier_issues`` maps a theme whose failure came back to the address of its former issue,
    ``release_notes`` a theme to what is known of it since the latest release, ``withheld`` a theme
    whose words may not be shown to the reason.
    ``fallback_owner`` takes what has no owner or whose owner cannot be assigned.
    """

    family_title: str
    marker_key: bytes = field(repr=False)
    next_version: str | None = None
    next_version_due: date | None = None
    releases: tuple[Release, ...] = ()
    capability_titles: Mapping[str, str] = field(default_factory=dict)
    fallback_owner: str | None = None
    capability_label_prefix: str = "capability: "
    priority_label_prefix: str = "priority: "
    extra_labels: tuple[str, ...] = ()
    earlier_issues: Mapping[int, str] = field(default_factory=dict)
    release_notes: Mapping[int, ReleaseNote] = field(default_factory=dict)
    withheld: Mapping[int, str] = field(default_factory=dict)
    max_quotes: int = 5
    quote_chars: int = 1200
