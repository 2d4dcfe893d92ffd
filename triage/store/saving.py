"""Saving reports: idempotent, and a reworded one leaves its theme and its duplicates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ARRAY, Text, any_, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.copying import copy_in
from triage.store.tables import ReportRow, ReportSupporterRow, ThemeMemberRow
from triage.types import CleanReport

# What intake writes into the table, by PostgreSQL's name of the column's type.
COLUMN_TYPES = {
    "origin": "text",
    "external_id": "text",
    "channel": "text",
    "kind": "text",
    "created_at": "timestamptz",
    "title": "text",
    "body": "text",
    "failure_text": "text",
    "fingerprint": "text",
    "content_digest": "text",
    "code": "text",
    "error_signatures": "jsonb",
    "shingle_bands": "int8[]",
    "model_written": "text",
    "model_version": "text",
    "environment": "text",
    "language": "text",
    "url": "text",
    "author_hash": "text",
    "rating": "float8",
    "prompt": "text",
    "response": "text",
}
# Fields that are no part of what a source said.
DERIVED = {"created_at", "fingerprint", "shingle_bands", "error_signatures"}
DIGESTED = tuple(field.name for field in fields(CleanReport) if field.name not in DERIVED)
SEQUENCE = "report_report_id_seq"
EXPIRED = "expired"  # the content's digest of a report whose text was let go
SAVING_LOCK = 0x7361_7665  # "save": held by the transaction that saves reports


@dataclass(frozen=True, slots=True)
class SavedReports:
    """Ids of the reports that a batch added or revised, and how many it left as they were.

    ``to_link`` are those whose duplicate family must be looked for.
    """

    added: tuple[int, ...]
    revised: tuple[int, ...]
    unchanged: int
    to_link: tuple[int, ...]


def hold_reports(session: Session) -> None:
    """Let nobody else save reports until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(SAVING_LOCK)))


def save_reports(session: Session, reports: Sequence[CleanReport]) -> SavedReports:
    """Add new reports and revise those whose source changed them; the same again changes nothing.

    A report is known by (origin, external_id); a later one of the same key within the batch
    wins. One transaction at a time saves, so that two processes never double a report. A report
    whose failure text was revised leaves its theme and its duplicate family.
    """
    hold_reports(session)
    latest = {(report.origin, report.external_id): report for report in reports}
    known = _load_known(session, latest)
    new = [report for key, report in latest.items() if key not in known]
    changed = {
        known[key].report_id: report
        for key, report in latest.items()
        if key in known and known[key].content_digest not in (EXPIRED, _content_digest(report))
    }
    added = _add(session, new)
    for report_id, report in changed.items():
        values = _columns(report)
        del values["created_at"]
        session.execute(
            update(ReportRow).where(col(ReportRow.report_id) == report_id).values(**values)
        )
    _save_supporters(session, dict(zip(added, new, strict=True)) | changed)
    fingerprints = {row.report_id: row.fingerprint for row in known.values()}
    reworded = [
        report_id
        for report_id, report in changed.items()
        if report.fingerprint != fingerprints[report_id]
    ]
    unlinked = _leave_family_and_theme(session, reworded)
    return SavedReports(
        tuple(added),
        tuple(changed),
        len(reports) - len(added) - len(changed),
        to_link=tuple(sorted({*added, *reworded, *unlinked})),
    )


def _add(session: Session, reports: Sequence[CleanReport]) -> list[int]:
    """Insert reports by COPY and return their ids, ascending in their order."""
    if not reports:
        return []
    numbers = text("SELECT nextval(:sequence) FROM generate_series(1, :count)")
    drawn = session.execute(numbers, {"sequence": SEQUENCE, "count": len(reports)})
    report_ids = sorted(drawn.scalars())
    rows = (
        {**_columns(report), "report_id": report_id}
        for report_id, report in zip(report_ids, reports, strict=True)
    )
    types = {"report_id": "int8", **COLUMN_TYPES}
    copy_in(session, "report", types, ([row[name] for name in types] for row in rows))
    return report_ids


def _load_known(session: Session, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    by_origin: dict[str, list[str]] = {}
    for origin, external_id in keys:
        by_origin.setdefault(origin, []).append(external_id)
    known = {}
    for origin, external_ids in by_origin.items():
        statement = select(
            col(ReportRow.external_id),
            col(ReportRow.report_id),
            col(ReportRow.fingerprint),
            col(ReportRow.content_digest),
        ).where(
            col(ReportRow.origin) == origin,
            col(ReportRow.external_id) == any_(literal(external_ids, ARRAY(Text))),
        )
        known.update({(origin, row.external_id): row for row in session.execute(statement)})
    return known


def _columns(report: CleanReport) -> dict[str, Any]:
    """What is stored of a report, by the columns of ``COLUMN_TYPES``."""
    values = {name: getattr(report, name) for name in COLUMN_TYPES if name != "content_digest"}
    values["kind"] = report.kind.value
    values["content_digest"] = _content_digest(report)
    values["shingle_bands"] = list(report.shingle_bands)
    values["error_signatures"] = list(report.error_signatures)
    return values


def _save_supporters(session: Session, reports: Mapping[int, CleanReport]) -> None:
    people = [
        {"report_id": report_id, "person_hash": person}
        for report_id, report in reports.items()
        for person in report.supporter_hashes
    ]
    if people:
        session.execute(insert(ReportSupporterRow).on_conflict_do_nothing(), people)


def _leave_family_and_theme(session: Session, report_ids: Sequence[int]) -> list[int]:
    """Free reworded reports, and those that repeated their old text; returns the latter."""
    if not report_ids:
        return []
    family = among(col(ReportRow.duplicate_of), report_ids) | among(
        col(ReportRow.report_id), report_ids
    )
    statement = update(ReportRow).where(family).values(duplicate_of=None, clustered_at=None)
    freed = list(session.execute(statement.returning(col(ReportRow.report_id))).scalars())
    session.execute(
        delete(ThemeMemberRow).where(
            among(col(ThemeMemberRow.report_id), freed), col(ThemeMemberRow.joined_by) != "person"
        )
    )
    return freed


def _content_digest(report: CleanReport) -> str:
    """Hash of all that the source said, so that an unchanged report is told from a revised one."""
    content = {name: getattr(report, name) for name in DIGESTED}
    encoded = json.dumps(content, sort_keys=True, default=str).encode()
    return hashlib.sha256(encoded).hexdigest()


def restamp_versions(session: Session, resolve: Callable[[str], str | None]) -> int:
    """Give stored reports the version that their model's name means today; returns how many.

    Waits for who holds the reports: counts of a theme must not be of the version before and bear
    the state of the one after.
    """
    names = select(col(ReportRow.model_written), col(ReportRow.model_version)).distinct()
    restamped = 0
    for written, version in session.execute(names.where(col(ReportRow.model_written).is_not(None))):
        meant = resolve(written)
        if meant != version:
            hold_reports(session)
            changed = update(ReportRow).where(
                col(ReportRow.model_written) == written,
                col(ReportRow.model_version).is_not_distinct_from(version),
            )
            stamped = changed.values(model_version=meant).returning(col(ReportRow.report_id))
            restamped += len(session.execute(stamped).all())
    return restamped


def mark_clustered(session: Session, report_ids: Collection[int]) -> None:
    """Note that a clustering looked at these reports."""
    session.execute(
        update(ReportRow)
        .where(among(col(ReportRow.report_id), report_ids), col(ReportRow.clustered_at).is_(None))
        .values(clustered_at=func.now())
    )
