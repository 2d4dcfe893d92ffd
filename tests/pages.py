"""Pages for tests of the report page, made of invented themes, without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from triage.page import (
    Page,
    Places,
    Standing,
    ThemeFacts,
    make_page,
    spread_copies,
)
from triage.types import (
    Decision,
    EvidenceItem,
    Kind,
    Priority,
    Report,
    Route,
    Theme,
    ThemeProfile,
    ThemeStatus,
    ThemeText,
    Verdict,
)
from triage.verification import LedgerRow, ReleaseVerdict, Verification
from triage.verification.ledger import Standing as LedgerStanding

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VERSIONS = ("corvane-4.1", "corvane-4.2", "not stated")
SOURCES = ("api", "forum")
MONDAY = date(2026, 11, 16)


def report(number: int, text: str) -> Report:
    """A report that may be quoted."""
    return Report(
        report_id=number,
        external_id=f"r{number}",
        origin="files",
        channel="forum",
        kind=Kind.USER,
        created_at=NOW - timedelta(days=number),
        title=text,
        body=text,
        failure_text=text,
        fingerprint=f"f{number}",
        reporter=f"person {number}",
        model_version="corvane-4.2",
    )


def facts(
    number: int,
    title: str = "",
    *,
    people: int = 4,
    cells: Mapping[tuple[int, int], int] | None = None,
    capability: str = "tool-use",
    issue: str | None = None,
    blocker: str | None = "dry run: would be filed",
    verdict: ReleaseVerdict | None = None,
) -> ThemeFacts:
    """What is known of an invented theme, with every part filled."""
    title = title or f"Failure number {number}"
    return ThemeFacts(
        theme=Theme(
            number,
            ThemeStatus.OPEN,
            ThemeText(title, f"{title}, told by several.", ("parcel",), 1, (1, 2)),
            ThemeProfile(
                reports=people,
                duplicates=0,
                distinct_reporters=people,
                developer_reports=0,
                coherence=0.8,
                first_seen=NOW - timedelta(days=60),
                last_seen=NOW - timedelta(days=2),
                versions={"corvane-4.2": people},
                channels={"forum": people},
                environments={},
                languages={"en": people},
                weeks={MONDAY: people},
                error_signatures={},
                loose=1,
            ),
        ),
        decision=Decision(
            Verdict.FUNDAMENTAL,
            0.83,
            Priority.P1,
            (f"Reason {number}.",),
            (EvidenceItem("layer", f"seen in {number}", 1.5),),
            "test",
            would_change=("A retry that helps.",),
        ),
        route=Route(capability, f"owner-of-{capability}", f"words of {number}"),
        issue_url=issue,
        blocker=None if issue else blocker,
        ledger=[ledger_row(number, version, people) for version in (*VERSIONS[:2], "")],
        verification=_held(number, verdict) if verdict else None,
        exemplars=[report(1, f"{title} once"), report(2, f"{title} twice")],
        cells=cells or {(1, 1): people},
        arrivals={MONDAY - timedelta(weeks=2): 1, MONDAY: people - 1},
    )


def ledger_row(number: int, version: str, people: int) -> LedgerRow:
    """A theme on a version."""
    return LedgerRow(
        theme_id=number,
        version=version,
        first_seen=MONDAY,
        last_seen=MONDAY,
        reports=people,
        reporters=people,
        exposure=100.0,
        in_requests=False,
        claimed_by=None,
        standing=LedgerStanding.REPORTED,
        verdict=None,
        next_check=None,
    )


def page_of(
    themes: Sequence[ThemeFacts],
    *,
    dots: int = 40,
    known: int | None = None,
    min_reporters: int = 3,
    family: str = "Corvane",
    notes: Sequence[str] = (),
) -> Page:
    """A page with a map of as many dots, given to the themes and to none in turn."""
    chance = np.random.default_rng(7)
    rows = np.arange(dots) % (len(themes) + 1)
    texts = chance.random((len(themes) + 1, 2)).astype(np.float32) * 0.8 + 0.1
    places = Places(
        places=spread_copies(texts, rows),
        themes=rows,
        versions=np.arange(dots) % 2,
        sources=np.arange(dots) // 2 % 2,
        drawn=dots,
        known=known or dots,
    )
    standing = Standing(
        family=family,
        next_version="corvane-4.3",
        counts={"reports": known or dots, "themes": len(themes)},
        released=VERSIONS[:2],
        last_release=("corvane-4.2", "corvane-4.1"),
        agreement=[
            {"month": "2026-11", "capability": name, "about": "verdict", "themes": 9}
            for name in ("all", "tool-use")
        ],
        owners=[{"owner": "owner-of-tool-use", "open themes": 2}],
        notes=notes,
    )
    return make_page(
        standing, themes, places, (VERSIONS, SOURCES), NOW, min_reporters=min_reporters
    )


def _held(number: int, verdict: ReleaseVerdict) -> Verification:
    lines = ("corvane-4.2 against corvane-4.1.", "Ratio 0.21.")
    return Verification(
        number, "corvane-4.1", "corvane-4.2", verdict, None, lines, None, MONDAY, False
    )
