"""Which report is in which theme, and how it came there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.tables import ReportRow, ThemeMemberRow

ADD_MEMBERS = text(
    """
    INSERT INTO theme_member (report_id, theme_id, joined_by, cosine_similarity, is_core)
    SELECT report_id, theme_id, :joined_by, similarity, is_core
    FROM unnest(
        CAST(:themes AS bigint[]), CAST(:ids AS bigint[]), CAST(:similarities AS float8[]),
        CAST(:core AS boolean[])
    ) AS member (theme_id, report_id, similarity, is_core)
    ON CONFLICT DO NOTHING
    """
)


def add_members(
    session: Session,
    members: Mapping[int, Mapping[int, float | None]],
    *,
    joined_by: str,
    loose: Collection[int] = (),
) -> None:
    """Put reports into themes: by theme, their ids to cosine similarities.

    A member elsewhere stays there. Those of ``loose`` are no part of a core.
    """
    loose = frozenset(loose)
    rows = [
        (theme_id, report_id, similarity, report_id not in loose)
        for theme_id, similarities in members.items()
        for report_id, similarity in sorted(similarities.items())
    ]
    if rows:
        themes, ids, similarities, core = map(list, zip(*rows, strict=True))
        columns = {"themes": themes, "ids": ids, "similarities": similarities, "core": core}
        session.execute(ADD_MEMBERS, {"joined_by": joined_by, **columns})


def move_members(
    session: Session, report_ids: Sequence[int], theme_id: int, *, joined_by: str = "person"
) -> None:
    """Put reports into a theme, wherever they were; a person's word unless told otherwise."""
    for report_id in sorted(report_ids):
        values = {
            "theme_id": theme_id,
            "joined_by": joined_by,
            "cosine_similarity": None,
            "is_core": True,
        }
        statement = insert(ThemeMemberRow).values(report_id=report_id, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["report_id"], set_=values))


def remove_members(session: Session, report_ids: Collection[int]) -> None:
    """Let reports be in no theme, and those that repeat them; whom a person put there stays."""
    copies = select(col(ReportRow.report_id)).where(among(col(ReportRow.duplicate_of), report_ids))
    report_id, joined_by = col(ThemeMemberRow.report_id), col(ThemeMemberRow.joined_by)
    session.execute(
        delete(ThemeMemberRow).where(
            (among(report_id, report_ids) & (joined_by != "person"))
            | (report_id.in_(copies) & (joined_by == "duplicate"))
        )
    )


def save_core(session: Session, is_core: Mapping[int, bool]) -> None:
    """Note which of some members (by report id) are core; whom a person put there always is."""
    for held in (True, False):
        ids = [report_id for report_id, core in is_core.items() if core is held]
        session.execute(
            update(ThemeMemberRow)
            .where(
                among(col(ThemeMemberRow.report_id), ids),
                col(ThemeMemberRow.is_core) != held,
                col(ThemeMemberRow.joined_by) != "person",
            )
            .values(is_core=held)
        )


def follow_duplicates(session: Session) -> int:
    """Put every duplicate into the theme of the report that it repeats; returns how many moved."""
    moved = session.execute(
        text(
            """
            INSERT INTO theme_member (report_id, theme_id, joined_by, is_core)
            SELECT report.report_id, root.theme_id, 'duplicate', root.is_core
            FROM report JOIN theme_member root ON root.report_id = report.duplicate_of
            ON CONFLICT (report_id)
            DO UPDATE SET theme_id = excluded.theme_id, is_core = excluded.is_core
            WHERE theme_member.joined_by = 'duplicate'
              AND (theme_member.theme_id, theme_member.is_core)
                  <> (excluded.theme_id, excluded.is_core)
            RETURNING report_id
            """
        )
    )
    return len(moved.all())


def load_members(session: Session, report_ids: Collection[int] | None = None) -> dict[int, int]:
    """The theme of every report that is in one, or of some."""
    members = select(col(ThemeMemberRow.report_id), col(ThemeMemberRow.theme_id))
    if report_ids is not None:
        members = members.where(among(col(ThemeMemberRow.report_id), report_ids))
    return {report_id: theme_id for report_id, theme_id in session.execute(members)}


def load_pinned(session: Session) -> set[int]:
    """Ids of the reports that a person put where they are."""
    statement = select(col(ThemeMemberRow.report_id)).where(
        col(ThemeMemberRow.joined_by) == "person"
    )
    return set(session.execute(statement).scalars())


def load_join(session: Session, report_id: int) -> tuple[str, float | None, datetime] | None:
    """How a report came into its theme: by what, at which similarity, when."""
    row = session.get(ThemeMemberRow, report_id)
    return (row.joined_by, row.cosine_similarity, row.joined_at) if row else None
