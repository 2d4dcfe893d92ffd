"""Durable themes: their words, counts, blockers, and what absorbed them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from triage.errors import UnknownTheme
from triage.store.anchors import move_anchors, save_anchors
from triage.store.bonds import load_side, save_bond
from triage.store.proposals import withdraw_proposals
from triage.store.tables import CorrectionRow, IssueRow, ThemeMemberRow, ThemeRow
from triage.types import BondKind, Theme, ThemeDraft, ThemeProfile, ThemeStatus, ThemeText

Vector = NDArray[np.float32]

STATES = text(
    """
    SELECT theme_id, counted_state, :basis || md5(string_agg(
        concat(report_id, ' ', content_digest, ' ', model_version, ' ', duplicate_of, ' ',
               is_core),
        ',' ORDER BY report_id))
    FROM theme JOIN theme_member USING (theme_id) JOIN report USING (report_id)
    WHERE theme.status = :open
    GROUP BY theme_id
    """
)


def create_themes(session: Session, drafts: Sequence[ThemeDraft]) -> list[int]:
    """Make themes, without members yet; returns their ids, ascending in the order of the drafts."""
    if not drafts:
        return []
    made = insert(ThemeRow).returning(col(ThemeRow.theme_id), sort_by_parameter_order=True)
    rows = [
        {
            "status": ThemeStatus.OPEN,
            "described_members": draft.profile.reports,
            "profile": _profile_json(draft.profile),
            **_text_columns(draft.text),
        }
        for draft in drafts
    ]
    ids = list(session.execute(made, rows).scalars())
    save_anchors(session, {i: draft.anchors for i, draft in zip(ids, drafts, strict=True)})
    return ids


def load_themes(session: Session, status: ThemeStatus | None = ThemeStatus.OPEN) -> list[Theme]:
    """Themes by id; only open ones unless told otherwise (None: all)."""
    statement = select(ThemeRow).order_by(col(ThemeRow.theme_id))
    if status is not None:
        statement = statement.where(col(ThemeRow.status) == status)
    return [_theme(row) for row in session.execute(statement).scalars()]


def load_theme(session: Session, name: str, *, follow: bool = True) -> Theme:
    """One theme by id (``T12`` or ``12``); an absorbed one leads to its survivor.

    Raises ``UnknownTheme``.
    """
    digits = name.strip().removeprefix("T").removeprefix("t")
    row = session.get(ThemeRow, int(digits)) if digits.isdigit() and len(digits) < 18 else None
    while follow and row is not None and row.forwards_to is not None:
        row = session.get(ThemeRow, row.forwards_to)
    if row is None:
        raise UnknownTheme(
            f"Looking for theme {name}", "no theme has this id", "`triage themes` lists them."
        )
    return _theme(row)


def described_members(session: Session) -> dict[int, int]:
    """How many reports each open theme had when it was last described."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.described_members))
    return {theme_id: members for theme_id, members in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class Counted:
    """A theme's counts, the state of its reports that they are of, and its mean vector (d,).

    Without a state they are not of all reports, and are made again the next time; without a vector
    it stays as it is.
    """

    theme_id: int
    profile: ThemeProfile
    state: str | None
    centre: Vector | None


def save_profiles(session: Session, themes: Iterable[Counted]) -> None:
    """Store what was counted of some themes."""
    rows = [
        {
            "theme_id": theme.theme_id,
            "profile": _profile_json(theme.profile),
            "counted_state": theme.state,
            **({} if theme.centre is None else {"centre": theme.centre}),
        }
        for theme in themes
    ]
    if rows:
        session.execute(update(ThemeRow), rows)


def load_uncounted(session: Session, basis: str) -> dict[int, str]:
    """The open themes whose reports changed since they were counted, with their state now.

    ``basis`` names what else the counts depend on. One scan of the members in the database, which
    holds for whatever changed them: arrivals, revisions, corrections, aliases of model names.
    """
    found = session.execute(STATES, {"basis": basis, "open": ThemeStatus.OPEN})
    return {theme_id: state for theme_id, counted, state in found if counted != state}


def load_theme_centres(session: Session) -> dict[int, Vector]:
    """The mean vector (float32) of every open theme that was counted."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.centre)).where(
        col(ThemeRow.centre).is_not(None), col(ThemeRow.status) == ThemeStatus.OPEN
    )
    return {
        theme_id: np.asarray(centre, dtype=np.float32)
        for theme_id, centre in session.execute(statement)
    }


def save_description(
    session: Session, theme_id: int, description: ThemeText, *, members: int
) -> None:
    """Store a theme's title, summary and exemplars; ``members`` is its present size."""
    _update(session, theme_id, described_members=members, **_text_columns(description))


def blank_theme(
    session: Session, theme_id: int, profile: ThemeProfile, medoid_id: int, *, is_empty: bool
) -> None:
    """Take away a theme's words and its mean vector; the next refreshing describes it anew.

    One that ``is_empty``, since its last report is gone, is set aside.
    """
    values: dict[str, Any] = {
        "title": f"T{theme_id}",
        "summary": "",
        "keywords": [],
        "medoid_id": medoid_id,
        "exemplar_ids": [],
        "worded_by": None,
        "profile": _profile_json(profile),
        "described_members": 0,
        "counted_state": None,
        "centre": None,
    }
    if is_empty:
        values["status"] = ThemeStatus.DISMISSED
    _update(session, theme_id, **values)


def save_blocker(session: Session, theme_id: int, blocker: str | None) -> None:
    """Store why a theme is not filed now (None: nothing blocks it)."""
    _update(session, theme_id, blocker=blocker, blocker_at=func.now())


def load_blockers(session: Session) -> dict[int, str]:
    """The stored blocker of every theme that has one."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.blocker)).where(
        col(ThemeRow.blocker).is_not(None)
    )
    return {theme_id: blocker for theme_id, blocker in session.execute(statement)}


def save_sensitivity(session: Session, theme_id: int, why: str | None) -> None:
    """Store why a theme is sensitive (None: it is not)."""
    _update(session, theme_id, sensitivity=why)


def load_sensitivity(session: Session) -> dict[int, str]:
    """Why a theme was sensitive when that was last looked at, for every one that was."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.sensitivity)).where(
        col(ThemeRow.sensitivity).is_not(None)
    )
    return {theme_id: why for theme_id, why in session.execute(statement)}


