"""The texts that stand for a theme, by fingerprint; new reports are compared with these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.store.among import among
from triage.store.copying import copy_in
from triage.store.tables import ThemeAnchorRow, ThemeRow
from triage.types import ThemeStatus


def save_anchors(session: Session, anchors: Mapping[int, Iterable[str]]) -> None:
    """Let these texts (fingerprints by theme), and no others, stand for some themes."""
    session.execute(
        delete(ThemeAnchorRow).where(among(col(ThemeAnchorRow.theme_id), anchors.keys()))
    )
    pairs = [(theme_id, key) for theme_id, keys in anchors.items() for key in sorted(set(keys))]
    if pairs:
        copy_in(session, "theme_anchor", {"theme_id": "int8", "fingerprint": "text"}, pairs)


def remove_anchors(session: Session, fingerprints: Collection[str], *, keep_theme: int) -> None:
    """Let texts stand for no theme but one (they were moved there)."""
    session.execute(
        delete(ThemeAnchorRow).where(
            among(col(ThemeAnchorRow.fingerprint), fingerprints),
            col(ThemeAnchorRow.theme_id) != keep_theme,
        )
    )


def move_anchors(session: Session, from_theme: int, to_theme: int) -> None:
    """Let what stood for one theme stand for another."""
    own = select(col(ThemeAnchorRow.fingerprint)).where(col(ThemeAnchorRow.theme_id) == from_theme)
    session.execute(
        insert(ThemeAnchorRow)
        .from_select(
            ["theme_id", "fingerprint"], select(literal(to_theme), own.subquery().c.fingerprint)
        )
        .on_conflict_do_nothing()
    )
    session.execute(delete(ThemeAnchorRow).where(col(ThemeAnchorRow.theme_id) == from_theme))


def load_anchors(
    session: Session, theme_ids: Collection[int] | None = None
) -> dict[int, list[str]]:
    """Fingerprints of the anchors of every theme that takes reports, or of some of them.

    One that a person set aside takes its like too: they must not found it anew.
    """
    statement = (
        select(col(ThemeAnchorRow.theme_id), col(ThemeAnchorRow.fingerprint))
        .join(ThemeRow, col(ThemeRow.theme_id) == col(ThemeAnchorRow.theme_id))
        .where(col(ThemeRow.status) != ThemeStatus.MERGED)
        .order_by(col(ThemeAnchorRow.theme_id), col(ThemeAnchorRow.fingerprint))
    )
    if theme_ids is not None:
        statement = statement.where(among(col(ThemeAnchorRow.theme_id), theme_ids))
    anchors: dict[int, list[str]] = {}
    for theme_id, fingerprint in session.execute(statement):
        anchors.setdefault(theme_id, []).append(fingerprint)
    return anchors


def find_anchor_themes(session: Session, fingerprints: Collection[str]) -> dict[str, int]:
    """The theme that each of some texts stands for; those that stand for none are left out."""
    statement = (
        select(col(ThemeAnchorRow.fingerprint), col(ThemeAnchorRow.theme_id))
        .where(among(col(ThemeAnchorRow.fingerprint), fingerprints))
        .order_by(col(ThemeAnchorRow.theme_id).desc())
    )
    return {fingerprint: theme_id for fingerprint, theme_id in session.execute(statement)}
