"""Finding and linking reports that repeat another report's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import inspect, select, update
from sqlmodel import Session, col

from triage.store.tables import ReportRow
from triage.types import DuplicateCandidate

BANDS = cast("Any", inspect(ReportRow)).columns["shingle_bands"]


def load_duplicate_candidates(
    session: Session, report_ids: Sequence[int]
) -> list[DuplicateCandidate]:
    """The named reports, and every first report of a family that shares a text or a band."""
    if not report_ids:
        return []
    mine = select(col(ReportRow.fingerprint), col(ReportRow.shingle_bands)).where(
        col(ReportRow.report_id).in_(report_ids)
    )
    fingerprints: set[str] = set()
    bands: set[int] = set()
    for row in session.execute(mine):
        fingerprints.add(row.fingerprint)
        bands.update(row.shingle_bands)
    statement = select(
        col(ReportRow.report_id),
        col(ReportRow.fingerprint),
        col(ReportRow.failure_text),
        col(ReportRow.shingle_bands),
    ).where(
        col(ReportRow.duplicate_of).is_(None),
        # two index scans: B-tree on the fingerprint, GIN on the bands
        col(ReportRow.fingerprint).in_(fingerprints) | BANDS.overlap(sorted(bands)),
    )
    return [
        DuplicateCandidate(
            row.report_id, row.fingerprint, row.failure_text, tuple(row.shingle_bands)
        )
        for row in session.execute(statement.order_by(col(ReportRow.report_id)))
    ]


def save_duplicate_links(session: Session, links: Mapping[int, int]) -> None:
    """Link reports to the first report of their family (report id to root id)."""
    for report_id, root_id in sorted(links.items()):
        session.execute(
            update(ReportRow)
            .where(col(ReportRow.report_id) == report_id)
            .values(duplicate_of=root_id)
        )
