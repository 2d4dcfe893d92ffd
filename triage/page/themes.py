"""One theme as the page shows it; of one with too few people behind it no word is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from triage.filing.hostile import visible_line
from triage.page.trend import Trend, trend_of
from triage.privacy import withheld_because
from triage.types import Decision, Report, Route, Theme
from triage.verification import LedgerRow, Verification

MAX_QUOTES = 3
_QUOTE_CHARS = 280
_SUMMARY_CHARS = 900
_TITLE_CHARS = 140
_LINE_CHARS = 300
_MAX_LINES = 8


@dataclass(frozen=True, slots=True)
class Quote:
    """What one reporter wrote, shortened, and where and about which version."""

    text: str
    about: str


@dataclass(frozen=True, slots=True)
class ThemeFacts:
    """All that is known about a theme. Reports and people are those of its core, as of now.

    ``exemplars`` are the reports that may be quoted, ``cells`` counts reports by rows of version
    and source, ``arrivals`` people by the Monday of the week in which they first reported it;
    ``waiting`` are further reasons why people are needed, ``sensitive`` why its words are for few.
    ``is_filed_privately``: its issue is for few, so there is no ``issue_url``.
    """

    theme: Theme
    decision: Decision | None
    route: Route | None
    issue_url: str | None
    blocker: str | None
    ledger: Sequence[LedgerRow]
    verification: Verification | None
    exemplars: Sequence[Report]
    cells: Mapping[tuple[int, int], int]
    arrivals: Mapping[date, int]
    group: str | None = None
    waiting: Sequence[str] = ()
    sensitive: str | None = None
    is_filed_privately: bool = False

    @property
    def people(self) -> int:
        """How many distinct people are behind it."""
        return sum(self.arrivals.values())


@dataclass(frozen=True, slots=True)
class ThemeEntry:
    """A theme as the template shows it. Every string is one line without hidden characters."""

    name: str
    title: str
    summary: str
    keywords: tuple[str, ...]
    withheld: str
    people: int
    reports: int
    loose: int
    coherence: float
    verdict: str
    confidence: float | None
    set_by: str | None
    priority: str
    capability: str
    owner: str
    route_reason: str
    trend: Trend
    first_seen: str
    last_seen: str
    reasons: tuple[str, ...]
    evidence: tuple[tuple[str, str, float], ...]
    would_change: tuple[str, ...]
    quotes: tuple[Quote, ...]
    issue_url: str | None
    is_filed_privately: bool
    blocker: str
    ledger: tuple[LedgerRow, ...]
    verified: str
    verified_lines: tuple[str, ...]
    cells: tuple[tuple[int, int, int], ...]
    group: str
    waiting: tuple[str, ...]
    worded_by: str | None


def theme_entry(facts: ThemeFacts, now: datetime, *, min_reporters: int) -> ThemeEntry:
    """What the page says about a theme.

    Where the words are withheld (fewer than ``min_reporters`` distinct people, or something
    sensitive) no title, summary, keyword, reason, observation or quote is shown: any of them may be
    one person's words. Counts, verdict and owner stay.
    """
    theme, profile, decision, route = facts.theme, facts.theme.profile, facts.decision, facts.route
    withheld = withheld_because(facts.people, min_reporters, facts.sensitive)
    held = facts.verification
    return ThemeEntry(
        name=theme.name,
        title=shown_title(theme, withheld),
        summary="" if withheld else _line(theme.text.summary, _SUMMARY_CHARS),
        keywords=() if withheld else tuple(_line(word, 40) for word in theme.text.keywords[:8]),
        withheld=withheld or "",
        people=facts.people,
        reports=sum(facts.cells.values()),
        loose=profile.loose,
        coherence=profile.coherence,
        verdict=decision.verdict.value if decision else "not decided",
        confidence=decision.confidence if decision else None,
        set_by=decision.set_by if decision and decision.set_by != "policy" else None,
        priority=decision.priority.value if decision else "",
        capability=(route.capability or "") if route else "",
        owner=(route.owner or "") if route else "",
        route_reason=_line(route.reason, _LINE_CHARS) if route and not withheld else "",
        trend=trend_of(facts.arrivals, profile.last_seen, now),
        first_seen=str(profile.first_seen.date()),
        last_seen=str(profile.last_seen.date()),
        reasons=_lines(decision.reasons if decision and not withheld else ()),
        evidence=_evidence(decision if not withheld else None),
        would_change=_lines(decision.would_change if decision and not withheld else ()),
        quotes=() if withheld else _quotes(facts.exemplars),
        issue_url=None if facts.is_filed_privately else safe_url(facts.issue_url),
        is_filed_privately=facts.is_filed_privately,
        blocker=_line(facts.blocker or "", _LINE_CHARS),
        ledger=tuple(facts.ledger),
        verified=held.verdict.value if held else "",
        verified_lines=_lines(held.lines[1:] if held else ()),
        cells=tuple((*cell, count) for cell, count in sorted(facts.cells.items())),
        group=facts.group or "",
        waiting=_lines(facts.waiting),
        worded_by=theme.text.worded_by,
    )


def safe_url(url: str | None) -> str | None:
    """An address of the web, or None: no other scheme becomes a link."""
    return url if url and url.startswith(("https://", "http://")) else None


def shown_title(theme: Theme, withheld: str | None) -> str:
    """A theme's title on one line, or why it is not shown in words."""
    if withheld is not None:
        return f"Not shown in words: {withheld}"
    return _line(theme.text.title, _TITLE_CHARS) or "Untitled failure"


def _quotes(reports: Sequence[Report]) -> tuple[Quote, ...]:
    """One a person, so that nobody speaks twice."""
    chosen = {report.reporter: report for report in reversed(reports)}
    kept = [report for report in reports if chosen[report.reporter] is report]
    return tuple(
        Quote(
            _line(report.failure_text, _QUOTE_CHARS),
            ", ".join(
                _line(part, 60)
                for part in (
                    str(report.created_at.date()),
                    report.model_version or report.model_written,
                    report.environment,
                    report.channel,
                )
                if part
            ),
        )
        for report in kept[:MAX_QUOTES]
    )


def _evidence(decision: Decision | None) -> tuple[tuple[str, str, float], ...]:
    """What moved the decision, the heaviest first; what says nothing is left out."""
    items = [item for item in (decision.evidence if decision else ()) if abs(item.weight) >= 0.005]
    items.sort(key=lambda item: -abs(item.weight))
    return tuple(
        (_line(item.name, 60), _line(item.observation, _LINE_CHARS), item.weight)
        for item in items[:_MAX_LINES]
    )


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(_line(line, _LINE_CHARS) for line in lines[:_MAX_LINES])


def _line(text: str, limit: int) -> str:
    line = visible_line(text[: limit * 4])
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
