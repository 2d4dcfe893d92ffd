"""Loading and counting reports: all, by what they are in, or by what they wait for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, cast, exists, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlmodel import Session, col

from triage.errors import UnknownReport
from triage.store.among import among
from triage.store.tables import EmbeddingRow, ReportRow, ReportSupporterRow, ThemeMemberRow
from triage.types import Kind, Member, Report

Loaded = TypeVar("Loaded", Report, Member)


def load_reports(session: Session, report_ids: Iterable[int] | None = None) -> list[Report]:
    """Reports by id (all without ids), oldest first, with their theme and their supporters."""
    condition = None if report_ids is None else among(col(ReportRow.report_id), list(report_ids))
    return _load(session, condition, Report)


def load_arrivals(session: Session, space_id: int) -> list[Report]:
    """Embedded reports in no theme that repeat no other and that no clustering looked at yet."""
    return _load(
        session,
        col(ReportRow.clustered_at).is_(None)
        & col(ReportRow.duplicate_of).is_(None)
        & col(ThemeMemberRow.theme_id).is_(None)
        & _has_vector(space_id),
        Report,
    )


def load_loose(session: Session, fingerprints: Collection[str]) -> list[Report]:
    """Reports with one of these texts that a clustering left in no theme, oldest first."""
    return _load(
        session,
        among(col(ReportRow.fingerprint), fingerprints)
        & col(ReportRow.clustered_at).is_not(None)
        & col(ReportRow.duplicate_of).is_(None)
        & col(ThemeMemberRow.theme_id).is_(None),
        Report,
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
    session: Session, theme_ids: Collection[int] | None = None, *, with_loose: bool = False
) -> dict[int, list[Report]]:
    """Every report that is in a theme, or in one of some, by theme id, oldest first.

    Those that only hang loosely to it come ``with_loose`` alone, or where nothing else is in it.
    """
    theme_id = col(ThemeMemberRow.theme_id)
    wanted = theme_id.is_not(None) if theme_ids is None else among(theme_id, theme_ids)
    by_theme: dict[int, list[Report]] = {}
    for report in _load(session, wanted, Report):
        if report.theme_id is not None:
            by_theme.setdefault(report.theme_id, []).append(report)
    if with_loose:
        return by_theme
    return {theme: [r for r in found if r.is_core] or found for theme, found in by_theme.items()}


def load_theme_members(session: Session, theme_ids: Collection[int]) -> dict[int, list[Member]]:
    """All reports of some themes, loose ones too, without their texts: by theme, oldest first."""
    by_theme: dict[int, list[Member]] = {}
    for member in _load(session, among(col(ThemeMemberRow.theme_id), theme_ids), Member):
        by_theme.setdefault(member.theme_id, []).append(member)
    return by_theme


def load_reports_of(session: Session, theme_id: int) -> list[Report]:
    """The reports of one theme, oldest first."""
    return _load(session, col(ThemeMemberRow.theme_id) == theme_id, Report)


def find_reports(session: Session, name: str) -> list[Report]:
    """Reports by the id their source gave, or by ``#`` and our own number.

    Raises ``UnknownReport`` when there is none.
    """
    if name.startswith("#") and name[1:].isdigit():
        found = _load(session, col(ReportRow.report_id) == int(name[1:]), Report)
    else:
        found = _load(session, col(ReportRow.external_id) == name, Report)
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


def _load(
    session: Session, condition: ColumnElement[bool] | None, made: type[Loaded]
) -> list[Loaded]:
    """Reports, or as much of them as ``made`` has fields for, oldest first."""
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
        "has_text": col(ReportRow.failure_text) != "",
    }
    names = [field.name for field in fields(made)]
    # columns, not entities: half of the time, and neither prompts nor bands are fetched; past the
    # ORM, which makes rows of its own, a quarter less
    statement = (
        select(*(special[n] if n in special else getattr(ReportRow, n) for n in names))
        .outerjoin(ThemeMemberRow, col(ThemeMemberRow.report_id) == col(ReportRow.report_id))
        .outerjoin(people, people.c.report_id == col(ReportRow.report_id))
        .order_by(col(ReportRow.created_at), col(ReportRow.report_id))
    )
    if condition is not None:
        statement = statement.where(condition)
    kind, signatures, supporters = map(names.index, ("kind", "error_signatures", "supporters"))
    found = []
    session.flush()  # which the ORM would do by itself
    for row in session.connection().execute(statement):
        values: list[Any] = list(row)
        values[kind] = Kind(values[kind])
        values[signatures] = tuple(values[signatures] or ())
        values[supporters] = tuple(sorted(values[supporters] or ()))
        found.append(made(*values))
    return found
