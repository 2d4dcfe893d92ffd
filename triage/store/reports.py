"""Loading and counting reports: all, by what they are in, or by what they wait for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import ColumnElement, cast, exists, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlmodel import Session, col

from triage.errors import UnknownReport
from triage.store.among import among
from triage.store.tables import EmbeddingRow, ReportRow, ReportSupporterRow, ThemeMemberRow
from triage.types import Kind, Report

_FIELDS = tuple(field.name for field in fields(Report))
_KIND, _SIGNATURES, _SUPPORTERS = map(_FIELDS.index, ("kind", "error_signatures", "supporters"))


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
    root = func.coalesce(col(ReportRow.duplicate_of), col(ReportRow.report_id))
    special = {
        # most have none: what is NULL need not be read as JSON
        "error_signatures": func.nullif(col(ReportRow.error_signatures), cast([], JSONB)),
        "reporter": func.coalesce(
            func.nullif(col(ReportRow.author_hash), ""), func.concat("anonymous:", root)
        ),
        "supporters": people.c.people,
        "theme_id": col(ThemeMemberRow.theme_id),
        "is_core": func.coalesce(col(ThemeMemberRow.is_core), true()),
    }
    # columns, not entities, and past the ORM: a third of the time, and no prompts, no bands
    statement = (
        select(*(special[n] if n in special else getattr(ReportRow, n) for n in _FIELDS))
        .outerjoin(ThemeMemberRow, col(ThemeMemberRow.report_id) == col(ReportRow.report_id))
        .outerjoin(people, people.c.report_id == col(ReportRow.report_id))
        .order_by(col(ReportRow.created_at), col(ReportRow.report_id))
    )
    if condition is not None:
        statement = statement.where(condition)
    session.flush()  # which the ORM would do by itself
    return [_report(row) for row in session.connection().execute(statement)]


def _report(row: Sequence[Any]) -> Report:
    """A report from its fields as the database has them."""
    values = list(row)
    values[_KIND] = Kind(values[_KIND])
    values[_SIGNATURES] = tuple(values[_SIGNATURES] or ())
    values[_SUPPORTERS] = tuple(sorted(values[_SUPPORTERS] or ()))
    return Report(*values)
