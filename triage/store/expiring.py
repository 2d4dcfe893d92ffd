"""Lets the texts of old reports go: words, vectors and answers; who, when, which version stay."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.forgetting import delete_by_text
from triage.store.saving import EXPIRED
from triage.store.tables import ReportRow, ThemeMemberRow

BATCH = 2000
# Not keyed by one text: whatever is older may have been made from, or may quote, what goes.
_OLD = (
    "DELETE FROM wording WHERE answered_at < :before",
    "DELETE FROM pair_answer WHERE answered_at < :before",
    "DELETE FROM unanswered WHERE asked_at < :before",
    "DELETE FROM rejected WHERE rejected_at < :before",
    "UPDATE issue_action SET payload = '{}' WHERE done_at < :before AND payload <> '{}'",
    *(
        # from the first to the last curly quote of the string that it stands in
        rf"""UPDATE decision SET {column} = regexp_replace({column}::text,
            'error “([^"\\]|\\.)*”', 'error that was shown', 'g')::jsonb
        WHERE decided_at < :before AND {column}::text LIKE '%error “%'"""
        for column in ("reasons", "evidence")
    ),
)


def expire_reports(session: Session, before: datetime) -> tuple[dict[str, int], frozenset[int]]:
    """Empty the texts of what was received before a time; returns rows by table, and the themes.

    Each report stays with its reporter, dates, version, environment and theme, so that every count
    stays; another reading of its source does not bring the text back.
    """
    counts: Counter[str] = Counter()
    themes: set[int] = set()
    while batch := _load_batch(session, before):
        members = select(col(ThemeMemberRow.theme_id)).where(
            among(col(ThemeMemberRow.report_id), batch)
        )
        themes |= set(session.execute(members).scalars())
        counts["report"] += len(batch)
        delete_by_text(session, counts, set(batch.values()))
    for statement in _OLD:
        result: Any = session.execute(text(statement), {"before": before})
        counts[statement.split()[2 if statement.startswith("DELETE") else 1]] += result.rowcount
    return {table: count for table, count in sorted(counts.items()) if count}, frozenset(themes)


def _load_batch(session: Session, before: datetime) -> dict[int, str]:
    """Some reports with their fingerprints, emptied."""
    old = (
        select(col(ReportRow.report_id), col(ReportRow.fingerprint))
        .where(col(ReportRow.received_at) < before, col(ReportRow.failure_text) != "")
        .order_by(col(ReportRow.report_id))
        .limit(BATCH)
    )
    batch = {report_id: key for report_id, key in session.execute(old)}
    if batch:
        session.execute(
            update(ReportRow)
            .where(among(col(ReportRow.report_id), batch))
            .values(
                title="",
                body="",
                failure_text="",
                code="",
                error_signatures=[],
                shingle_bands=[],
                url=None,
                prompt=None,
                response=None,
                content_digest=EXPIRED,
                fingerprint=text(f"'{EXPIRED}-' || report_id"),
            )
        )
    return batch
