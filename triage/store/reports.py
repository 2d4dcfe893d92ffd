"""Reports in and out of the database: idempotent saving, duplicate links, loading."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    any_,
    delete,
    exists,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import Session, col

from triage.errors import UnknownReport
from triage.store.among import among
from triage.store.copying import copy_in
from triage.store.tables import EmbeddingRow, ReportRow, ReportSupporterRow, ThemeMemberRow
from triage.types import CleanReport, Kind, Report

# What a report has besides the columns of its own row, and the columns that it has as they are.
_OWN = ("reporter", "supporters", "theme_id", "is_core")
_SHARED = tuple(field.name for field in fields(Report) if field.name not in _OWN)

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
    """Give stored reports the version that their model's name means today; returns how many."""
    names = select(col(ReportRow.model_written), col(ReportRow.model_version)).distinct()
    restamped = 0
    for written, version in session.execute(names.where(col(ReportRow.model_written).is_not(None))):
        meant = resolve(written)
        if meant != version:
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


def load_reports(session: Session, report_ids: Iterable[int] | None = None) -> list[Report]:
    """Reports by id (all without ids), oldest first, with their theme and their supporters."""
    condition = None if report_ids is None else among(col(ReportRow.report_id), list(report_ids))
    return _load(session, condition)


def load_arrivals(session: Session, space_id: int) -> list[Report]:
    """Embedded reports in no theme that repeat no other and that no clustering looked at yet."""
    return _load(
        session,
        col(ReportRow.clustered_at).is_(None)
        & col(ReportRow.duplicate_of).is_(None)
        & col(ThemeMemberRow.theme_id).is_(None)
        & _has_vector(space_id),
    )


def load_loose(session: Session, fingerprints: Collection[str]) -> list[Report]:
    """Reports with one of these texts that a clustering left in no theme, oldest first."""
    return _load(
        session,
        among(col(ReportRow.fingerprint), fingerprints)
        & col(ReportRow.clustered_at).is_not(None)
        & col(ReportRow.duplicate_of).is_(None)
        & col(ThemeMemberRow.theme_id).is_(None),
    )


def count_originals(session: Session, space_id: int) -> int:
    """How many embedded reports repeat no other."""
    statement = select(func.count()).where(
        col(ReportRow.duplicate_of).is_(None), _has_vector(space_id)
    )
    return int(session.execute(statement).scalar_one())


def count_unembedded(session: Session, space_id: int) -> int:
    """How many reports that repeat no other have no vector in a space."""
    statement = select(func.count()).where(
        col(ReportRow.duplicate_of).is_(None),
        col(ReportRow.failure_text) != "",
        ~_has_vector(space_id),
    )
    return int(session.execute(statement).scalar_one())


def load_texts(session: Session, limit: int) -> list[str]:
    """Failure texts, each once: all, or as many by fingerprint, which is a fair sample."""
    statement = (
        select(col(ReportRow.failure_text))
        .ext(distinct_on(col(ReportRow.fingerprint)))
        .where(col(ReportRow.failure_text) != "")
        .order_by(col(ReportRow.fingerprint), col(ReportRow.report_id))
        .limit(limit)
    )
    return list(session.execute(statement).scalars())


def load_theme_reports(
    session: Session,
    theme_ids: Collection[int] | None = None,
    *,
    with_loose: bool = False,
    known: Iterable[Report] = (),
) -> dict[int, list[Report]]:
    """Every report that is in a theme, or in one of some, by theme id, oldest first.

    Those that only hang loosely to it come ``with_loose`` alone, or where nothing else is in it.
    Of reports ``known`` from earlier in the transaction only their theme is looked up.
    """
    theme_id = col(ThemeMemberRow.theme_id)
    wanted = theme_id.is_not(None) if theme_ids is None else among(theme_id, theme_ids)
    by_id = {report.report_id: report for report in known}
    reports = _replaced(session, by_id, wanted) if by_id else _load(session, wanted)
    by_theme: dict[int, list[Report]] = {}
    for report in reports:
        if report.theme_id is not None:
            by_theme.setdefault(report.theme_id, []).append(report)
    if with_loose:
        return by_theme
    return {theme: [r for r in found if r.is_core] or found for theme, found in by_theme.items()}


def _replaced(
    session: Session, known: Mapping[int, Report], wanted: ColumnElement[bool]
) -> list[Report]:
    """Members of themes as they are now, oldest first; only those not known are loaded."""
    places = select(
        col(ThemeMemberRow.report_id), col(ThemeMemberRow.theme_id), col(ThemeMemberRow.is_core)
    ).where(wanted)
    found: list[Report] = []
    unknown: list[int] = []
    for report_id, theme_id, is_core in session.execute(places):
        if report_id in known:
            found.append(replace(known[report_id], theme_id=theme_id, is_core=is_core))
        else:
            unknown.append(report_id)
    if unknown:
        found += _load(session, among(col(ReportRow.report_id), unknown))
    return sorted(found, key=lambda report: (report.created_at, report.report_id))


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


def _has_vector(space_id: int) -> ColumnElement[bool]:
    return exists().where(
        col(EmbeddingRow.space_id) == space_id,
        col(EmbeddingRow.fingerprint) == col(ReportRow.fingerprint),
    )


def _load(session: Session, condition: ColumnElement[bool] | None) -> list[Report]:
    people = (
        select(
            col(ReportSupporterRow.report_id),
            func.array_agg(col(ReportSupporterRow.person_hash)).label("people"),
        )
        .group_by(col(ReportSupporterRow.report_id))
        .subquery()
    )
    # columns, not entities: half of the time, and neither prompts nor bands are fetched
    statement = (
        select(
            *(getattr(ReportRow, name) for name in _SHARED),
            col(ReportRow.author_hash),
            people.c.people,
            col(ThemeMemberRow.theme_id),
            col(ThemeMemberRow.is_core),
        )
        .outerjoin(ThemeMemberRow, col(ThemeMemberRow.report_id) == col(ReportRow.report_id))
        .outerjoin(people, people.c.report_id == col(ReportRow.report_id))
        .order_by(col(ReportRow.created_at), col(ReportRow.report_id))
    )
    if condition is not None:
        statement = statement.where(condition)
    return [_report(*row) for row in session.execute(statement)]


def _report(*row: Any) -> Report:
    """A report from its own columns and, behind them, what it has besides."""
    *own, author_hash, people, theme_id, is_core = row
    shared: dict[str, Any] = dict(zip(_SHARED, own, strict=True))
    root = shared["duplicate_of"] or shared["report_id"]
    shared["kind"] = Kind(shared["kind"])
    shared["error_signatures"] = tuple(shared["error_signatures"])
    return Report(
        **shared,
        reporter=author_hash or f"anonymous:{root}",
        supporters=tuple(sorted(people or ())),
        theme_id=theme_id,
        is_core=is_core is not False,
    )
