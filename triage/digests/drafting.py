"""Who is told what of a week: new, grown, verified, and what awaits them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from triage.page.themes import shown_title
from triage.privacy import withheld_because
from triage.types import Theme
from triage.verification import ReleaseVerdict, Verification

WEEK = timedelta(days=7)
# Fewer new people in a week are no growth, however few there were the week before.
LEAST_GROWTH = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One theme and what is said of it; ``url`` is its issue's."""

    theme: str
    title: str
    said: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Digest:
    """What one owner should know of the week that began on the Monday ``week``."""

    owner: str
    week: date
    new: tuple[Line, ...]
    grew: tuple[Line, ...]
    verified: tuple[Line, ...]
    awaits: tuple[Line, ...]

    @property
    def sections(self) -> tuple[tuple[str, tuple[Line, ...]], ...]:
        """Headings and their lines, those without lines left out."""
        every = (
            ("New this week", self.new),
            ("Grew", self.grew),
            ("Verified", self.verified),
            ("Awaits you", self.awaits),
        )
        return tuple((heading, lines) for heading, lines in every if lines)


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """What is known about one theme.

    ``made_at`` is when the theme was founded, ``arrivals`` counts people by the Monday of the week
    in which they first reported it, ``verified`` are verdicts with the time at which each was
    given, ``awaits`` what a person has to do or know, as of now, ``sensitive`` why its words are
    for few.
    """

    theme: Theme
    owner: str
    made_at: datetime
    arrivals: Mapping[date, int]
    verified: Sequence[tuple[datetime, Verification]]
    awaits: Sequence[str]
    url: str | None
    sensitive: str | None = None


def last_week(now: datetime) -> date:
    """The Monday (UTC) of the last whole week."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=today.weekday()) - WEEK


def draft_digests(
    facts: Iterable[WeekFacts], owners: Iterable[str], week: date, *, min_reporters: int
) -> list[Digest]:
    """A digest for every owner, by name, also where nothing happened.

    The title of a theme that is sensitive, or behind which are fewer than ``min_reporters`` people,
    is left out.
    """
    found: dict[str, dict[str, list[Line]]] = {name: {} for name in owners}
    for one in sorted(facts, key=lambda one: (-sum(one.arrivals.values()), one.theme.theme_id)):
        sections = found.setdefault(one.owner, {})
        people = sum(one.arrivals.values())
        why = withheld_because(people, min_reporters, one.sensitive)
        title = shown_title(one.theme, why)
        for section, said in _said(one, week):
            line = Line(one.theme.name, title, said, one.url)
            sections.setdefault(section, []).append(line)
    return [
        Digest(
            owner,
            week,
            *(tuple(sections.get(name, ())) for name in ("new", "grew", "verified", "awaits")),
        )
        for owner, sections in sorted(found.items())
        if owner
    ]


def _said(one: WeekFacts, week: date) -> Iterable[tuple[str, str]]:
    total = sum(one.arrivals.values())
    here, before = one.arrivals.get(week, 0), one.arrivals.get(week - WEEK, 0)
    if _in_week(one.made_at, week):
        yield "new", _people(total)
    elif here >= LEAST_GROWTH and here > before:
        yield "grew", f"{here} new people, {before} the week before; {_people(total)} in all"
    for at, held in one.verified:
        if _in_week(at, week) and held.verdict is not ReleaseVerdict.NOT_ENOUGH_EVIDENCE:
            yield "verified", f"{held.verdict} in {held.new_version}"
    for reason in one.awaits:
        yield "awaits", reason


def _in_week(at: datetime, week: date) -> bool:
    start = datetime.combine(week, time(), UTC)
    return start <= at < start + WEEK


def _people(count: int) -> str:
    return f"{count} {'person' if count == 1 else 'people'}"
