"""Reports in and out of the database: idempotent saving, duplicate links, loading."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, delete, exists, func, inspect, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.errors import UnknownReport
from triage.store.tables import ReportRow, ReportSupporterRow, ThemeMemberRow
from triage.types import CleanReport, Kind, Report

BANDS = cast("Column[list[int]]", inspect(ReportRow).columns["shingle_bands"])


@dataclass(frozen=True, slots=True)
class SavedReports:
    """Ids of the reports that a batch added or revised, and how many it left as they were."""

    added: tuple[int, ...]
    revised: tuple[int, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class DuplicateCandidate:
    """A stored text that may repeat another; ``root_id`` is the first report of its family."""

    report_id: int
    root_id: int
    fingerprint: str
    failure_text: str
    shingle_bands: tuple[int, ...]


def save_reports(session: Session, reports: Sequence[CleanReport]) -> SavedReports:
    """Add new reports and revise those whose source changed them; the same again changes nothing.

    A report is known by (origin, external_id). A later one of the same key within the batch
    wins. A revised text leaves its theme and its duplicate family and is looked at afresh.
    """
    latest = {(report.origin, report.external_id): report for report in reports}
    added: list[int] = []
    revised: list[int] = []
    # Sorted, so that two processes that save the same reports at once never deadlock.
    for _, report in sorted(latest.items()):
        report_id, is_new = _upsert(session, report)
        if report_id is not None:
            (added if is_new else revised).append(report_id)
    if revised:
        session.execute(
            delete(ThemeMemberRow).where(
                col(ThemeMemberRow.report_id).in_(revised),
                col(ThemeMemberRow.joined_by) != "person",
            )
        )
    unchanged = len(reports) - len(added) - len(revised)
    return SavedReports(tuple(added), tuple(revised), unchanged)


def _upsert(session: Session, report: CleanReport) -> tuple[int | None, bool]:
    values = asdict(report)
    supporters = values.pop("supporter_hashes")
    values["content_digest"] = _content_digest(report)
    values["shingle_bands"] = list(report.shingle_bands)
    values["error_signatures"] = list(report.error_signatures)
    values["duplicate_of"] = None
    statement = insert(ReportRow).values(**values)
    changed = {
        name: getattr(statement.excluded, name)
        for name in values
        if name not in ("origin", "external_id", "created_at")
    }
    statement = statement.on_conflict_do_update(
        constraint="report_origin_external_id_key",
        set_=changed,
        where=col(ReportRow.content_digest) != statement.excluded.content_digest,
    )
    row = session.execute(
        statement.returning(col(ReportRow.report_id), text("(xmax = 0) AS is_new"))
    ).first()
    if row is None:
        return None, False
    if supporters:
        people = [{"report_id": row.report_id, "person_hash": person} for person in supporters]
        session.execute(insert(ReportSupporterRow).values(people).on_conflict_do_nothing())
    return int(row.report_id), bool(row.is_new)


def _content_digest(report: CleanReport) -> str:
    """Hash of all that the source said, so that an unchanged report is told from a revised one."""
    content = asdict(report)
    for derived in ("created_at", "fingerprint", "shingle_bands", "error_signatures"):
        del content[derived]
    encoded = json.dumps(content, sort_keys=True, default=str).encode()
    return hashlib.sha256(encoded).hexdigest()


def load_duplicate_candidates(
    session: Session, report_ids: Sequence[int]
) -> list[DuplicateCandidate]:
    """The named reports and every older one that shares a fingerprint or MinHash band with one."""
    if not report_ids:
        return []
    mine = select(ReportRow).where(col(ReportRow.report_id).in_(report_ids)).subquery()
    statement = select(
        col(ReportRow.report_id),
        col(ReportRow.duplicate_of),
        col(ReportRow.fingerprint),
        col(ReportRow.failure_text),
        col(ReportRow.shingle_bands),
    ).where(
        exists().where(
            (mine.c.fingerprint == ReportRow.fingerprint)
            | BANDS.overlap(mine.c.shingle_bands)
        )
    )
    return [
        DuplicateCandidate(
            row.report_id,
            row.duplicate_of or row.report_id,
            row.fingerprint,
            row.failure_text,
            tuple(row.shingle_bands),
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


def load_reports(session: Session, report_ids: Iterable[int] | None = None) -> list[Report]:
    """Reports by id (all without ids), oldest first, with their theme and their supporters."""
    condition = None if report_ids is None else col(ReportRow.report_id).in_(list(report_ids))
    return _load(session, condition)


def load_theme_reports(session: Session) -> dict[int, list[Report]]:
    """Every report that is in a theme, by theme id, oldest first."""
    by_theme: dict[int, list[Report]] = {}
    for report in _load(session, col(ThemeMemberRow.theme_id).is_not(None)):
        if report.theme_id is not None:
            by_theme.setdefault(report.theme_id, []).append(report)
    return by_theme


def load_reports_of(session: Session, theme_id: int) -> list[Report]:
    """The reports of one theme, oldest first."""
    return _load(session, col(ThemeMemberRow.theme_id) == theme_id)


def find_reports(session: Session, name: str) -> list[Report]:
    """Reports by the id their source gave, or by ``#`` and our own number.

    Raises ``UnknownReport`` when there is none.
    """
    if name.startswith("#") and name[1:].isdigit():
        found = _load(session, col(ReportRow.report_id) == int(name[1:]))
    else:
        found = _load(session, col(ReportRow.external_id) == name)
    if not found:
        raise UnknownReport(
            f"Looking for report {name}",
            "no report has this id",
            "Take an id from `triage theme ID` or from the ingested file; a record that was set "
            "aside is listed by `triage rejected`.",
        )
    return found


def count_reports(session: Session) -> int:
    """How many reports are stored."""
    return int(session.execute(select(func.count()).select_from(ReportRow)).scalar_one())


def _load(session: Session, condition: ColumnElement[bool] | None) -> list[Report]:
    people = (
        select(
            col(ReportSupporterRow.report_id),
            func.array_agg(col(ReportSupporterRow.person_hash)).label("people"),
        )
        .group_by(col(ReportSupporterRow.report_id))
        .subquery()
    )
    statement = (
        select(
            ReportRow,
            col(ThemeMemberRow.theme_id),
            people.c.people,
        )
        .outerjoin(ThemeMemberRow, col(ThemeMemberRow.report_id) == col(ReportRow.report_id))
        .outerjoin(people, people.c.report_id == col(ReportRow.report_id))
        .order_by(col(ReportRow.created_at), col(ReportRow.report_id))
    )
    if condition is not None:
        statement = statement.where(condition)
    return [_report(row[0], row[1], row[2] or ()) for row in session.execute(statement)]


def _report(row: ReportRow, theme_id: int | None, people: Sequence[str]) -> Report:
    shared: dict[str, Any] = {
        name: getattr(row, name)
        for name in Report.__dataclass_fields__
        if name not in ("reporter", "supporters", "theme_id", "kind", "error_signatures")
    }
    root = row.duplicate_of or row.report_id
    return Report(
        **shared,
        kind=Kind(row.kind),
        error_signatures=tuple(row.error_signatures),
        reporter=row.author_hash or f"anonymous:{root}",
        supporters=tuple(sorted(people)),
        theme_id=theme_id,
    )
