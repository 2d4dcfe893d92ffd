"""What people said of which reports belong together; nothing here is ever deleted."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session, col

from triage.store.tables import BondRow, ReportRow, ThemeMemberRow
from triage.types import Bond, BondKind

# Reports of a theme that stand for it in a bond; of a larger theme the oldest.
SIDE = 200


def save_bond(
    session: Session,
    kind: BondKind,
    left: tuple[int, Collection[int]],
    right: tuple[int, Collection[int]],
    *,
    said_by: str | None = None,
    because: str | None = None,
) -> None:
    """Keep a person's word on two groups of reports, each given with its theme.

    A later word on the same reports outranks it.
    """
    row = BondRow(
        kind=kind,
        left_theme=left[0],
        left_reports=sorted(left[1]),
        right_theme=right[0],
        right_reports=sorted(right[1]),
        said_by=said_by,
        because=because,
    )
    session.add(row)
    session.flush()


def load_bonds(session: Session) -> list[Bond]:
    """Every word of that kind, oldest first."""
    rows = session.execute(select(BondRow).order_by(col(BondRow.bond_id))).scalars()
    return [
        Bond(
            kind=BondKind(row.kind),
            left=frozenset(row.left_reports),
            right=frozenset(row.right_reports),
            left_theme=row.left_theme,
            right_theme=row.right_theme,
            said_at=row.said_at,
            said_by=row.said_by,
            because=row.because,
            bond_id=row.bond_id,
        )
        for row in rows
    ]


def load_side(session: Session, theme_id: int) -> frozenset[int]:
    """The reports that stand for a theme in a bond: its oldest ones that repeat no other."""
    statement = (
        select(col(ThemeMemberRow.report_id))
        .join(ReportRow, col(ReportRow.report_id) == col(ThemeMemberRow.report_id))
        .where(col(ThemeMemberRow.theme_id) == theme_id)
        .order_by(
            col(ReportRow.duplicate_of).is_not(None),
            col(ReportRow.created_at),
            col(ReportRow.report_id),
        )
        .limit(SIDE)
    )
    return frozenset(session.execute(statement).scalars())
