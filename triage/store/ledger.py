"""The version ledger: theme by exact model version, from the reports themselves.

Reports, people and days are counted where they are stored, so the ledger always adds up; verdicts
on releases are kept as a history.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col

from triage.store.life_tables import VerificationRow
from triage.store.tables import ReportRow
from triage.verification import (
    LedgerCount,
    ReleaseOutcome,
    ReleaseVerdict,
    Sighting,
    ThemeOutcome,
    Verification,
)

LEDGER = text(
    """
    SELECT theme_member.theme_id, coalesce(report.model_version, '') AS version,
           min(report.created_at)::date AS first_seen, max(report.created_at)::date AS last_seen,
           count(DISTINCT report.report_id) AS reports,
           count(DISTINCT person.who) AS reporters
    FROM report
    JOIN theme_member USING (report_id)
    LEFT JOIN LATERAL (
        SELECT person_hash AS who FROM report_supporter WHERE report_id = report.report_id
        UNION ALL
        SELECT coalesce(report.author_hash,
                        'anonymous:' || coalesce(report.duplicate_of, report.report_id))
    ) person ON true
    WHERE theme_member.is_core
    GROUP BY 1, 2
    ORDER BY 1, 2
    """
)

SIGHTINGS = text(
    """
    SELECT person.who, theme_member.theme_id, report.channel, report.created_at::date AS day
    FROM report
    LEFT JOIN theme_member ON theme_member.report_id = report.report_id AND theme_member.is_core
    LEFT JOIN theme USING (theme_id)
    JOIN LATERAL (
        SELECT person_hash AS who FROM report_supporter WHERE report_id = report.report_id
        UNION
        SELECT coalesce(report.author_hash,
                        'anonymous:' || coalesce(report.duplicate_of, report.report_id))
    ) person ON true
    WHERE report.model_version = :version
    ORDER BY report.created_at, report.report_id, person.who
    """
)


def load_ledger_counts(session: Session) -> list[LedgerCount]:
    """Every theme and version that any report names, in order; late reports count for theirs."""
    return [LedgerCount(*row) for row in session.execute(LEDGER)]


def count_reports_by_version(session: Session) -> dict[str, int]:
    """All reports about each version, in a theme or not."""
    version = col(ReportRow.model_version)
    statement = select(version, func.count()).where(version.is_not(None)).group_by(version)
    return {name: count for name, count in session.execute(statement) if name is not None}


def load_sightings(session: Session, version: str) -> list[Sighting]:
    """Each person's reports about a version, with or without a theme."""
    rows = session.execute(SIGHTINGS, {"version": version})
    return [Sighting(row.who, row.theme_id, row.channel, row.day) for row in rows]


def save_verification(
    session: Session,
    outcome: ThemeOutcome,
    release: ReleaseOutcome,
    lines: Collection[str],
    *,
    today: date,
    was_quick_fix: bool,
) -> None:
    """Append a verdict to a theme's history; from now on it holds for that version."""
    figures = outcome.figures
    session.add(
        VerificationRow(
            theme_id=outcome.theme_id,
            old_version=release.old_version,
            new_version=release.new_version,
            verdict=outcome.verdict,
            reason=outcome.reason.value if outcome.reason is not None else None,
            lines=list(lines),
            ratio=_finite(figures.ratio) if figures is not None else None,
            low=_finite(figures.low) if figures is not None else None,
            high=_finite(figures.high) if figures is not None else None,
            next_check=outcome.next_check,
            judged_on=today,
            was_quick_fix=was_quick_fix,
        )
    )
    session.flush()


def load_verifications(session: Session) -> dict[tuple[int, str], Verification]:
    """The verdict that holds, by theme and version."""
    row = VerificationRow
    statement = (
        select(row)
        .ext(distinct_on(col(row.theme_id), col(row.new_version)))
        .order_by(col(row.theme_id), col(row.new_version), col(row.verification_id).desc())
    )
    return {
        (found.theme_id, found.new_version): verification_of(found)
        for found in session.execute(statement).scalars()
    }


def load_verification_history(session: Session, theme_id: int) -> list[Verification]:
    """Every verdict on a theme, oldest first."""
    row = VerificationRow
    statement = select(row).where(col(row.theme_id) == theme_id).order_by(col(row.verification_id))
    return [verification_of(found) for found in session.execute(statement).scalars()]


def load_judged_versions(session: Session) -> dict[int, tuple[str, ...]]:
    """By theme: the versions on which there is a verdict that is one."""
    found: dict[int, tuple[str, ...]] = {}
    for (theme_id, version), held in load_verifications(session).items():
        if held.verdict is not ReleaseVerdict.NOT_ENOUGH_EVIDENCE:
            found[theme_id] = (*found.get(theme_id, ()), version)
    return found


def load_failed_fixes(session: Session) -> dict[int, tuple[Verification, ...]]:
    """By theme: the versions that were to bring a quick fix and did not mend it."""
    unmended = (ReleaseVerdict.UNCHANGED, ReleaseVerdict.WORSE, ReleaseVerdict.REGRESSED)
    found: dict[int, tuple[Verification, ...]] = {}
    for (theme_id, _), held in load_verifications(session).items():
        if held.was_quick_fix and held.verdict in unmended:
            found[theme_id] = (*found.get(theme_id, ()), held)
    return found


def verification_of(row: VerificationRow) -> Verification:
    """A row as the stages see it."""
    return Verification(
        row.theme_id,
        row.old_version,
        row.new_version,
        ReleaseVerdict(row.verdict),
        row.reason,
        tuple(row.lines),
        row.next_check,
        row.judged_on,
        row.was_quick_fix,
    )


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