def merge_theme(
    session: Session,
    absorbed_id: int,
    survivor_id: int,
    *,
    said_by: str | None = None,
    because: str | None = None,
) -> None:
    """Merge two themes because a person said so: it holds for ever, no clustering parts them."""
    save_bond(
        session,
        BondKind.TOGETHER,
        (absorbed_id, load_side(session, absorbed_id)),
        (survivor_id, load_side(session, survivor_id)),
        said_by=said_by,
        because=because,
    )
    absorb_theme(session, absorbed_id, survivor_id)


def absorb_theme(session: Session, absorbed_id: int, survivor_id: int) -> None:
    """Let a theme be absorbed: reports, anchors and issue move, its id forwards for ever.

    Where both have an issue each keeps its own; the survivor's speaks for both. The absorbed
    theme's corrections hold for the survivor where it has none of that field.
    """
    members = update(ThemeMemberRow).where(col(ThemeMemberRow.theme_id) == absorbed_id)
    session.execute(members.values(theme_id=survivor_id))
    move_anchors(session, absorbed_id, survivor_id)
    if session.get(IssueRow, survivor_id) is None:
        issue = update(IssueRow).where(col(IssueRow.theme_id) == absorbed_id)
        session.execute(issue.values(theme_id=survivor_id))
    said = select(col(CorrectionRow.field)).where(col(CorrectionRow.theme_id) == survivor_id)
    words = update(CorrectionRow).where(
        col(CorrectionRow.theme_id) == absorbed_id, col(CorrectionRow.field).not_in(said)
    )
    session.execute(words.values(theme_id=survivor_id))
    withdraw_proposals(session, absorbed_id)
    _update(session, absorbed_id, status=ThemeStatus.MERGED, forwards_to=survivor_id)


def load_forwards(session: Session) -> dict[int, int]:
    """The present survivor of every absorbed theme, chains followed to their end."""
    statement = select(col(ThemeRow.theme_id), col(ThemeRow.forwards_to)).where(
        col(ThemeRow.forwards_to).is_not(None)
    )
    step = {theme_id: target for theme_id, target in session.execute(statement)}
    ends = {}
    for theme_id in step:
        end = theme_id
        while end in step:
            end = step[end]
        ends[theme_id] = end
    return ends


def set_theme_status(session: Session, theme_id: int, status: ThemeStatus) -> None:
    """Open a theme or set it aside."""
    _update(session, theme_id, status=status)


def _update(session: Session, theme_id: int, **values: Any) -> None:
    session.execute(update(ThemeRow).where(col(ThemeRow.theme_id) == theme_id).values(**values))


def _text_columns(description: ThemeText) -> dict[str, Any]:
    return {
        **asdict(description),
        "keywords": list(description.keywords),
        "exemplar_ids": list(description.exemplar_ids),
    }


def _profile_json(profile: ThemeProfile) -> dict[str, Any]:
    values = asdict(profile)
    values["first_seen"] = profile.first_seen.isoformat()
    values["last_seen"] = profile.last_seen.isoformat()
    # JSONB sorts keys, so an ordered mapping is stored as pairs.
    for name in ("versions", "channels", "environments", "languages", "error_signatures"):
        values[name] = list(values[name].items())
    values["weeks"] = [[monday.isoformat(), count] for monday, count in profile.weeks.items()]
    return values


def _profile(values: Mapping[str, Any]) -> ThemeProfile:
    read = dict(values)
    read["first_seen"] = datetime.fromisoformat(read["first_seen"])
    read["last_seen"] = datetime.fromisoformat(read["last_seen"])
    for name in ("versions", "channels", "environments", "languages", "error_signatures"):
        read[name] = dict(read[name])
    read["weeks"] = {date.fromisoformat(monday): count for monday, count in read["weeks"]}
    return ThemeProfile(**read)


def _theme(row: ThemeRow) -> Theme:
    return Theme(
        theme_id=row.theme_id,
        status=ThemeStatus(row.status),
        forwards_to=row.forwards_to,
        text=ThemeText(
            title=row.title,
            summary=row.summary,
            keywords=tuple(row.keywords),
            medoid_id=row.medoid_id,
            exemplar_ids=tuple(row.exemplar_ids),
            worded_by=row.worded_by,
        ),
        profile=_profile(row.profile),
    )
